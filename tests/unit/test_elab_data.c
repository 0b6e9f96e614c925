/* test_elab_data.c — elaboration of data, splits, domains, points and claims: what the run is told,
 * and what is refused. */
#include "compiler/deriv.h"
#include "compiler/engine.h"
#include "lang/elab.h"
#include "tests/unit/ref_eval.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;
static ParseCtx ctx;
static Program *program;

static const char *module(void *data, const char *name)
{
	(void)data;
	return stdlib_text(name);
}

static void set_up(void)
{
	arena = arena_create();
	ctx = (ParseCtx){
		.arena = arena, .names = intern_create(arena), .sources = sources_create(arena)};
	ctx.diags = diags_create(arena, ctx.sources, 20);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(elab_data, .init = set_up, .fini = tear_down);

static const char *messages(void)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	diags_render(ctx.diags, f, false, false);
	fclose(f);
	const char *copy = arena_strdup(arena, text);
	free(text);
	return copy;
}

static void elaborate(const char *text)
{
	uint32_t file = sources_add(ctx.sources, "t.pnn", text, strlen(text));
	Ast *ast = parse_file(&ctx, file);
	cr_assert_eq(diags_errors(ctx.diags), 0, "%s", messages());
	ElabOptions options = {.module = module};
	Elab *e = elab_create(&ctx, options);
	cr_assert_eq(diags_errors(ctx.diags), 0, "%s", messages());
	program = elab_file(e, ast);
}

static void accepted(const char *text)
{
	elaborate(text);
	cr_assert_eq(diags_errors(ctx.diags), 0, "%s", messages());
}

/* Exactly one error, with this code. */
static void refused(const char *code, const char *text)
{
	set_up();
	elaborate(text);
	const char *got = messages();
	cr_expect(diags_errors(ctx.diags) == 1 && strstr(got, code), "want %s for\n%s\ngot\n%s",
		  code, text, got);
}

static const char *name_of(Sym s)
{
	return intern_text(ctx.names, s);
}

static const DataInfo *set_named(const char *name)
{
	for (uint32_t i = 0; i < program->ndata; i++) {
		if (strcmp(name_of(program->data[i]->name), name) == 0) {
			return program->data[i];
		}
	}
	cr_assert(false, "no data set %s", name);
	return NULL;
}

static const Claim *claim(uint32_t i)
{
	for (uint32_t k = 0; k < program->nstmt; k++) {
		StmtKind kind = program->stmt[k]->kind;
		if ((kind == STMT_TEST || kind == STMT_ASSERT) && i-- == 0) {
			return &program->stmt[k]->u.claim;
		}
	}
	cr_assert(false, "no such claim");
	return NULL;
}

static uint32_t rank(Def d)
{
	return core_def(program->core, d)->nindex;
}

Test(elab_data, columns_and_simulation)
{
	accepted("data foil from \"\" else simulate(15) {\n"
		 "  f : real 'kHz' from \"frequency\" ~ uniform(0.2 'kHz', 8000 'Hz')\n"
		 "  a : real 'deg' from \"angle\" = 0.5\n"
		 "  y : real = a*f/1 'Hz'\n"
		 "  plain : int from \"n\" = 3\n"
		 "}\n");
	const DataInfo *d = set_named("foil");
	cr_assert_eq(d->nfield, 4);
	cr_expect(d->kind == DATA_TABLE && d->has_simulate && d->simulate == 15);
	cr_expect_eq(core_axis_info(program->core, d->records)->size, -1);
	cr_expect(core_axis_info(program->core, d->records)->flags & AXIS_SAMPLES);
	cr_expect_eq(d->field[0].source, SOURCE_COLUMN);
	cr_expect_str_eq(name_of(d->field[0].column), "frequency");
	cr_expect_str_eq(unit_text(program->units, d->field[0].unit), "kHz");
	cr_expect_eq(d->field[2].source, SOURCE_DERIVED);
	cr_expect_eq(d->field[3].kind, KIND_INT);
	for (uint32_t k = 0; k < 4; k++) {
		cr_assert(d->field[k].formula);
		cr_expect_eq(rank(d->field[k].formula), 1);
		cr_expect_eq(core_def(program->core, d->field[k].formula)->kind, d->field[k].kind);
	}
	/* 0.5 rad are stored in degrees. */
	const Piece *p = core_def(program->core, d->field[1].formula)->piece;
	double value;
	cr_assert(core_is_const(program->core, p->value, &value));
	cr_expect_float_eq(value, 28.64788975654116, 1e-14);
}

Test(elab_data, texts)
{
	accepted("axis base = A | C | G | T\n"
		 "axis pos = 1..60\n"
		 "data splice from \"s.csv\" {\n"
		 "  x : real[pos, base] from onehot(\"sequence\")\n"
		 "  y : real from \"class\" == \"EI\"\n"
		 "  z : bool from \"class\" == \"IE\"\n"
		 "  b : base\n"
		 "}\n"
		 "split splice by \"sequence\" into train 80%, held 20% with seed = 7\n");
	const DataInfo *d = set_named("splice");
	cr_expect_eq(d->field[0].source, SOURCE_ONEHOT);
	cr_expect_str_eq(name_of(core_axis_info(program->core, d->field[0].onehot)->name), "base");
	cr_expect_eq(d->field[1].source, SOURCE_EQUALS);
	cr_expect_str_eq(name_of(d->field[1].literal), "EI");
	cr_expect_eq(d->field[2].kind, KIND_BOOL);
	cr_expect_eq(d->field[3].of, d->field[0].onehot);
	cr_expect_str_eq(name_of(d->field[3].column), "b");
	cr_assert_eq(program->nsplit, 1);
	const SplitInfo *s = program->split[0];
	cr_expect(s->parent == d && s->npart == 2 && s->seed == 7);
	cr_expect(s->amount[0] == 0.8 && s->amount[1] == 0.2);
	cr_expect_str_eq(name_of(s->by), "sequence");
	cr_expect_eq(s->part[1], set_named("held"));
	cr_expect(s->part[0]->field[0].leaf != d->field[0].leaf && s->part[0]->parent == d);
}

Test(elab_data, axes_sized_by_record)
{
	accepted("axis atom\naxis xyz = x | y | z\n"
		 "data water from \"w.xyz\" {\n"
		 "  R : real[atom, xyz] 'Å' from \"positions\"\n"
		 "  Z : int[xyz] shared from \"dir\" + \"/z.npy\"\n"
		 "  r : real 'Å' = sum[i, a] R[i,a]\n"
		 "}\n"
		 "split water into a 3, b 100%\n"
		 "loss l = mean[s in a] (sum[i,k] s.R[i,k]/1 'Å')^2\n");
	const DataInfo *d = set_named("water"), *part = set_named("a");
	cr_assert_eq(d->nragged, 1);
	cr_assert_eq(part->nragged, 1);
	cr_expect_neq(d->ragged[0], part->ragged[0]);
	const AxisInfo *atom = core_axis_info(program->core, d->ragged[0]);
	cr_expect(atom->size == -1 && atom->length);
	cr_expect(d->field[1].shared);
	cr_expect_eq(rank(d->field[1].leaf), 1);
	cr_expect_eq(rank(d->field[0].leaf), 3);
	cr_expect_str_eq(name_of(d->field[1].column), "dir/z.npy");
	cr_expect(program->split[0]->amount[0] == 3);
	cr_expect(program->split[0]->amount[1] < 1 && program->split[0]->amount[1] > 1 - 1e-15);
}

Test(elab_data, made_by_the_program)
{
	accepted("axis t = 1..20\n"
		 "data chain = [i in t -> 1.5 'm'*i]\n"
		 "data pair = (x = [i in t -> i], y = [i in t, k in 0..2 -> 1.0*i*k])\n"
		 "data sim = simulate(8) { s : spin ~ randspin()\n  q : real[t] ~ normal(0, 1)\n"
		 "  r : real[t, t] = [i, j -> if i == j then 1 else 0] }\n");
	const DataInfo *c = set_named("chain"), *p = set_named("pair"), *s = set_named("sim");
	cr_expect(c->kind == DATA_EXPR && c->simulate == 20 && c->nfield == 1);
	cr_expect_str_eq(name_of(c->field[0].name), "value");
	cr_expect_str_eq(unit_text(program->units, c->field[0].unit), "m");
	cr_expect(p->nfield == 2 && p->field[0].kind == KIND_INT);
	cr_expect_eq(rank(p->field[1].leaf), 2);
	cr_expect(s->field[0].spin && s->field[0].formula && s->has_simulate);
	cr_expect_eq(rank(s->field[1].formula), 2);
}

Test(elab_data, points)
{
	accepted("domain D {\n  x in [-1 'm', 1 'm']\n  t in [0, 2]\n}\n"
		 "points A = sobol(D, n = 1000, redraw = 500, x = normal(0 'm', 10 'cm'))\n"
		 "points B = sobol(D, n = 50, x = -100 'cm', t = [0.5, 1])\n"
		 "points G = grid(D, x = 5, t = 3)\n"
		 "points L = list(D, (0 'm', 1), (1 'm', 2))\n"
		 "points E = boundary(D, x, n = 7)\n"
		 "points U = union(A, B, latin(D, n = 10), union(G, L))\n");
	const PointsGen *a = set_named("A")->points, *b = set_named("B")->points,
			*u = set_named("U")->points;
	cr_expect(a->kind == POINTS_SOBOL && a->n == 1000 && a->redraw == 500 && a->ncoord == 2);
	cr_expect(a->coord[0].kind == COORD_NORMAL && a->coord[0].a == 0 && a->coord[0].b == 0.1);
	cr_expect(a->coord[1].kind == COORD_UNIFORM && a->coord[1].a == 0 && a->coord[1].b == 2);
	cr_expect(b->coord[0].kind == COORD_FIXED && b->coord[0].a == -1);
	cr_expect(b->coord[1].kind == COORD_UNIFORM && b->coord[1].a == 0.5 && b->coord[1].b == 1);
	const PointsGen *g = set_named("G")->points;
	cr_expect(g->kind == POINTS_GRID && g->n == 15 && g->per_axis[0] == 5 &&
		  g->per_axis[1] == 3);
	const PointsGen *e = set_named("E")->points;
	cr_expect(e->n == 7 && e->nkid == 2 && e->kid[0]->n == 4 && e->kid[1]->n == 3);
	cr_expect(e->kid[0]->coord[0].a == -1 && e->kid[1]->coord[0].a == 1);
	cr_expect(u->kind == POINTS_UNION && u->nkid == 4 && u->n == 1000 + 50 + 10 + 17);
	cr_expect(u->kid[0] == a && u->redraw == 500);
	cr_expect_eq(core_axis_info(program->core, set_named("U")->records)->size, u->n);
	cr_expect_str_eq(unit_text(program->units, set_named("U")->field[0].unit), "m");
}

Test(elab_data, free_variables_of_tests)
{
	accepted("axis h = 4\n"
		 "domain D { x in [-1, 1] }\n"
		 "data obs from \"o.csv\" { q : real[h] 's'\n  w : spin[h] }\n"
		 "param W : real[h, h] = 1\n"
		 "fn u(x) = sin(x)\n"
		 "test u(x) == sin(x) within 1e-12 for 1000\n"
		 "test W[i,j] == W[i,j]\n"
		 "test q[i] < 1 's' + q[i]\n"
		 "test sum[k] w[k]^2 == 4 for 5\n"
		 "test u(y) == sin(y) for y in [2, 3], n in 1..9, s in obs\n"
		 "test q[i] == q[i] within 1 'ms' for 3\n"
		 "assert W[0,0] > 0\n");
	const Claim *c = claim(0);
	cr_expect(c->nvar == 1 && c->var[0].kind == SAMPLE_UNIFORM && c->var[0].lo == -1 &&
		  c->var[0].hi == 1);
	cr_expect(c->within == 1e-12 && c->within_absolute && c->trials == 1000);
	cr_expect_str_eq(c->left_text, "u(x)");
	c = claim(1);
	cr_expect(c->nvar == 0 && c->trials == 1 && !c->within_absolute && c->within == 1e-9);
	cr_expect_eq(rank(c->left), 2);
	c = claim(2);
	cr_expect(c->nvar == 1 && c->var[0].kind == SAMPLE_RECORD && c->condition &&
		  rank(c->condition) == 1);
	cr_expect_str_eq(unit_text(program->units, c->unit), "s");
	c = claim(3);
	cr_expect(c->nvar == 1 && rank(c->left) == 0 && c->trials == 5);
	c = claim(4);
	cr_expect(c->nvar == 3 && c->var[1].kind == SAMPLE_INTEGER && c->var[1].hi == 9);
	cr_expect(c->var[0].lo == 2 && c->var[2].data == set_named("obs"));
	c = claim(5);
	cr_expect(c->within_absolute && fabs(c->within - 1e-3) < 1e-18);
	c = claim(6);
	cr_expect(c->condition && c->nvar == 0 && strcmp(name_of(c->compare), ">") == 0);
}

Test(elab_data, symmetries)
{
	accepted("axis atom\naxis xyz = x | y | z\n"
		 "fn energy(R: real[atom, xyz] 'Å') = sum[i, j] exp(-(sum[a] (R[i,a] - "
		 "R[j,a])^2)/1 'Å^2')\n"
		 "fn force(R: real[atom, xyz] 'Å') = -grad(energy(R), R)\n"
		 "fn plane(p: real, q: real) = p^2*q^2\n"
		 "fn ising(s: spin[xyz]) = s[x]*s[y] + s[y]*s[z]\n"
		 "test energy invariant under O(3) on R, translation on R, permutation on atom for "
		 "20\n"
		 "test force equivariant under SO(3) on R, permutation on atom\n"
		 "test plane invariant under C4 on (p, q)\n"
		 "test ising invariant under flip on s\n");
	const Claim *c = claim(0);
	cr_assert_eq(c->nvar, 4);
	cr_expect(c->var[0].kind == SAMPLE_UNIFORM && isinf(c->var[0].lo));
	cr_expect(c->var[1].kind == SAMPLE_ORTHOGONAL && c->var[2].kind == SAMPLE_VECTOR);
	cr_expect_str_eq(unit_text(program->units, c->var[2].unit), "Å");
	cr_expect(c->var[3].kind == SAMPLE_PERMUTATION && !c->var[3].data);
	cr_expect(c->nsized == 1 && c->trials == 20);
	c = claim(1);
	cr_expect(c->nvar == 3 && c->var[1].kind == SAMPLE_ROTATION && rank(c->left) == 2);
	c = claim(2);
	cr_expect(c->nvar == 3 && c->var[2].kind == SAMPLE_INTEGER && c->var[2].hi == 3);
	c = claim(3);
	cr_expect(c->nvar == 2 && c->var[0].kind == SAMPLE_SPIN && c->var[1].kind == SAMPLE_SPIN);
}

/* Fills the variables of a claim with one point: a proper or improper rotation by fixed angles, a
 * cyclic permutation. */
static void sample(Ref *r, const Claim *c)
{
	static const double q[9] = {0.36, 0.48, -0.8, -0.8, 0.6, 0, 0.48, 0.64, 0.6};
	for (uint32_t k = 0; k < c->nvar; k++) {
		size_t n = ref_size(r, c->var[k].leaf);
		double *v = arena_array(arena, double, n);
		for (size_t i = 0; i < n; i++) {
			bool turn = c->var[k].kind == SAMPLE_ROTATION ||
				    c->var[k].kind == SAMPLE_ORTHOGONAL;
			v[i] = turn                                   ? q[i % 9]
			       : c->var[k].kind == SAMPLE_PERMUTATION ? (double)((i + 1) % n)
			       : c->var[k].kind == SAMPLE_INTEGER     ? 1
			       : c->var[k].kind == SAMPLE_SPIN        ? (i % 2 ? 1 : -1)
							       : sin(3.7 * (double)i + 11 * k + 1);
		}
		ref_set(r, c->var[k].leaf, v);
	}
}

/* Worst |left - right| of the claim at that point, in units of its tolerance. */
static double miss(const Claim *c)
{
	Core *core = program->core;
	for (uint32_t k = 0; k < c->nsized; k++) {
		core_axis_resize(core, c->sized[k], 3);
	}
	Def side[3] = {c->left, c->right, c->scale};
	Arena *scratch = arena_create();
	for (int k = 0; k < 3; k++) {
		const DefInfo *d = core_def(core, side[k]);
		uint32_t n = d->nindex;
		Index *ix = arena_copy(arena, d->index, n * sizeof *ix, alignof(Index));
		Node value = core_read_plain(core, side[k], ix);
		cr_assert(deriv_resolve(core, scratch, ctx.diags, 1, &value), "%s", messages());
		side[k] = core_share(core, 0, (Span){0}, n, ix, value, 0);
	}
	Ref *r = ref_create(core);
	sample(r, c);
	size_t n = ref_size(r, side[0]);
	double *value[3], worst = 0;
	for (int k = 0; k < 3; k++) {
		value[k] = arena_array(arena, double, n);
		ref_array(r, side[k], value[k]);
		cr_assert_null(ref_error(r), "%s", ref_error(r));
	}
	for (size_t i = 0; i < n; i++) {
		double error = fabs(value[0][i] - value[1][i]) /
			       (c->within * (c->within_absolute ? 1 : value[2][i]));
		cr_assert(value[2][i] >= fabs(value[0][i]) * (1 - 1e-12), "size of the terms");
		worst = error > worst ? error : worst;
	}
	ref_free(r);
	arena_free(scratch);
	return worst;
}

Test(elab_data, symmetries_hold_or_not)
{
	accepted("axis atom\naxis xyz = x | y | z\naxis k = 2\n"
		 "fn energy(R: real[atom, xyz] 'Å') = sum[i, j] exp(-(sum[a] (R[i,a] - "
		 "R[j,a])^2)/1 'Å^2')\n"
		 "fn force(R: real[atom, xyz] 'Å') = -grad(energy(R), R)\n"
		 "fn center(R: real[atom, xyz] 'Å') = [a in xyz -> mean[i] R[i,a]]\n"
		 "fn outer(R: real[atom, xyz]) = [i, a, b -> R[i,a]*R[i,b]]\n"
		 "fn tilted(R: real[atom, xyz]) = sum[i] R[i,x]\n"
		 "fn first(R: real[atom, xyz]) = sum[a] R[0,a]^2\n"
		 "fn site(R: real[atom, xyz], i: atom) = sum[a] R[i,a]^2\n"
		 "fn plane(p: real, q: real) = p^4 + q^4\n"
		 "fn slanted(p: real, q: real) = p + 2*q\n"
		 "fn ising(s: spin[xyz]) = s[x]*s[y] + s[y]*s[z]\n"
		 "fn magnet(s: spin[xyz]) = sum[i] s[i]\n"
		 "test energy invariant under O(3) on R, translation on R, permutation on atom\n"
		 "test force equivariant under O(3) on R, permutation on atom\n"
		 "test center equivariant under SO(3) on R, translation on R\n"
		 "test center invariant under permutation on atom\n"
		 "test outer equivariant under O(3) on R, permutation on atom\n"
		 "test site equivariant under permutation on atom\n"
		 "test plane invariant under C4 on (p, q)\n"
		 "test ising invariant under flip on s\n"
		 "test magnet equivariant under flip on s\n"
		 "test tilted invariant under O(3) on R\n"
		 "test first invariant under permutation on atom\n"
		 "test outer invariant under permutation on atom\n"
		 "test slanted invariant under C4 on (p, q)\n"
		 "test slanted invariant under translation on (p, q)\n"
		 "test magnet invariant under flip on s\n");
	for (uint32_t i = 0; i < 9; i++) {
		cr_expect(miss(claim(i)) < 1, "%s: %g", claim(i)->text, miss(claim(i)));
	}
	for (uint32_t i = 9; i < 15; i++) {
		cr_expect(miss(claim(i)) > 1e6, "%s: %g", claim(i)->text, miss(claim(i)));
	}
}

/* What cancels is compared with what is cancelled: Newton's third law is not held to zero itself.
 */
Test(elab_data, sums_that_cancel)
{
	accepted("axis atom = 5\naxis xyz = x | y | z\n"
		 "data frames from \"f.xyz\" { R : real[atom, xyz] 'Å' }\n"
		 "fn energy(R: real[atom, xyz] 'Å') = sum[i, j] exp(-(sum[a] (R[i,a] - "
		 "R[j,a])^2)/1 'Å^2')\n"
		 "fn force(R: real[atom, xyz] 'Å') = -grad(energy(R), R)\n"
		 "test sum[i] force(R)[i,a] == 0\n"
		 "test sum[i] R[i,a] - sum[i] R[4-i,a] == 0\n");
	cr_expect_eq(rank(claim(0)->left), 1);
	for (uint32_t k = 0; k < 2; k++) {
		const Claim *c = claim(k);
		core_axis_resize(program->core, set_named("frames")->records, 2);
		Ref *r = ref_create(program->core);
		double values[30], zero = 0;
		for (int i = 0; i < 30; i++) {
			values[i] = sin(7.3 * i);
		}
		ref_set(r, set_named("frames")->field[0].leaf, values);
		ref_set(r, c->var[0].leaf, &zero);
		const DefInfo *d = core_def(program->core, c->scale);
		Index *ix = arena_copy(arena, d->index, d->nindex * sizeof *ix, alignof(Index));
		Node size = core_read_plain(program->core, c->scale, ix);
		cr_assert(deriv_resolve(program->core, arena, ctx.diags, 1, &size));
		Node at = core_int_const(program->core, 0);
		double value = ref_node(r, core_subst(program->core, size, 1, ix, &at));
		cr_expect(value > 0.1, "claim %u: size %g", k, value);
		ref_free(r);
	}
}

Test(elab_data, refused_data)
{
	refused("E0209", "data d { x : real }\n");
	refused("E0209", "data d from \"a.csv\" { }\n");
	refused("E0202", "data d from \"a.csv\" { x : real\n  x : real }\n");
	refused("E0208", "data d from 3 { x : real }\n");
	refused("E0208", "data d from \"a\" { x : complex }\n");
	refused("E0213", "data d from \"a\" { x : real 'metre' }\n");
	refused("E0214", "data d from \"a\" else simulate(0) { x : real }\n");
	refused("E0209", "data d from \"a\" { x : real from onehot(\"s\") }\n");
	refused("E0207", "data d from \"a\" { x : real 'm' = 1 's' }\n");
	refused("E0212", "axis h = 2\ndata d from \"a\" { x : real[h] = 1.0 }\n");
	refused("E0217", "data d from \"a\" { xa : real }\nloss l = mean[s in d] s.xb\n");
	refused("E0201", "data d from \"a\" { x : real = yy }\n");
	refused("E0209", "data d from \"a\" { x : real\n  y : real shared = x }\n");
	refused("E0208", "axis h = 2\nsplit h into a 50%, b 50%\n");
	refused("E0209", "data d from \"a\" { x : real }\nsplit d into a 50%, b 60%\n");
	refused("E0209", "data d from \"a\" { x : real }\nsplit d into a 0, b 60%\n");
	refused("E0202", "data d from \"a\" { x : real }\nsplit d into d 50%, b 50%\n");
}

Test(elab_data, refused_points)
{
	refused("E0209", "domain D { x in [1, -1] }\n");
	refused("E0202", "domain D { x in [0, 1]\n  x in [0, 1] }\n");
	refused("E0208", "domain D { x in 3 }\n");
	refused("E0209", "domain D { x in [0, 1] }\npoints I = sobol(D)\n");
	refused("E0209", "domain D { x in [0, 1] }\npoints I = sobol(D, n = 3, y = 1)\n");
	refused("E0201", "domain D { x in [0, 1] }\npoints I = sobel(D, n = 3)\n");
	refused("E0208", "points I = sobol(3, n = 3)\n");
	refused("E0207",
		"domain D { x in [0 'm', 1 'm'] }\npoints I = sobol(D, n = 3, x = 1 's')\n");
	refused("E0214", "domain D { x in [0, 1] }\npoints I = sobol(D, n = 0)\n");
	refused("E0209", "domain D { x in [0, 1] }\ndomain E { y in [0, 1] }\n"
			 "points I = union(sobol(D, n = 3), sobol(E, n = 3))\n");
	refused("E0224", "domain D { x in [0, 1] }\npoints I = grid(D, x = 99999999999)\n");
	refused("E0209", "domain D { x in [0, 1] }\npoints I = list(D, (0, 1))\n");
}

Test(elab_data, refused_claims)
{
	refused("E0201", "test sin(zz) == 0\n");
	refused("E0208", "test 1 + 2\n");
	refused("E0207", "const a = 1 'm'\ntest a == 1 's'\n");
	refused("E0207", "const a = 1 'm'\ntest a == a within 1 's'\n");
	refused("E0214", "test 1 == 1 for 0\n");
	refused("E0218", "test 1 < 2 within 0.1\n");
	refused("E0218", "fn f(x: real) = x\nassert f invariant under flip on x\n");
	refused("E0219",
		"domain D { x in [0, 1] }\ndomain E { x in [0, 2] }\ntest sin(x) == sin(x)\n");
	refused("E0201", "fn f(x: real) = x^2\ntest f invariant under rotaton on x\n");
	refused("E0201", "fn f(x: real) = x^2\ntest f invariant under flip on y\n");
	refused("E0208", "fn f(x: real) = x^2\ntest f invariant under O(3) on x\n");
	refused("E0209", "fn f(x: real) = x^2\ntest f invariant under flip\n");
	refused("E0208", "axis a = 3\nfn f(x: real[a]) = sum[i] x[i]^2\ntest f equivariant under "
			 "O(3) on x\n");
	refused("E0209", "axis a = 3\nfn f(x: real[a]) = sum[i] x[i]^2\ntest f invariant under "
			 "permutation on b\n");
}
