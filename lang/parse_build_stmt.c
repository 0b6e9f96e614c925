/* parse_build_stmt.c — statements and their parts, for the actions of parse.y. */
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

static bool is_word(const Parser *p, Sym name, const char *word)
{
	return strcmp(intern_text(p->ctx->names, name), word) == 0;
}

Ast *build_type(Parser *p, Span at, const Token *name, AstList axes, const Token *unit)
{
	Ast *node = build_from(p, AST_TYPE, at, name, NULL, axes);
	node->text = unit ? unit->text : 0;
	return node;
}

Ast *build_param(Parser *p, Span at, const Token *name, Ast *type, Ast *init, Ast *path,
                 AstList constraints, uint32_t flags)
{
	Ast **kids = arena_array(p->ctx->arena, Ast *, constraints.n + 3);
	size_t n = 0;
	kids[n++] = type;
	kids[n++] = init ? init : path;
	if (init && path) {
		kids[n++] = path;
	}
	if (constraints.n) {
		memcpy(kids + n, constraints.item, constraints.n * sizeof *kids);
	}
	return build_flag(build_node(p, AST_PARAM, at, name, n + constraints.n, kids),
	                  flags | (path ? AST_FROM : 0));
}

/* The count n of simulate(n); NULL when it is something else. */
static Ast *simulated_count(const Parser *p, const Ast *e)
{
	bool call = e->kind == AST_CALL && e->nkid == 2 && e->kid[0]->kind == AST_NAME;
	return call && is_word(p, e->kid[0]->name, "simulate") && e->kid[1]->kind != AST_NAMEDARG
	               ? e->kid[1]
	               : NULL;
}

static Ast *want_simulation(Parser *p, Ast *e)
{
	Ast *count = simulated_count(p, e);
	if (!count && e->kind != AST_ERROR_EXPR) {
		p->mistakes++;
		diag_syntax(p->ctx->diags, e->span, parse_quote(p, e->span),
		            "simulate(n) with a number of records");
	}
	return count ? count : build_error(p, AST_ERROR_EXPR, e->span);
}

/* const a : real[i] ~ normal(0, 1): a const is known before the run, whose seed says what is drawn. */
Ast *build_const_draw(Parser *p, Span at, const Token *name, const Ast *type, const Ast *dist)
{
	Arena *a = p->ctx->arena;
	const char *places = "", *text = intern_text(p->ctx->names, build_name(p, name)->name);
	for (uint32_t i = 0; type && type->kind == AST_TYPE && i < type->nkid; i++) {
		const Ast *axis = type->kid[i];
		bool plain = axis->kind == AST_NAME;
		for (uint32_t k = 0; k < type->nkid; k++) {
			plain = plain && (k == i || type->kid[k]->name != axis->name);
		}
		const char *said = parse_excerpt(p, axis->span);
		places = arena_printf(a, "%s%s%s", places, i ? ", " : "",
				      plain ? said : arena_printf(a, "i%u in %s", i + 1, said));
	}
	p->mistakes++;
	Diag *d = diag_not_constant(p->ctx->diags, dist->span, "a const");
	diag_remark(d, "what is drawn depends on the seed, in a training on the step too;  let kept = %s  holds it", text);
	diag_help(d, places[0] ? "a definition is drawn for each place:  %s[%s] ~ %s" : "write  %s%s ~ %s", text, places,
		  parse_excerpt(p, dist->span));
	return build_error(p, AST_ERROR_STMT, at);
}

Ast *build_data(Parser *p, Span at, const Token *name, Ast *from, Ast *other, Ast *body,
                bool equals)
{
	Ast *count = other ? want_simulation(p, other) : NULL;
	if (from && !other && body && simulated_count(p, from)) {
		count = simulated_count(p, from);
		from = NULL;
	}
	Ast *node = BUILD(p, AST_DATA, at, name, from, count, body, NULL);
	return build_flag(node, equals && !body ? AST_EQ : 0);
}

Ast *build_rows(Ast *data, Ast *rows)
{
	data->kid[3] = rows;
	return data;
}

/* `seed = k` behind with. */
Ast *build_seed(Parser *p, const Token *word, Ast *value)
{
	if (!is_word(p, word->name, "seed")) {
		Span at = parse_span(p, word);
		p->mistakes++;
		diag_syntax(p->ctx->diags, at, parse_quote(p, at), "`seed`");
		return build_error(p, AST_ERROR_EXPR, value->span);
	}
	return value;
}

Ast *build_split(Parser *p, Span at, const Token *data, Ast *by, Ast *seed, AstList parts)
{
	Ast **kids = arena_array(p->ctx->arena, Ast *, parts.n + 3);
	kids[0] = build_name(p, data);
	kids[1] = by;
	kids[2] = seed;
	memcpy(kids + 3, parts.item, parts.n * sizeof *kids);
	Ast *node = build_node(p, AST_SPLIT, at, NULL, parts.n + 3, kids);
	return seed ? build_flag(node, AST_SEED) : node;
}

/* `use "file.pnn"` is known by its string; `use name` may be a module or an optimiser: the body
 * decides. */
Ast *build_use(Parser *p, Span at, Ast *optimiser, Ast *count, Ast *until, uint32_t flags)
{
	if (optimiser->kind == AST_STR && !count && !until) {
		Ast *use = build_error(p, AST_USE, at);
		use->name = optimiser->name;
		use->text = optimiser->text;
		use->name_span = optimiser->span;
		return build_flag(use, AST_PATH);
	}
	return build_flag(BUILD(p, AST_USEPHASE, at, NULL, optimiser, count, until), flags);
}

Ast *build_freeze(Parser *p, Span at, const Token *word, AstList targets)
{
	Ast *node = build_from(p, AST_FREEZE, at, NULL, NULL, targets);
	return build_flag(node, is_word(p, word->name, "unfreeze") ? AST_THAW : 0);
}

/* `record table(m = a, n = b)` reads as a call whose arguments are all named. */
static bool is_table(const AstList *args)
{
	const Ast *call = args->n == 1 ? args->item[0] : NULL;
	bool table = call && call->kind == AST_CALL && call->nkid > 1 &&
	             call->kid[0]->kind == AST_NAME;
	for (uint32_t i = 1; table && i < call->nkid; i++) {
		table = call->kid[i]->kind == AST_NAMEDARG;
	}
	return table;
}

Ast *build_record(Parser *p, Span at, AstList args, Ast *path)
{
	Token name = {0};
	bool table = is_table(&args);
	if (table) {
		const Ast *call = args.item[0];
		name = (Token){.name = call->kid[0]->name,
		               .text = call->kid[0]->text,
		               .lo = call->kid[0]->span.lo,
		               .hi = call->kid[0]->span.hi};
		args = (AstList){call->kid + 1, call->nkid - 1, call->nkid - 1};
	}
	for (size_t i = 0; i < args.n; i++) {
		const Ast *v = args.item[i];
		if (v->kind != AST_NAMEDARG && v->kind != AST_NAME && v->kind != AST_ERROR_EXPR) {
			p->mistakes++;
			diag_help(diag_syntax(p->ctx->diags, v->span, parse_quote(p, v->span),
			                      "a named value"),
			          "give the column a name:  record m = %s",
			          parse_excerpt(p, v->span));
			return build_error(p, AST_ERROR_STMT, at);
		}
	}
	Ast *node = build_from(p, AST_RECORD, at, table ? &name : NULL, NULL,
	                       build_list(p, args, path));
	return build_flag(node, path ? AST_TO : 0);
}

Ast *build_every(Parser *p, Span at, Ast *statement, Ast *count)
{
	return count ? BUILD(p, AST_EVERY, at, NULL, statement, count) : statement;
}

Ast *build_reset(Parser *p, Span at, AstList targets, Ast *seed)
{
	Ast *node = build_from(p, AST_RESET, at, NULL, NULL, build_list(p, targets, seed));
	return build_flag(node, seed ? AST_SEED : 0);
}

Ast *build_plot(Parser *p, Span at, AstList values, AstList options)
{
	return build_from(p, AST_PLOT, at, NULL, NULL, build_concat(p, values, options, 0));
}

/* `for 1000, x in [0,1]`: a count, or a variable with its set. */
AstList build_claim_fors(Parser *p, const Token *word, AstList items)
{
	AstList options = build_none();
	for (size_t i = 0; i < items.n; i++) {
		Ast *item = items.item[i];
		Ast *option = BUILD(p, AST_CLAIMOPT, item->span, word, item);
		if (item->kind == AST_BINDER) {
			option->name = intern_str(p->ctx->names, "forvar");
		}
		options = build_list(p, options, option);
	}
	return options;
}

Ast *build_command(Parser *p, Span at, const Token *t)
{
	Ast *node = build_error(p, AST_COMMAND, at);
	node->text = t->text;
	return node;
}
