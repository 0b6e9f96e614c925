/* elab_late.c — data sets that are made of present values: of parameters and of what `let` keeps.
 * They are made at their place in the file, each time a run comes there; a set without such values
 * is there from the start. SPEC: data. */
#include "lang/elab_data_int.h"

/* ---- in the text: which declarations have to wait for the statements above them ---- */

typedef struct Names {
	Elab *e;
	Sym *name;
	size_t n, cap;
} Names;

static bool has_name(const Names *s, Sym name)
{
	for (size_t k = 0; k < s->n; k++) {
		if (s->name[k] == name) {
			return true;
		}
	}
	return false;
}

static void add_name(Names *s, Sym name)
{
	if (name && !has_name(s, name)) {
		ARENA_PUSH(s->e->arena, s->name, s->n, s->cap, name);
	}
}

/* Names that the statement itself gives a meaning: parameters of a function, fields of a set. */
static Names own_names(Elab *e, const Ast *ast)
{
	Names own = {.e = e};
	const Ast *list = ast->kind == AST_FN     ? ast->kid[1]
			  : ast->kind == AST_DATA ? ast->kid[2]
						  : NULL;
	for (uint32_t k = 0; list && k < list->nkid; k++) {
		const Ast *one = list->kid[k];
		if (one && one->kind == AST_DEF) {
			one = one->kid[0]->kind == AST_INDEX ? one->kid[0]->kid[0] : one->kid[0];
		}
		add_name(&own, one ? one->name : 0);
	}
	return own;
}

static bool mentions(const Names *s, const Names *own, const Ast *ast)
{
	if (ast->kind == AST_NAME && has_name(s, ast->name) && !has_name(own, ast->name)) {
		return true;
	}
	for (uint32_t k = 0; k < ast->nkid; k++) {
		if (ast->kid[k] && mentions(s, own, ast->kid[k])) {
			return true;
		}
	}
	return false;
}

static void add_defined(Names *s, const Ast *ast)
{
	const Ast *left = ast->nkid ? ast->kid[0] : NULL;
	switch (ast->kind) {
	case AST_DEF:
		left = left->kind == AST_INDEX ? left->kid[0] : left;
		add_name(s, left->name);
		break;
	case AST_SPLIT:
		for (uint32_t k = 3; k < ast->nkid; k++) {
			add_name(s, ast->kid[k] ? ast->kid[k]->name : 0);
		}
		break;
	case AST_LET:
		add_name(s, ast->name);
		for (uint32_t k = 0; !ast->name && left && k < left->nkid; k++) {
			add_name(s, left->kid[k]->name);
		}
		break;
	default:
		add_name(s, ast->name);
	}
}

static bool defines_by_others(AstKind k)
{
	return k == AST_FN || k == AST_DEF || k == AST_EQUATION || k == AST_LOSS || k == AST_DATA ||
	       k == AST_SPLIT;
}

/* What stands for the start of a run and reads a set needs it then: the set does not wait. */
static bool needed_early(const Ast *file, const Ast *data)
{
	Names one = {0}, none = {0};
	Sym name[1] = {data->name};
	one.name = name;
	one.n = 1;
	for (uint32_t i = 0; i < file->nkid; i++) {
		const Ast *k = file->kid[i];
		bool early = k->kind == AST_PARAM || k->kind == AST_CONST || k->kind == AST_AXIS;
		if (early && mentions(&one, &none, k)) {
			return true;
		}
	}
	return false;
}

static void note_later(Elab *e, const Ast *ast)
{
	Names made = {.e = e};
	add_defined(&made, ast);
	for (size_t k = 0; k < made.n; k++) {
		ARENA_PUSH(e->arena, e->later, e->nlater, e->caplater, made.name[k]);
	}
}

bool late_name(const Elab *e, Sym name)
{
	for (size_t k = 0; k < e->nlater; k++) {
		if (e->later[k] == name) {
			return true;
		}
	}
	return false;
}

bool *late_data(Elab *e, const Ast *file)
{
	bool *late = arena_array(e->arena, bool, file->nkid + 1);
	bool *met = arena_array(e->arena, bool, file->nkid + 1);
	Names present = {.e = e};
	for (uint32_t i = 0; i < file->nkid; i++) {
		const Ast *k = file->kid[i];
		bool net = k->kind == AST_FN && (k->flags & AST_NET);
		if (k->kind == AST_LET || k->kind == AST_PARAM || net) {
			add_defined(&present, k);
			met[i] = true;
		}
	}
	for (bool again = !e->in_prelude; again;) {
		again = false;
		for (uint32_t i = 0; i < file->nkid; i++) {
			const Ast *k = file->kid[i];
			Names own = own_names(e, k);
			if (met[i] || !defines_by_others(k->kind) || !mentions(&present, &own, k) ||
			    (k->kind == AST_DATA && needed_early(file, k))) {
				continue;
			}
			met[i] = again = true;
			late[i] = k->kind == AST_DATA || k->kind == AST_SPLIT;
			if (late[i]) {
				note_later(e, k);
			}
			add_defined(&present, k);
		}
	}
	return late;
}

/* ---- in the program: what formulas read ---- */

static bool is_late_leaf(const Elab *e, Def leaf)
{
	for (uint32_t k = 0; k < e->program->ndata; k++) {
		const DataInfo *d = e->program->data[k];
		for (uint32_t j = 0; d->late && j < d->nfield; j++) {
			if (d->field[j].leaf == leaf) {
				return true;
			}
		}
	}
	return false;
}

bool data_reads_present(Elab *e, const DataInfo *d)
{
	Node *root = arena_array(e->arena, Node, d->nfield + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < d->nfield; k++) {
		Def f = d->field[k].formula;
		if (f) {
			root[n++] = core_read_plain(e->core, f, core_def(e->core, f)->index);
		}
	}
	Def *order;
	uint32_t *component, count = core_reach(e->core, e->arena, n, root, &order, &component);
	for (uint32_t k = 0; k < count; k++) {
		DefRole role = core_def(e->core, order[k])->role;
		if (role == DEF_PARAM || role == DEF_RUNTIME ||
		    (role == DEF_DATA && is_late_leaf(e, order[k]))) {
			return true;
		}
	}
	return false;
}

Stmt *late_statement(Elab *e, const Ast *ast)
{
	DataInfo **set = arena_array(e->arena, DataInfo *, e->program->ndata + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < e->program->ndata; k++) {
		DataInfo *d = e->program->data[k];
		if (d->ast == ast && d->late) {
			set[n++] = d;
		}
	}
	if (!n) {
		return NULL;
	}
	Stmt *st = arena_new(e->arena, Stmt);
	st->kind = STMT_DATA;
	st->span = ast->span;
	st->ast = ast;
	st->u.data.n = n;
	st->u.data.set = set;
	return st;
}
