/* elab.c — elaboration of files and lines: declarations, the prelude, modules, settings, and what
 * others ask about names. Stage in: syntax tree without errors. Stage out: Program over a core with
 * NODE_D. SPEC: programs, scoping. */
#include "lang/elab_int.h"

#include <math.h>
#include <string.h>

/* ---- losses
 * ---------------------------------------------------------------------------------------------------------------
 */
static void elab_loss(Elab *e, Scope *s, const Ast *ast)
{
	Val v = elab_expr(e, s, ast->kid[0]);
	v.span = ast->kid[0]->span;
	if (v.tag == VAL_TUPLE) {
		diag_help(diag_type_mismatch(elab_diags(e), v.span, val_type(e, &v), "one number"),
			  "add the parts with weights");
		v = val_error(ast->span);
	}
	if (v.tag != VAL_ERROR && (!val_real(e, &v) || !val_pure(e, &v))) {
		v = val_error(ast->span);
	}
	if (v.tag != VAL_ERROR && v.rank) {
		diag_help(diag_type_mismatch(elab_diags(e), v.span, val_type(e, &v), "one number"),
			  "sum or average it:  mean[i] x[i]^2");
		v = val_error(ast->span);
	}
	if (v.tag != VAL_ERROR) {
		v = val_name(e, s, ast->name, v, DEF_USER);
		v.literal = false;
		LossInfo *l = arena_new(e->arena, LossInfo);
		*l = (LossInfo){ast->name, ast->span, v.re};
		bool replaced = false;
		for (uint32_t i = 0; i < e->program->nloss; i++) {
			if (e->program->loss[i]->name == ast->name) {
				e->program->loss[i] = l;
				replaced = true;
			}
		}
		if (!replaced) {
			ARENA_PUSH(e->arena, e->program->loss, e->program->nloss, e->caploss, l);
		}
	}
	scope_add(e, s, ast->name, ast->name_span, v);
}

/* ---- modules
 * ---------------------------------------------------------------------------------------------------------------
 */
static void elab_text_module(Elab *e, const char *name, const char *text)
{
	uint32_t file = sources_add(e->ctx->sources, name, text, strlen(text));
	unsigned before = diags_errors(e->diags);
	const Ast *ast = parse_file(e->ctx, file);
	if (diags_errors(e->diags) == before) {
		Scope *program = e->global; /* the library does not see what uses it */
		e->global = e->library;
		elab_unit(e, ast);
		e->global = program;
	}
}

/* Each module is read once; of two that use each other, the second sees what the first has said so
 * far. */
static bool first_use(Elab *e, Sym module)
{
	for (size_t i = 0; i < e->nmodule; i++) {
		if (e->module[i] == module) {
			return false;
		}
	}
	ARENA_PUSH(e->arena, e->module, e->nmodule, e->capmodule, module);
	return true;
}

static void elab_use(Elab *e, const Ast *ast)
{
	const char *name = elab_text(e, ast->name);
	if (ast->flags & AST_PATH) {
		const char *here = sources_name(e->ctx->sources, ast->span.file),
			   *slash = strrchr(here, '/');
		const char *path = name[0] == '/' || !slash
					   ? name
					   : arena_printf(e->arena, "%.*s/%s", (int)(slash - here),
							  here, name);
		if (!first_use(e, intern_str(e->names, path))) {
			return;
		}
		uint32_t file = sources_load(e->ctx->sources, path);
		if (!file) {
			diag_no_module(elab_diags(e), ast->span, path);
			return;
		}
		unsigned before = diags_errors(e->diags);
		const Ast *tree = parse_file(e->ctx, file);
		if (diags_errors(e->diags) == before) {
			elab_unit(e, tree);
		}
		return;
	}
	const char *text = e->options.module ? e->options.module(e->options.data, name) : NULL;
	if (!text) {
		diag_help(diag_no_module(elab_diags(e), ast->span, name),
			  "a file of your own is named in quotes:  use \"mine.pnn\"");
		return;
	}
	if (!first_use(e, intern_printf(e->names, "<%s>", name))) {
		return;
	}
	bool before = e->in_prelude;
	e->in_prelude = true;
	elab_text_module(e, arena_printf(e->arena, "<%s>", name), text);
	e->in_prelude = before;
}

/* ---- declarations
 * ------------------------------------------------------------------------------------------------------------
 */
static void precision(Elab *e, const Ast *ast)
{
	const char *name = elab_text(e, ast->name);
	if (strcmp(name, "f32") == 0 || strcmp(name, "f64") == 0) {
		e->program->f32 = name[1] == '3';
	} else {
		diag_type_mismatch(elab_diags(e), ast->span, name, "f32 or f64");
	}
}

void elab_decl(Elab *e, Scope *s, const Ast *ast)
{
	core_at(e->core, ast->span);
	switch (ast->kind) {
	case AST_USE:
		elab_use(e, ast);
		break;
	case AST_PRECISION:
		precision(e, ast);
		break;
	case AST_CONST:
		elab_const(e, s, ast);
		break;
	case AST_AXIS:
		elab_axis(e, s, ast);
		break;
	case AST_PARAM:
		elab_param(e, s, ast);
		break;
	case AST_DATA:
		elab_data(e, s, ast);
		break;
	case AST_SPLIT:
		elab_split(e, s, ast);
		break;
	case AST_DOMAIN:
		elab_domain(e, s, ast);
		break;
	case AST_POINTS:
		elab_points(e, s, ast);
		break;
	case AST_EQUATION:
		elab_equation(e, s, ast);
		break;
	case AST_DERIVATIVE:
		elab_rule(e, s, ast);
		break;
	case AST_OPTIMIZER: {
		struct NamedAst named = {ast->name, ast};
		ARENA_PUSH(e->arena, e->optimizer, e->noptimizer, e->capoptimizer, named);
		break;
	}
	case AST_GROUP:
		diag_reserved_feature(elab_diags(e), ast->span, "group");
		break;
	case AST_IMPOSE:
		diag_reserved_feature(elab_diags(e), ast->span, "impose");
		break;
	default:
		break;
	}
}

static bool is_statement(AstKind k)
{
	return k >= AST_TRAIN && k <= AST_BOUND && k != AST_STATE && k != AST_NEXT;
}

static bool is_stray(AstKind k)
{
	return k == AST_RETURN || k == AST_STATE || k == AST_NEXT || k == AST_MINIMIZE ||
	       k == AST_USEPHASE || k == AST_EVERY || k == AST_FIELDDECL || k == AST_DOMAINVAR ||
	       k == AST_CASE;
}

static void add_made(Elab *e, Stmt *st)
{
	if (st) {
		ARENA_PUSH(e->arena, e->program->stmt, e->program->nstmt, e->capstmt, st);
	}
}

static void add_statement(Elab *e, const Ast *k)
{
	add_made(e, elab_stmt(e, e->global, k));
}

static FnDecl *decl_of(Elab *e, const Ast *ast)
{
	Entry *entry = scope_find(e, e->global, ast->name);
	return entry && entry->val.tag == VAL_FN && entry->val.fn->kind == FNV_USER
		       ? entry->val.fn->decl
		       : NULL;
}

static void check_function(Elab *e, const Ast *k)
{
	FnDecl *d = k->kind == AST_FN || k->kind == AST_EQUATION ? decl_of(e, k) : NULL;
	if (d && d->ast == k) {
		fn_check(e, d);
	}
}

/* Names first, then what they need, then each function by itself, then losses and statements in
 * order. Functions below a `let` or a loss may read its name: they are checked when the statements
 * have come to them. */
void elab_unit(Elab *e, const Ast *file)
{
	Scope *global = e->global;
	e->units_open++;
	Ast *const *text = global->text; /* of the file that uses this one */
	uint32_t ntext = global->ntext;
	for (uint32_t i = 0; i < file->nkid && !e->in_prelude; i++) {
		ARENA_PUSH(e->arena, e->said, e->nsaid, e->capsaid, file->kid[i]);
	}
	for (uint32_t i = 0; i < file->nkid; i++) {
		if (file->kid[i]->kind == AST_FN) {
			elab_fn(e, e->global, file->kid[i]);
		}
	}
	elab_defs(e, e->global, file->nkid, file->kid);
	const bool *late = late_data(e, file);
	for (uint32_t i = 0; i < file->nkid; i++) {
		const Ast *k = file->kid[i];
		if (late[i]) {
			continue;
		}
		if (is_stray(k->kind)) {
			diag_bad_statement_place(elab_diags(e), k->span, ast_kind_name(k->kind),
						 "at the top of a file");
		}
		elab_decl(e, e->global, k);
	}
	uint32_t first = 0; /* name that is there from its place on */
	while (first < file->nkid && file->kid[first]->kind != AST_LET &&
	       file->kid[first]->kind != AST_LOSS && !late[first]) {
		check_function(e, file->kid[first++]);
	}
	for (uint32_t i = 0; i < file->nkid; i++) {
		const Ast *k = file->kid[i];
		if (i > first) {
			check_function(e, k);
		}
		if (late[i]) {
			elab_decl(e, e->global, k);
		}
		if (k->kind == AST_DATA || k->kind == AST_SPLIT) {
			add_made(e, late_statement(e, k));
		} else if (k->kind == AST_LOSS) {
			elab_loss(e, e->global, k);
		} else if (is_statement(k->kind)) {
			add_statement(e, k);
		} else if (k->kind != AST_DEF && k->kind != AST_ERROR_STMT && k->kind < AST_FILE &&
			   k->kind != AST_COMMAND && !is_stray(k->kind)) {
			Val v = elab_expr(e, e->global, k);
			if (v.tag != VAL_ERROR) {
				diag_help(diag_bad_statement_place(elab_diags(e), k->span,
								   "a bare value", "in a file"),
					  "show it by  print %s", ast_text(e->arena, e->names, k));
			}
		}
	}
	e->units_open--;
	for (size_t i = 0; i < e->global->n && !e->units_open;
	     i++) { /* a module's definitions may need what its user says later */
		if (e->global->entry[i].pending) {
			scope_value(e, e->global, e->global->entry[i].name,
				    e->global->entry[i].span);
		}
	}
	if (ntext) {
		global->text = text;
		global->ntext = ntext;
	}
}

/* ---- the environment
 * -------------------------------------------------------------------------------------------------------------
 */
static Def runtime_leaf(Elab *e, const char *name, Kind kind)
{
	return core_leaf(e->core, DEF_RUNTIME, SYM(e, name), (Span){0}, kind, 0, 0, NULL);
}

static void number_name(Elab *e, const char *name, double value)
{
	Piece piece = {NULL, core_real_const(e->core, value)};
	DefInfo info = {.role = DEF_CONST,
			.name = SYM(e, name),
			.kind = KIND_REAL,
			.npiece = 1,
			.piece = &piece,
			.flags = DEF_USER};
	Val v = val_num(e, (Span){0}, ELEM_REAL, 0,
			core_read(e->core, core_define(e->core, info), NULL));
	scope_put(e, e->global, SYM(e, name), (Span){0}, v);
}

Elab *elab_create(ParseCtx *ctx, ElabOptions options)
{
	Elab *e = arena_new(ctx->arena, Elab);
	e->ctx = ctx;
	e->arena = ctx->arena;
	e->names = ctx->names;
	e->diags = ctx->diags;
	e->options = options;
	e->set_used = arena_array(e->arena, bool, options.nset + 1);
	e->core = core_create(e->arena, e->names);
	e->units = unit_table(e->arena, e->names);
	e->program = arena_new(e->arena, Program);
	e->program->core = e->core;
	e->program->units = e->units;
	e->program->step = runtime_leaf(e, "step", KIND_INT);
	e->program->epoch = runtime_leaf(e, "epoch", KIND_INT);
	e->program->grad_norm = runtime_leaf(e, "grad", KIND_REAL);
	e->program->change = runtime_leaf(e, "change", KIND_REAL);
	e->program->loss_value = runtime_leaf(e, "loss", KIND_REAL);
	e->library = e->global = scope_new(e, NULL, NULL);
	e->in_prelude = true;
	number_name(e, "pi", 3.14159265358979323846);
	number_name(e, "inf", (double)INFINITY);
	const char *text = options.module ? options.module(options.data, "prelude") : NULL;
	if (text) {
		elab_text_module(e, "<prelude>", text);
	}
	e->global = scope_new(e, e->library, NULL);
	e->in_prelude = false;
	return e;
}

static void check_settings(Elab *e)
{
	for (uint32_t i = 0; i < e->options.nset; i++) {
		if (e->set_used[i]) {
			continue;
		}
		const char *known[512];
		size_t n = 0;
		for (size_t k = e->global->n; k-- > 0 && n < 512;) {
			Entry *entry = &e->global->entry[k];
			if (entry->name && !entry->builtin &&
			    (entry->val.tag == VAL_AXIS || entry->val.tag == VAL_STRING ||
			     entry->val.tag == VAL_NUM)) {
				known[n++] = elab_text(e, entry->name);
			}
		}
		Diag *d = diag_bad_setting(elab_diags(e), e->options.set[i].span,
					   e->options.set[i].name,
					   "the program has no const or axis of this name");
		const char *near = diag_nearest(e->options.set[i].name, known, n);
		if (near) {
			diag_help(d, "did you mean  %s ?", near);
		}
	}
}

static void warn_unused_params(Elab *e)
{
	bool trains = false;
	for (uint32_t i = 0; i < e->program->nstmt; i++) {
		trains = trains || e->program->stmt[i]->kind == STMT_TRAIN ||
			 e->program->stmt[i]->kind == STMT_SWEEP;
		const Stmt *st = e->program->stmt[i];
		for (uint32_t k = 0; st->kind == STMT_FREEZE && k < st->u.freeze.n; k++) {
			st->u.freeze.param[k]->used = true; /* given, not to be trained */
		}
	}
	uint32_t n = 0, fields = 0;
	for (uint32_t k = 0; k < e->program->ndata; k++) {
		fields += e->program->data[k]->nfield;
	}
	Node *root = arena_array(e->arena, Node, e->program->nloss + fields + 1);
	for (uint32_t k = 0; k < e->program->nloss; k++) {
		root[n++] = e->program->loss[k]->value;
	}
	for (uint32_t k = 0; k < e->program->ndata; k++) { /* data may be made of parameters */
		const DataInfo *d = e->program->data[k];
		for (uint32_t j = 0; j < d->nfield; j++) {
			Def f = d->field[j].formula;
			if (f) {
				root[n++] = core_read_plain(e->core, f,
							    core_def(e->core, f)->index);
			}
		}
	}
	const bool *reached = defs_reached(e, n, root);
	for (uint32_t i = 0; trains && i < e->program->nparam; i++) {
		ParamInfo *p = e->program->param[i];
		p->used = p->used || reached[p->leaf];
		if (!p->used) {
			diag_unused_param(elab_diags(e), p->span, elab_text(e, p->path));
		}
	}
}

/* What is erroneous was diagnosed: else a program would pass with parts of it left out. */
static void check_silent(Elab *e)
{
	for (size_t i = 0; i < e->global->n && diags_errors(e->diags) == 0; i++) {
		const Entry *entry = &e->global->entry[i];
		if (entry->name && (entry->pending || entry->val.tag == VAL_ERROR)) {
			diag_internal(elab_diags(e), entry->span,
				      "a definition went wrong and nobody said why");
		}
	}
}

Program *elab_file(Elab *e, const Ast *file)
{
	e->program->file = file;
	elab_unit(e, file);
	check_settings(e);
	check_silent(e);
	if (!diags_errors(e->diags)) {
		warn_unused_params(e);
	}
	e->program->nset = e->options.nset;
	e->program->set_name = arena_array(e->arena, Sym, e->options.nset + 1);
	e->program->set_value = arena_array(e->arena, const char *, e->options.nset + 1);
	for (uint32_t i = 0; i < e->options.nset; i++) {
		e->program->set_name[i] = SYM(e, e->options.set[i].name);
		e->program->set_value[i] = e->options.set[i].value;
	}
	return e->program;
}

Program *elab_program(Elab *e)
{
	return e->program;
}

typedef struct Roots {
	Elab *e;
	CoreProgram p;
	size_t capname, caproot;
} Roots;

static void add_root(Roots *r, Sym name, Node n)
{
	uint32_t count = r->p.n;
	ARENA_PUSH(r->e->arena, r->p.name, r->p.n, r->capname, name);
	ARENA_PUSH(r->e->arena, r->p.root, count, r->caproot, n);
}

static void add_def(Roots *r, Sym name, Def d)
{
	if (d) {
		add_root(r, name, core_read_plain(r->e->core, d, core_def(r->e->core, d)->index));
	}
}

static void add_values(Roots *r, uint32_t n, const Value *v)
{
	for (uint32_t i = 0; i < n; i++) {
		add_def(r, v[i].name, v[i].value);
		add_def(r, v[i].name, v[i].imaginary);
	}
}

static void add_stmt(Roots *r, const Stmt *st, unsigned depth);

static void add_block(Roots *r, const Block *b, unsigned depth)
{
	for (uint32_t i = 0; i < b->n && depth < 100; i++) {
		add_stmt(r, b->stmt[i], depth + 1);
	}
}

static void add_stmt(Roots *r, const Stmt *st, unsigned depth)
{
	Intern *names = r->e->names;
	switch (st->kind) {
	case STMT_PRINT:
		add_values(r, st->u.print.n, st->u.print.item);
		break;
	case STMT_LET:
		add_values(r, st->u.let.n, st->u.let.value);
		break;
	case STMT_RECORD:
		add_values(r, st->u.record.n, st->u.record.column);
		break;
	case STMT_TRAIN:
		add_root(r, st->u.train.name, st->u.train.objective);
		break;
	case STMT_SWEEP:
		add_block(r, &st->u.sweep.body, depth);
		break;
	case STMT_REPEAT:
		add_block(r, &st->u.repeat.body, depth);
		break;
	case STMT_IF:
		add_block(r, &st->u.branch.yes, depth);
		add_block(r, &st->u.branch.no, depth);
		break;
	case STMT_TEST:
	case STMT_ASSERT:
		add_def(r, intern_str(names, "left"), st->u.claim.left);
		add_def(r, intern_str(names, "right"), st->u.claim.right);
		add_def(r, intern_str(names, "condition"), st->u.claim.condition);
		break;
	default:
		break;
	}
}

/* Everything that a run evaluates: losses, then what statements show, keep and claim, in order. */
CoreProgram elab_core(Elab *e)
{
	Roots r = {.e = e, .p = {.core = e->core}};
	for (uint32_t i = 0; i < e->program->nloss; i++) {
		add_root(&r, e->program->loss[i]->name, e->program->loss[i]->value);
	}
	for (uint32_t i = 0; i < e->program->nstmt; i++) {
		add_stmt(&r, e->program->stmt[i], 0);
	}
	return r.p;
}
