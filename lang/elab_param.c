/* elab_param.c — parameters: made here and nowhere else; their constraints, first values and names.
 * SPEC: parameters.
 *
 * A constrained parameter is a definition of free entries, so that every derivative and optimiser
 * acts on those: symmetric       P[i,j] = if i <= j then F[i,j] else F[j,i]      (zero_diagonal:
 * and 0 where i == j) antisymmetric   P[i,j] = if i < j then F[i,j] else if j < i then -F[j,i] else
 * 0 positive        P = exp(F) simplex         P[..,k] = exp(F[..,k]) / sum[j] exp(F[..,j])
 *   circulant       P[i,j] = F[(j - i) mod n]
 *   orthogonal      P = F, put back onto the group after every update. */
#include "lang/elab_int.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned flag;
} constraints[] = {
	{"symmetric", CONSTRAINT_SYMMETRIC},
	{"antisymmetric", CONSTRAINT_ANTISYMMETRIC},
	{"zero_diagonal", CONSTRAINT_ZERO_DIAGONAL},
	{"positive", CONSTRAINT_POSITIVE},
	{"circulant", CONSTRAINT_CIRCULANT},
	{"orthogonal", CONSTRAINT_ORTHOGONAL},
	{"simplex", CONSTRAINT_SIMPLEX},
};

/* kid 2 is the path when a first value is given beside it. */
static bool has_both(const Ast *ast)
{
	return (ast->flags & AST_FROM) && (ast->flags & (AST_EQ | AST_DRAW));
}

static uint32_t first_constraint(const Ast *ast)
{
	return has_both(ast) ? 3 : 2;
}

static bool read_constraints(Elab *e, const Ast *ast, unsigned *out)
{
	*out = 0;
	for (uint32_t i = first_constraint(ast); i < ast->nkid; i++) {
		const char *name = elab_text(e, ast->kid[i]->name);
		unsigned flag = 0;
		const char *known[sizeof constraints / sizeof *constraints];
		for (size_t k = 0; k < sizeof constraints / sizeof *constraints; k++) {
			known[k] = constraints[k].name;
			flag = strcmp(name, known[k]) == 0 ? constraints[k].flag : flag;
		}
		if (!flag) {
			Diag *d = diag_bad_constraint(elab_diags(e), ast->kid[i]->span, name,
						      "there is no such constraint");
			const char *near = diag_nearest(name, known, sizeof known / sizeof *known);
			if (near) {
				diag_help(d, "did you mean  %s ?", near);
			}
			return false;
		}
		*out |= flag;
	}
	return true;
}

static bool constraint_fits(Elab *e, const Ast *ast, unsigned c, uint32_t rank, const Axis *axes,
			    bool unit)
{
	unsigned square = CONSTRAINT_SYMMETRIC | CONSTRAINT_ANTISYMMETRIC |
			  CONSTRAINT_ZERO_DIAGONAL | CONSTRAINT_CIRCULANT;
	const char *why = NULL;
	if ((c & square) && (rank != 2 || axes[0] != axes[1])) {
		why = "it needs a matrix over one axis twice";
	} else if ((c & CONSTRAINT_ORTHOGONAL) && rank != 2) {
		why = "it needs a matrix";
	} else if ((c & CONSTRAINT_SIMPLEX) && (rank == 0 || unit)) {
		why = "it needs an array of pure numbers";
	} else {
		unsigned kinds = (c & ~(unsigned)CONSTRAINT_ZERO_DIAGONAL);
		if (kinds & (kinds - 1)) {
			why = "it cannot be combined with the others";
		} else if ((c & CONSTRAINT_ZERO_DIAGONAL) &&
			   (kinds & ~(unsigned)(CONSTRAINT_SYMMETRIC | CONSTRAINT_ANTISYMMETRIC))) {
			why = "zero_diagonal goes with symmetric, antisymmetric or alone";
		}
	}
	if (why) {
		diag_bad_constraint(elab_diags(e), ast->span,
				    elab_text(e, ast->kid[first_constraint(ast)]->name), why);
	}
	return !why;
}

/* value[i…] in terms of the leaf's free entries; 0 if the leaf itself is the value. */
static Node constrained(Elab *e, unsigned c, Def leaf, const Index *ix, uint32_t rank)
{
	Core *k = e->core;
	Node at[2] = {0}, swapped[2] = {0};
	for (uint32_t i = 0; i < rank && i < 2; i++) {
		at[i] = core_index_value(k, ix[i]);
	}
	if (c & (CONSTRAINT_SYMMETRIC | CONSTRAINT_ANTISYMMETRIC | CONSTRAINT_ZERO_DIAGONAL)) {
		swapped[0] = at[1];
		swapped[1] = at[0];
		Node here = core_read(k, leaf, at), there = core_read(k, leaf, swapped);
		Node below = core_op2(k, OP_ilt, at[0], at[1]),
		     diagonal = core_op2(k, OP_ieq, at[0], at[1]);
		if (c & CONSTRAINT_ANTISYMMETRIC) {
			return core_select(k, below, here,
					   core_select(k, core_op2(k, OP_ilt, at[1], at[0]),
						       core_neg(k, there), core_real_const(k, 0)));
		}
		Node v = c & CONSTRAINT_SYMMETRIC
				 ? core_select(k, core_op2(k, OP_ile, at[0], at[1]), here, there)
				 : here;
		return c & CONSTRAINT_ZERO_DIAGONAL
			       ? core_guard(k, core_op1(k, OP_not, diagonal), v)
			       : v;
	}
	if (c & CONSTRAINT_POSITIVE) {
		return core_op1(k, OP_exp, core_read_plain(k, leaf, ix));
	}
	if (c & CONSTRAINT_SIMPLEX) { /* exp(F[k] - logsumexp F) */
		Index j = core_index(k, core_index_axis(k, ix[rank - 1]), 0);
		Node all = core_read_plain(k, leaf, ix), to = core_index_value(k, j);
		Node each = core_subst(k, all, 1, &ix[rank - 1], &to);
		Node lse = core_reduce(k, RED_LOGSUMEXP, 0, (Span){0}, 1, &j, each);
		return core_op1(k, OP_exp, core_sub(k, all, lse));
	}
	if (c & CONSTRAINT_CIRCULANT) {
		Node n = core_size(k, core_index_axis(k, ix[0]));
		Node first = core_int_const(k, core_axis_info(k, core_index_axis(k, ix[0]))->first);
		Node shift = core_op2(k, OP_imod, core_sub(k, at[1], at[0]), n);
		Node place = core_add(k, shift, first);
		return core_read(k, leaf, &place);
	}
	return 0;
}

Val param_value(Elab *e, Span at, const ParamInfo *p, Elem elem)
{
	return val_of_def(e, at, elem, p->unit, p->value, 0, 0, NULL, NULL);
}

static ParamInfo *find_param(Elab *e, Sym path)
{
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		if (e->program->param[i]->path == path) {
			return e->program->param[i];
		}
	}
	return NULL;
}

/* "u.dense1.W" of a chain of fields that begins with a name. */
static const char *dotted(Elab *e, const Ast *ast)
{
	if (ast->kind == AST_NAME) {
		return elab_text(e, ast->name);
	}
	const char *base = ast->kind == AST_FIELD && !ast->integer ? dotted(e, ast->kid[0]) : NULL;
	return base ? arena_printf(e->arena, "%s.%s", base, elab_text(e, ast->name)) : NULL;
}

const ParamInfo *param_of_net(Elab *e, Scope *s, const Ast *ast)
{
	const Ast *root = ast;
	while (root->kind == AST_FIELD) {
		root = root->kid[0];
	}
	const char *path = root->kind == AST_NAME ? dotted(e, ast) : NULL;
	if (!path || !scope_find(e, s, root->name)) {
		return NULL;
	}
	Val net = elab_callee(e, s, root);
	return net.tag == VAL_FN ? find_param(e, intern_str(e->names, path)) : NULL;
}

const char *param_names(Elab *e, const char *prefix)
{
	enum { SHOWN = 6 };
	const char *text = "";
	uint32_t n = 0;
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		const char *path = elab_text(e, e->program->param[i]->path);
		if (strncmp(path, prefix, strlen(prefix)) == 0 && n++ < SHOWN) {
			text = arena_printf(e->arena, "%s%s%s", text, n > 1 ? ", " : "", path);
		}
	}
	return n > SHOWN ? arena_printf(e->arena, "%s, …", text) : text;
}

/* What equations call it: the path without its net, u.dense1.W is dense1_W. */
static Sym short_name(Elab *e, Sym path)
{
	const char *text = elab_text(e, path), *dot = strchr(text, '.');
	char *name = arena_strdup(e->arena, dot ? dot + 1 : text);
	for (char *c = name; *c; c++) {
		*c = *c == '.' ? '_' : *c;
	}
	return SYM(e, name);
}

static ParamInfo *make_param(Elab *e, Span at, Sym path, UnitId unit, uint32_t rank,
			     const Axis *axes, unsigned c)
{
	ParamInfo *p = arena_new(e->arena, ParamInfo);
	Sym name = short_name(e, path);
	p->path = path;
	p->span = at;
	p->unit = unit;
	p->constraint = c;
	bool circulant = c & CONSTRAINT_CIRCULANT;
	Sym leaf_name = c & ~(unsigned)CONSTRAINT_ORTHOGONAL
				? intern_printf(e->names, "%s_free", elab_text(e, name))
				: name;
	p->leaf = core_leaf(e->core, DEF_PARAM, leaf_name, at, KIND_REAL,
			    c & CONSTRAINT_POSITIVE ? 0 : unit, circulant ? 1 : rank, axes);
	p->value = p->leaf;
	Index *ix = arena_array(e->arena, Index, rank + 1);
	static const char *const letter[] = {"i", "j", "k", "l", "m", "n"};
	for (uint32_t i = 0; i < rank; i++) {
		ix[i] = core_index(e->core, axes[i], SYM(e, letter[i % 6]));
	}
	Node body = constrained(e, c, p->leaf, ix, rank);
	if (body) {
		Piece piece = {NULL, body};
		DefInfo info = {.role = DEF_VALUE,
				.name = name,
				.span = at,
				.kind = KIND_REAL,
				.unit = unit,
				.nindex = rank,
				.index = ix,
				.npiece = 1,
				.piece = &piece,
				.flags = DEF_USER};
		p->value = core_define(e->core, info);
	} else {
		core_def_mutable(e->core, p->leaf)->flags |= DEF_USER;
	}
	return p;
}

static ParamInfo *register_param(Elab *e, ParamInfo *p)
{
	ARENA_PUSH(e->arena, e->program->param, e->program->nparam, e->capparam, p);
	return p;
}

/* ~ glorot and its relatives know the parameter's shape: fan_out is the first axis, fan_in the
 * others together. */
static Val initial_draw(Elab *e, Scope *in, const Ast *init, uint32_t rank, const Axis *axes,
			const Index *ix)
{
	Node one = core_int_const(e->core, 1), fan_in = one;
	for (uint32_t i = 1; i < rank; i++) {
		fan_in = core_mul(e->core, fan_in, core_size(e->core, axes[i]));
	}
	Val out = val_num(e, init->span, ELEM_INT, 0, rank ? core_size(e->core, axes[0]) : one);
	Val inn = val_num(e, init->span, ELEM_INT, 0, fan_in);
	scope_put(e, in, SYM(e, "fan_out"), init->span, out);
	scope_put(e, in, SYM(e, "fan_in"), init->span, inn);
	Val dist = elab_expr(e, in, init);
	if (dist.tag == VAL_FN && dist.fn->kind == FNV_BUILTIN) {
		dist = elab_builtin(e, in, dist.fn->builtin, init, NULL);
	}
	return elab_draw(e, in, &dist, init->span, rank, ix, false);
}

/* The array over the parameter's own indices: an array on the same axes, or a literal, whose places
 * count from 0. */
static bool onto_axes(Elab *e, Span at, Val *v, const Axis *axes, Index *ix)
{
	Node *to = arena_array(e->arena, Node, v->rank);
	for (uint32_t i = 0; i < v->rank; i++) {
		Axis own = core_index_axis(e->core, v->ix[i]);
		const AxisInfo *from = core_axis_info(e->core, own),
			       *wanted = core_axis_info(e->core, axes[i]);
		bool literal = (from->flags & AXIS_ANONYMOUS) && from->size == wanted->size;
		if (own != axes[i] && !literal) {
			diag_axis_mismatch(elab_diags(e), at, axis_name(e, val_axis(e, v, i)),
					   axis_name(e, (AxisRef){axes[i], 0}));
			return false;
		}
		int64_t off = own != axes[i] ? wanted->first - from->first : 0;
		to[i] = core_sub(e->core, core_index_value(e->core, ix[i]),
				 core_int_const(e->core, off));
	}
	Val r = val_subst(e, v, v->rank, v->ix, to);
	r.ix = ix;
	r.n = 0;
	*v = r;
	return true;
}

/* Draws of first values are addressed by the parameter's name, not by where it stands in the text.
 */
static int64_t stream_of(const char *path)
{
	uint64_t h = 1469598103934665603u;
	for (; *path; path++) {
		h = (h ^ (unsigned char)*path) * 1099511628211u;
	}
	return (int64_t)(h >> 2 | (uint64_t)1 << 61);
}

/* First values are computed before any parameter has one. */
static bool reads_parameter(Elab *e, Span at, Node first)
{
	for (uint32_t k = 0; k < e->program->nparam; k++) {
		const ParamInfo *other = e->program->param[k];
		if (other->leaf && core_depends(e->core, first, other->leaf)) {
			Diag *d = diag_not_constant(elab_diags(e), at,
						    "the first value of a parameter");
			diag_remark(d, "it reads the parameter %s", elab_text(e, other->path));
			diag_help(d, "put what both begin with into a const");
			return true;
		}
	}
	return false;
}

static bool initial(Elab *e, Scope *s, const Ast *ast, ParamInfo *p, const TypeInfo *t,
		    const Axis *axes)
{
	const Ast *init = ast->kid[1];
	if (!init) {
		return true;
	}
	if (ast->flags & AST_FROM) {
		const Ast *file = has_both(ast) ? ast->kid[2] : init;
		Val path = elab_expr(e, s, file);
		if (path.tag != VAL_STRING) {
			if (path.tag != VAL_ERROR) {
				diag_type_mismatch(elab_diags(e), file->span, val_type(e, &path),
						   "the path of an NPY file");
			}
			return false;
		}
		p->init_file = path.string;
		if (!has_both(ast)) {
			return true;
		}
	}
	/* first values do not depend on where the net is used: no index of the context is seen from
	 * here */
	Frame *alone = arena_new(e->arena, Frame);
	if (s->frame) {
		*alone = *s->frame;
	}
	alone->nctx = 0;
	Scope *in = scope_new(e, s, alone);
	Index *ix = arena_array(e->arena, Index, t->rank + 1);
	for (uint32_t i = 0; i < t->rank; i++) {
		ix[i] = core_index(e->core, axes[i], 0);
	}
	in->ctx = ix;
	in->nctx = t->rank;
	Val v;
	if (ast->flags & AST_DRAW) {
		if (init->kind == AST_NAME && strcmp(elab_text(e, init->name), "orthogonal") == 0) {
			p->init_orthogonal = true;
			if (t->rank != 2) {
				diag_bad_constraint(elab_diags(e), init->span, "orthogonal",
						    "it needs a matrix");
				return false;
			}
			return true;
		}
		v = initial_draw(e, in, init, t->rank, axes, ix);
	} else {
		/* logspace(a, b) and linspace(a, b) take the parameter's own axis */
		if (t->rank == 1) {
			Val axis = {.tag = VAL_AXIS, .axis = {axes[0], 0}, .span = init->span};
			scope_put(e, in, SYM(e, "own axis"), init->span, axis);
		}
		AxisRef *own = arena_array(e->arena, AxisRef, t->rank + 1);
		for (uint32_t i = 0; i < t->rank; i++) {
			own[i].axis = axes[i];
		}
		v = elab_expr_on(e, in, init, t->rank, own);
	}
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag != VAL_NUM || !val_real(e, &v) || !val_convert(e, &v, t->unit)) {
		if (v.tag != VAL_NUM) {
			diag_type_mismatch(elab_diags(e), init->span, val_type(e, &v),
					   "the first value of a parameter");
		}
		return false;
	}
	if (v.rank == t->rank && v.rank) {
		if (!onto_axes(e, init->span, &v, axes, ix)) {
			return false;
		}
	} else if (v.rank) {
		diag_rank_mismatch(elab_diags(e), init->span, "the first value", v.rank, t->rank);
		return false;
	}
	if (reads_parameter(e, init->span, v.re)) {
		return false;
	}
	v.rank = t->rank;
	v.ix = ix;
	p->init = val_to_def(e, intern_printf(e->names, "%s_first", elab_text(e, ast->name)), &v,
			     NULL);
	return true;
}

static Val throw_away(Elab *e, const Ast *ast, const TypeInfo *t, const Axis *axes)
{
	Def leaf = core_leaf(e->core, DEF_PARAM, ast->name, ast->span, KIND_REAL, t->unit, t->rank,
			     axes);
	return val_of_def(e, ast->span, ELEM_REAL, t->unit, leaf, 0, 0, NULL, NULL);
}

static bool same_shape(Elab *e, const ParamInfo *p, uint32_t rank, const Axis *axes)
{
	const DefInfo *d = core_def(e->core, p->value);
	if (d->nindex != rank) {
		return false;
	}
	for (uint32_t i = 0; i < rank; i++) {
		if (core_index_axis(e->core, core_def(e->core, p->value)->index[i]) != axes[i]) {
			return false;
		}
	}
	return true;
}

void elab_param(Elab *e, Scope *s, const Ast *ast)
{
	TypeInfo t = elab_type(e, s, ast->kid[0]);
	Val v = val_error(ast->span);
	unsigned c = 0;
	bool ok = t.ok && read_constraints(e, ast, &c);
	if (ok && (t.record || t.index_of.axis || (t.elem != ELEM_REAL))) {
		diag_type_mismatch(elab_diags(e), ast->kid[0]->span, "this type",
				   "real: parameters are real numbers");
		ok = false;
	}
	Axis *axes = arena_array(e->arena, Axis, t.rank + 1);
	for (uint32_t i = 0; ok && i < t.rank; i++) {
		axes[i] = t.axis[i].axis;
		const AxisInfo *info = core_axis_info(e->core, axes[i]);
		bool trial = s->frame && s->frame->trial;
		if (info->size < 0 && !trial) {
			Diag *d = diag_type_mismatch(elab_diags(e), ast->kid[0]->kid[i]->span,
						     "an axis without a size of its own",
						     "an axis of fixed size");
			diag_remark(d, "a parameter has the same shape for every record");
			ok = false;
		}
	}
	ok = ok && (!c || constraint_fits(e, ast, c, t.rank, axes, t.unit != 0));
	Frame *frame = s->frame;
	if (ok && frame && !frame->path && !frame->trial) {
		diag_help(diag_bad_statement_place(elab_diags(e), ast->span, "param",
						   "in an fn, which has no parameters"),
			  "write  net  or  layer  instead of  fn");
		ok = false;
	}
	if (ok && frame && frame->trial) {
		v = throw_away(e, ast, &t, axes);
	} else if (ok) {
		Sym path = frame ? intern_printf(e->names, "%s.%s", elab_text(e, frame->path),
						 elab_text(e, ast->name))
				 : ast->name;
		ParamInfo *p = find_param(e, path);
		if (p && frame && !same_shape(e, p, t.rank, axes)) {
			Diag *d = diag_axis_mismatch(elab_diags(e), ast->span,
						     "another axis than before",
						     "the one it was made with");
			diag_remark(d, "the parameter %s is shared by every use of %s",
				    elab_text(e, path), elab_text(e, frame->fn->name));
			ok = false;
		} else if (!p || !frame) {
			p = make_param(e, ast->span, path, t.unit, t.rank, axes, c);
			e->stream = stream_of(elab_text(e, path));
			ok = initial(e, s, ast, p, &t, axes);
			e->stream = 0;
			if (ok) {
				register_param(e, p);
			}
		}
		if (ok) {
			v = param_value(e, ast->span, p, ELEM_REAL);
		}
	}
	scope_add(e, s, ast->name, ast->name_span, v);
}

const ParamInfo *param_by_unit(Elab *e, Scope *s, const Ast *formal, uint32_t nunit,
			       const Index *unit)
{
	Axis axes[16];
	uint32_t rank = nunit < 16 ? nunit : 16;
	for (uint32_t i = 0; i < rank; i++) {
		axes[i] = core_index_axis(e->core, unit[i]);
	}
	Sym path = s->frame->path ? intern_printf(e->names, "%s.%s", elab_text(e, s->frame->path),
						  elab_text(e, formal->name))
				  : formal->name;
	ParamInfo *p = s->frame->path ? find_param(e, path) : NULL;
	if (p) {
		return p;
	}
	if (!s->frame->path && !s->frame->trial) {
		diag_help(diag_bad_statement_place(elab_diags(e), formal->span,
						   "a trained parameter of an activation",
						   "outside a net"),
			  "apply the activation inside a net, or give the parameter in the call");
		return NULL;
	}
	Val v = elab_expr(e, s->parent, formal->kid[1]);
	if (v.tag == VAL_ERROR || !val_real(e, &v)) {
		return NULL;
	}
	p = make_param(e, formal->span, path, v.unit, rank, axes, 0);
	Index *ix = arena_array(e->arena, Index, rank + 1);
	for (uint32_t i = 0; i < rank; i++) {
		ix[i] = core_index(e->core, axes[i], 0);
	}
	v.rank = rank;
	v.ix = ix;
	p->init = val_to_def(e, intern_printf(e->names, "%s_first", elab_text(e, formal->name)), &v,
			     NULL);
	return s->frame->trial ? p : register_param(e, p);
}
