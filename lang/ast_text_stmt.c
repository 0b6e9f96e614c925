/* ast_text_stmt.c — statements and their parts on one line; a body is { a; b }. */
#include <string.h>

#include "lang/ast_text_int.h"

static void put(TextOut *t, const Ast *e)
{
	if (e) {
		text_expr(t, e, LEVEL_EXPR);
	}
}

/* A word before a child that may be absent. */
static void put_after(TextOut *t, const char *before, const Ast *e, const char *after)
{
	if (e) {
		text_put(t, before);
		put(t, e);
		text_put(t, after);
	}
}

static void put_body(TextOut *t, const Ast *node, uint32_t first)
{
	text_put(t, " { ");
	text_kids(t, node, first, node->nkid, "; ");
	text_put(t, node->nkid > first ? " }" : "}");
}

/* "word name" */
static void put_head(TextOut *t, const char *word, const Ast *s)
{
	text_put(t, word);
	text_name(t, s);
}

static void put_initial(TextOut *t, const Ast *s, const Ast *init)
{
	put_after(t, s->flags & AST_DRAW ? " ~ " : " = ", init, "");
}

static void put_param(TextOut *t, const Ast *s)
{
	bool file = s->flags & AST_FROM, both = file && (s->flags & (AST_EQ | AST_DRAW));
	put_head(t, "param ", s);
	put_after(t, " : ", s->kid[0], "");
	for (uint32_t i = both ? 3 : 2; i < s->nkid; i++) {
		put_after(t, " ", s->kid[i], "");
	}
	if (file) {
		put_after(t, " from ", s->kid[both ? 2 : 1], "");
	}
	if (!file || both) {
		put_initial(t, s, s->kid[1]);
	}
}

static void put_data(TextOut *t, const Ast *s)
{
	put_head(t, "data ", s);
	if (s->flags & AST_EQ) {
		put_after(t, " = ", s->kid[0], "");
		return;
	}
	put_after(t, " from ", s->kid[0], "");
	put_after(t, "", s->kid[3], "");
	put_after(t, s->kid[0] ? " else simulate(" : " = simulate(", s->kid[1], ")");
	if (s->kid[2]) {
		put_body(t, s->kid[2], 0);
	}
}

static void put_rows(TextOut *t, const Ast *s)
{
	put_after(t, " where ", s->kid[0], "");
	put_after(t, " by ", s->kid[1], "");
	text_put(t, s->flags & AST_COMPLETE ? " complete" : "");
}

static void put_split(TextOut *t, const Ast *s)
{
	text_put(t, "split ");
	put(t, s->kid[0]);
	put_after(t, " by ", s->kid[1], "");
	text_put(t, " into ");
	text_kids(t, s, 3, s->nkid, ", ");
	put_after(t, " with seed = ", s->kid[2], "");
}

static void put_fn(TextOut *t, const Ast *s)
{
	const Ast *body = s->kid[3];
	put_head(t,
	         s->flags & AST_LAYER        ? "layer "
	         : s->flags & AST_NET        ? "net "
	         : s->flags & AST_ACTIVATION ? "activation "
	                                     : "fn ",
	         s);
	put_after(t, "[", s->kid[0], "]");
	put(t, s->kid[1]);
	put_after(t, " -> ", s->kid[2], "");
	put_after(t, " symmetrized under ", s->nkid > 4 ? s->kid[4] : NULL, "");
	if (body && body->kind == AST_BLOCK) {
		put_body(t, body, 0);
	} else {
		put_after(t, " = ", body, "");
	}
}

static void put_fparams(TextOut *t, const Ast *s)
{
	text_put(t, "(");
	for (uint32_t i = 0; i < s->nkid; i++) {
		bool after = s->kid[i]->flags & AST_AFTER_SEMI;
		bool first = i == 0 || !(s->kid[i - 1]->flags & AST_AFTER_SEMI);
		text_put(t, i == 0 ? "" : after && first ? "; " : ", ");
		put(t, s->kid[i]);
	}
	text_put(t, ")");
}

static void put_field(TextOut *t, const Ast *s)
{
	text_name(t, s);
	put_after(t, " : ", s->kid[0], "");
	text_put(t, s->flags & AST_SHARED ? " shared" : "");
	put_after(t, " from ", s->kid[1], "");
	put_after(t, " at ", s->kid[3], "");
	put_initial(t, s, s->kid[2]);
}

static void put_use(TextOut *t, const Ast *s)
{
	text_put(t, "use ");
	put(t, s->kid[0]);
	put_after(t, " for ", s->kid[1], s->flags & AST_EPOCHS ? " epochs" : " steps");
	put_after(t, " until ", s->kid[2], "");
}

static void put_repeat(TextOut *t, const Ast *s)
{
	text_put(t, "repeat");
	put_after(t, " ", s->kid[0], " times");
	put_after(t, " until ", s->kid[1], "");
	put_body(t, s->kid[2], 0);
}

static void put_branches(TextOut *t, const Ast *s)
{
	text_put(t, "if ");
	put(t, s->kid[0]);
	put_body(t, s->kid[1], 0);
	if (s->kid[2] && s->kid[2]->nkid == 1 && s->kid[2]->kid[0]->kind == AST_IFSTMT) {
		put_after(t, " else ", s->kid[2]->kid[0], "");
	} else if (s->kid[2]) {
		text_put(t, " else");
		put_body(t, s->kid[2], 0);
	}
}

static void put_record(TextOut *t, const Ast *s)
{
	uint32_t n = s->nkid - (s->flags & AST_TO ? 1 : 0);
	text_put(t, "record ");
	if (s->name) {
		text_name(t, s);
	}
	text_put(t, s->name ? "(" : "");
	text_kids(t, s, 0, n, ", ");
	text_put(t, s->name ? ")" : "");
	put_after(t, " to ", s->flags & AST_TO ? s->kid[n] : NULL, "");
}

static void put_reset(TextOut *t, const Ast *s)
{
	uint32_t n = s->nkid - (s->flags & AST_SEED ? 1 : 0);
	text_put(t, n ? "reset " : "reset");
	text_kids(t, s, 0, n, ", ");
	put_after(t, " with seed = ", s->flags & AST_SEED ? s->kid[n] : NULL, "");
}

/* "save f, g to path": all but the last, a word, the last. */
static void put_transfer(TextOut *t, const char *word, const Ast *s, const char *to)
{
	text_put(t, word);
	text_kids(t, s, 0, s->nkid - 1, ", ");
	text_put(t, s->nkid > 1 ? " " : "");
	put_after(t, to, s->kid[s->nkid - 1], "");
}

static void put_export(TextOut *t, const Ast *s)
{
	bool option = s->nkid > 2 && s->kid[s->nkid - 2]->kind == AST_PLOTOPT;
	uint32_t names = s->nkid - (option ? 2 : 1);
	text_put(t, "export ");
	text_kids(t, s, 0, names, ", ");
	if (option) {
		text_put(t, " ");
		put(t, s->kid[names]);
	}
	put_after(t, " to ", s->kid[s->nkid - 1], "");
}

static void put_plot(TextOut *t, const Ast *s)
{
	text_put(t, "plot ");
	for (uint32_t i = 0; i < s->nkid; i++) {
		bool option = s->kid[i]->kind == AST_PLOTOPT;
		text_put(t, i == 0 ? "" : option ? " " : ", ");
		put(t, s->kid[i]);
	}
}

/* An option with several values: they stand without their brackets. */
static void put_plot_option(TextOut *t, const Ast *s)
{
	const Ast *value = s->kid[0];
	text_name(t, s);
	text_put(t, " ");
	if (value->kind == AST_TUPLE && value->nkid > 1) {
		text_kids(t, value, 0, value->nkid, ", ");
	} else {
		put(t, value);
	}
}

static void put_claim(TextOut *t, const char *word, const Ast *s)
{
	bool variables = false;
	text_put(t, word);
	put(t, s->kid[0]);
	for (uint32_t i = 1; i < s->nkid; i++) {
		const Ast *o = s->kid[i];
		bool variable = o->kid[0]->kind == AST_BINDER;
		text_put(t, variable && variables ? ", " : " ");
		if (!(variable && variables)) {
			text_put(t, variable ? "for" : intern_text(t->names, o->name));
			text_put(t, " ");
		}
		put(t, o->kid[0]);
		variables = variable;
	}
}

static void put_invariant(TextOut *t, const Ast *s)
{
	put(t, s->kid[0]);
	text_put(t, s->flags & AST_EQUIVARIANT ? " equivariant under " : " invariant under ");
	text_kids(t, s, 1, s->nkid, ", ");
}

static void put_sweep(TextOut *t, const Ast *s)
{
	text_put(t, "sweep ");
	text_kids(t, s, 0, s->nkid - 1, ", ");
	put_body(t, s->kid[s->nkid - 1], 0);
}

static void put_let(TextOut *t, const Ast *s)
{
	text_put(t, "let ");
	if (s->name) {
		text_name(t, s);
		put_after(t, " : ", s->kid[0], "");
	} else {
		put(t, s->kid[0]);
	}
	put_after(t, " = ", s->kid[1], "");
}

static void put_use_module(TextOut *t, const Ast *s)
{
	text_put(t, "use ");
	if (s->flags & AST_PATH && !s->text) {
		text_put(t, "\"");
		text_sym(t, s->name);
		text_put(t, "\"");
	} else {
		text_name(t, s);
	}
}

/* "word name = value" */
static void put_named(TextOut *t, const char *word, const Ast *s)
{
	put_head(t, word, s);
	put_after(t, " = ", s->kid[0], "");
}

static void put_minimize(TextOut *t, const Ast *s)
{
	const Ast *over = s->kid[1];
	put_after(t, s->flags & AST_MAXIMIZE ? "maximize " : "minimize ", s->kid[0], "");
	if (over) {
		text_put(t, " over ");
		if (over->kind == AST_TUPLE) {
			text_kids(t, over, 0, over->nkid, ", ");
		} else {
			put(t, over);
		}
	}
}

static void put_part(TextOut *t, const Ast *s)
{
	switch (s->kind) {
	case AST_LABELS: text_kids(t, s, 0, s->nkid, " | "); break;
	case AST_NAMES:
	case AST_GROUP_ON: text_kids(t, s, 0, s->nkid, ", "); break;
	case AST_FPARAM:
		text_name(t, s);
		put_after(t, ": ", s->kid[0], "");
		put_after(t, " = ", s->kid[1], "");
		break;
	case AST_FPARAMS: put_fparams(t, s); break;
	case AST_ROWS: put_rows(t, s); break;
	case AST_FIELDDECL: put_field(t, s); break;
	case AST_DOMAINVAR:
		if (s->name) {
			text_name(t, s);
		} else {
			put(t, s->kid[0]);
		}
		put_after(t, " in ", s->kid[s->nkid - 1], "");
		break;
	case AST_PART:
		text_name(t, s);
		put_after(t, " ", s->kid[0], "");
		break;
	case AST_USEPHASE: put_use(t, s); break;
	case AST_MINIMIZE: put_minimize(t, s); break;
	case AST_EVERY:
		put(t, s->kid[0]);
		put_after(t, " every ", s->kid[1], " steps");
		break;
	case AST_SYMMETRY:
		put(t, s->kid[0]);
		put_after(t, " on ", s->kid[1], "");
		break;
	case AST_PLOTOPT: put_plot_option(t, s); break;
	case AST_CLAIMOPT:
		text_sym(t, s->name);
		put_after(t, " ", s->kid[0], "");
		break;
	case AST_INVARIANT: put_invariant(t, s); break;
	case AST_BLOCK: put_body(t, s, 0); break;
	default: text_put(t, ast_kind_name(s->kind)); break;
	}
}

void text_statement(TextOut *t, const Ast *s)
{
	switch (s->kind) {
	case AST_FILE: text_kids(t, s, 0, s->nkid, "; "); break;
	case AST_USE: put_use_module(t, s); break;
	case AST_PRECISION: put_head(t, "precision ", s); break;
	case AST_CONST:
		put_head(t, "const ", s);
		put_after(t, " : ", s->kid[0], "");
		put_after(t, " = ", s->kid[1], "");
		break;
	case AST_AXIS:
		put_named(t, "axis ", s);
		text_put(t, s->flags & AST_PERIODIC ? " periodic" : "");
		break;
	case AST_PARAM: put_param(t, s); break;
	case AST_DATA: put_data(t, s); break;
	case AST_SPLIT: put_split(t, s); break;
	case AST_DOMAIN:
		put_head(t, "domain ", s);
		put_body(t, s, 0);
		break;
	case AST_POINTS: put_named(t, "points ", s); break;
	case AST_FN: put_fn(t, s); break;
	case AST_DERIVATIVE:
		put_after(t, "derivative ", s->kid[0], "");
		put_after(t, " = ", s->kid[1], "");
		break;
	case AST_GROUP:
		put_head(t, "group ", s);
		put_after(t, "", s->kid[0]->nkid ? s->kid[0] : NULL, "");
		put_after(t, " : ", s->kid[1], "");
		put_after(t, " -> ", s->kid[2], "");
		break;
	case AST_EQUATION:
		put_head(t, "equation ", s);
		put_after(t, " on ", s->kid[0], "");
		put_body(t, s, 1);
		break;
	case AST_IMPOSE:
		put_head(t, "impose ", s);
		put_body(t, s, 0);
		break;
	case AST_LOSS: put_named(t, "loss ", s); break;
	case AST_DEF:
		put(t, s->kid[0]);
		put_after(t, s->flags & AST_DRAW ? " ~ " : " = ", s->kid[1], "");
		break;
	case AST_RETURN: put_after(t, "return ", s->kid[0], ""); break;
	case AST_OPTIMIZER:
		put_head(t, "optimizer ", s);
		put(t, s->kid[0]);
		put_body(t, s->kid[1], 0);
		break;
	case AST_STATE: put_named(t, "state ", s); break;
	case AST_NEXT: put_named(t, "next ", s); break;
	case AST_TRAIN:
		put_head(t, "train ", s);
		put_body(t, s, 0);
		break;
	case AST_SWEEP: put_sweep(t, s); break;
	case AST_REPEAT: put_repeat(t, s); break;
	case AST_IFSTMT: put_branches(t, s); break;
	case AST_RECORD: put_record(t, s); break;
	case AST_RESET: put_reset(t, s); break;
	case AST_LET: put_let(t, s); break;
	case AST_PRINT:
		text_put(t, "print ");
		text_kids(t, s, 0, s->nkid, ", ");
		break;
	case AST_PLOT: put_plot(t, s); break;
	case AST_SAVE: put_transfer(t, "save ", s, "to "); break;
	case AST_LOAD: put_transfer(t, "load ", s, "from "); break;
	case AST_EXPORT: put_export(t, s); break;
	case AST_SET:
		put_after(t, "set ", s->kid[0], "");
		put_after(t, " = ", s->kid[1], "");
		break;
	case AST_FREEZE:
		text_put(t, s->flags & AST_THAW ? "unfreeze " : "freeze ");
		text_kids(t, s, 0, s->nkid, ", ");
		break;
	case AST_PROVE: put_claim(t, "prove ", s); break;
	case AST_TEST: put_claim(t, "test ", s); break;
	case AST_ASSERT: put_claim(t, "assert ", s); break;
	case AST_BOUND: put_claim(t, "bound ", s); break;
	case AST_COMMAND: text_sym(t, s->text); break;
	case AST_ERROR_STMT: text_put(t, "…"); break;
	default: put_part(t, s); break;
	}
}
