/* unit.c — units as products of atoms with rational exponents: interning, algebra, unification over
 * ℚ, text. Keeps: terms of a record are sorted by atom, each atom once, no exponent zero; equal
 * (terms, spelling) is one UnitId. */
#include "lang/unit.h"

#include "lang/unicode.h"
#include "lang/unit_int.h"
#include <assert.h>
#include <string.h>

typedef struct Unit {
	uint32_t nterm;
	UnitTerm *term;
	Sym spelling; /* as the user wrote it; 0: the canonical product */
	bool variables;
	Ratio dimension[UNIT_DIMENSIONS]; /* of the named atoms */
	const char *text;
} Unit;

struct UnitTable {
	Arena *arena;
	Intern *names;
	Unit *unit;
	size_t n, cap;
	UnitId *slot;
	size_t slots;
	UnitId *bound; /* by variable: what it stands for, or itself while it is free */
	size_t nvar, capvar;
	UnitValue *value;
	uint32_t rows; /* the row number `rows` marks an exponent beyond the limits */
};

/* ---- fractions ---- */

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = a % b;
		a = b;
		b = r;
	}
	return a < 0 ? -a : a;
}

static bool ratio_make(int64_t num, int64_t den, Ratio *out)
{
	int64_t g = gcd(num, den);
	num /= g;
	den /= g;
	if (den < 0) {
		num = -num;
		den = -den;
	}
	if (num > UNIT_EXPONENT_MAX || num < -UNIT_EXPONENT_MAX || den > UNIT_DENOMINATOR_MAX) {
		return false;
	}
	*out = (Ratio){(int32_t)num, (int32_t)den};
	return true;
}

bool ratio_add(Ratio a, Ratio b, Ratio *sum)
{
	return ratio_make((int64_t)a.num * b.den + (int64_t)b.num * a.den, (int64_t)a.den * b.den,
			  sum);
}

bool ratio_mul(Ratio a, Ratio b, Ratio *product)
{
	return ratio_make((int64_t)a.num * b.num, (int64_t)a.den * b.den, product);
}

/* ---- records ---- */

static uint64_t hash_terms(uint32_t n, const UnitTerm *term, Sym spelling)
{
	uint64_t h = 1469598103934665603u ^ spelling;
	for (uint32_t i = 0; i < n; i++) {
		h = (h ^ term[i].atom) * 1099511628211u;
		h = (h ^ (uint32_t)term[i].e.num) * 1099511628211u;
		h = (h ^ (uint32_t)term[i].e.den) * 1099511628211u;
	}
	return h ^ h >> 29;
}

static bool same_terms(const Unit *u, uint32_t n, const UnitTerm *term, Sym spelling)
{
	bool same = u->nterm == n && u->spelling == spelling;
	for (uint32_t i = 0; same && i < n; i++) {
		same = u->term[i].atom == term[i].atom && u->term[i].e.num == term[i].e.num &&
		       u->term[i].e.den == term[i].e.den;
	}
	return same;
}

static size_t find_slot(const UnitTable *t, uint32_t n, const UnitTerm *term, Sym spelling)
{
	size_t at = hash_terms(n, term, spelling) & (t->slots - 1);
	while (t->slot[at] && !same_terms(&t->unit[t->slot[at]], n, term, spelling)) {
		at = (at + 1) & (t->slots - 1);
	}
	return at;
}

static void table_grow(UnitTable *t)
{
	t->slots *= 2;
	t->slot = arena_array(t->arena, UnitId, t->slots);
	for (UnitId i = 1; i < t->n; i++) {
		const Unit *u = &t->unit[i];
		t->slot[find_slot(t, u->nterm, u->term, u->spelling)] = i;
	}
}

/* Dimension of the terms; false when an exponent is beyond the limits. */
static bool find_dimension(UnitTable *t, Unit *u)
{
	for (unsigned k = 0; k < UNIT_DIMENSIONS; k++) {
		u->dimension[k] = (Ratio){0, 1};
	}
	for (uint32_t i = 0; i < u->nterm; i++) {
		if (u->term[i].atom & UNIT_VARIABLE) {
			u->variables = true;
			continue;
		}
		const UnitValue *v =
			unit_row_value(t->arena, t->value, u->term[i].atom >> UNIT_PREFIX_BITS);
		for (unsigned k = 0; k < UNIT_DIMENSIONS; k++) {
			Ratio part;
			if (!ratio_mul(v->dimension[k], u->term[i].e, &part) ||
			    !ratio_add(u->dimension[k], part, &u->dimension[k])) {
				return false;
			}
		}
	}
	return true;
}

/* The record of sorted terms. */
static UnitId intern_terms(UnitTable *t, uint32_t n, const UnitTerm *term, Sym spelling)
{
	if (n == 0) {
		return 0;
	}
	size_t at = find_slot(t, n, term, spelling);
	if (t->slot[at]) {
		return t->slot[at];
	}
	Unit u = {.nterm = n, .spelling = spelling};
	u.term = arena_copy(t->arena, term, n * sizeof *term, alignof(UnitTerm));
	if (!find_dimension(t, &u)) {
		UnitTerm beyond = {unit_atom(t->rows, 0), {1, 1}};
		return intern_terms(t, 1, &beyond, 0);
	}
	t->slot[at] = (UnitId)t->n;
	ARENA_PUSH(t->arena, t->unit, t->n, t->cap, u);
	if (t->n * 2 > t->slots) {
		table_grow(t);
	}
	return (UnitId)(t->n - 1);
}

UnitTable *unit_table(Arena *a, Intern *names)
{
	UnitTable *t = arena_new(a, UnitTable);
	t->arena = a;
	t->names = names;
	t->slots = 64;
	t->slot = arena_array(a, UnitId, t->slots);
	while (unit_row(t->rows)) {
		t->rows++;
	}
	t->value = arena_array(a, UnitValue, t->rows + 1);
	UnitValue *beyond = &t->value[t->rows];
	*beyond = (UnitValue){.known = true, .scale = {1, 1, 0, 0}};
	for (unsigned k = 0; k < UNIT_DIMENSIONS; k++) {
		beyond->dimension[k] = (Ratio){k == UNIT_BASES, 1};
	}
	Unit one = {.text = ""};
	for (unsigned k = 0; k < UNIT_DIMENSIONS; k++) {
		one.dimension[k] = (Ratio){0, 1};
	}
	ARENA_PUSH(a, t->unit, t->n, t->cap, one);
	return t;
}

/* a * b^e by merging sorted terms. */
static UnitId combine(UnitTable *t, UnitId a, UnitId b, Ratio e)
{
	assert(a < t->n && b < t->n);
	if (b == 0 || e.num == 0) {
		return a;
	}
	if (a == 0 && e.num == 1 && e.den == 1) {
		return b;
	}
	const Unit *x = &t->unit[a], *y = &t->unit[b];
	ArenaMark mark = arena_mark(t->arena);
	UnitTerm *term = arena_array(t->arena, UnitTerm, x->nterm + y->nterm);
	uint32_t n = 0, i = 0, k = 0;
	bool ok = true;
	while (i < x->nterm || k < y->nterm) {
		bool left = k == y->nterm || (i < x->nterm && x->term[i].atom <= y->term[k].atom);
		bool right = i == x->nterm || (k < y->nterm && y->term[k].atom <= x->term[i].atom);
		UnitTerm out = left ? x->term[i++] : (UnitTerm){y->term[k].atom, {0, 1}};
		if (right) {
			Ratio part;
			ok &= ratio_mul(y->term[k++].e, e, &part) && ratio_add(out.e, part, &out.e);
		}
		if (out.e.num) {
			term[n++] = out;
		}
	}
	UnitTerm beyond = {unit_atom(t->rows, 0), {1, 1}};
	UnitTerm *kept = arena_copy(t->arena, ok ? term : &beyond, (ok ? n : 1) * sizeof *term,
				    alignof(UnitTerm));
	n = ok ? n : 1;
	size_t before = t->n;
	UnitId u = intern_terms(t, n, kept, 0);
	if (t->n == before) {
		arena_release(t->arena, mark);
	}
	return u;
}

UnitId unit_mul(UnitTable *t, UnitId a, UnitId b)
{
	return combine(t, a, b, (Ratio){1, 1});
}

UnitId unit_div(UnitTable *t, UnitId a, UnitId b)
{
	return combine(t, a, b, (Ratio){-1, 1});
}

UnitId unit_pow(UnitTable *t, UnitId a, int p, int q)
{
	assert(q != 0);
	Ratio e;
	if (a == 0 || p == 0) {
		return 0;
	}
	if (!ratio_make(p, q, &e)) {
		UnitTerm beyond = {unit_atom(t->rows, 0), {1, 1}};
		return intern_terms(t, 1, &beyond, 0);
	}
	return combine(t, 0, a, e);
}

/* ---- parsing ---- */

static bool spelled_canonically(UnitTable *t, UnitId u, const char *text)
{
	return strcmp(unit_text(t, u), text) == 0;
}

UnitId unit_parse(UnitTable *t, const char *text, const char **why)
{
	const char *ignored;
	why = why ? why : &ignored;
	*why = NULL;
	size_t length = strlen(text);
	if (length == 0) {
		return 0;
	}
	if (length > 1000) {
		*why = "it is longer than 1000 bytes";
		return 0;
	}
	const char *nfc = text;
	if (unicode_valid(text, length) == length) {
		nfc = unicode_nfc(t->arena, text, length, &length);
		nfc = arena_printf(t->arena, "%.*s", (int)length, nfc);
	}
	UnitTerm *term;
	uint32_t n;
	if (!unit_parse_terms(t->arena, nfc, &term, &n, why)) {
		return 0;
	}
	UnitId u = 0;
	for (uint32_t i = 0; i < n; i++) {
		UnitTerm one = {term[i].atom, {1, 1}};
		u = combine(t, u, intern_terms(t, 1, &one, 0), term[i].e);
	}
	const Unit *canonical = &t->unit[u];
	if (u == 0) {
		return 0;
	}
	if (canonical->dimension[UNIT_BASES].num) {
		*why = "a power is too large";
		return 0;
	}
	return spelled_canonically(t, u, nfc) ? u
					      : intern_terms(t, t->unit[u].nterm, t->unit[u].term,
							     intern_str(t->names, nfc));
}

/* ---- variables ---- */

UnitId unit_fresh(UnitTable *t)
{
	UnitTerm v = {UNIT_VARIABLE | (uint32_t)t->nvar, {1, 1}};
	UnitId u = intern_terms(t, 1, &v, 0);
	ARENA_PUSH(t->arena, t->bound, t->nvar, t->capvar, u);
	return u;
}

static bool lone_variable(const Unit *u)
{
	return u->nterm == 1 && (u->term[0].atom & UNIT_VARIABLE) && u->term[0].e.num == 1 &&
	       u->term[0].e.den == 1;
}

UnitId unit_resolve(UnitTable *t, UnitId u)
{
	for (;;) {
		const Unit *x = &t->unit[u];
		uint32_t i = x->nterm;
		UnitId stands = 0;
		if (!x->variables) {
			return u;
		}
		for (; i > 0 && (x->term[i - 1].atom & UNIT_VARIABLE); i--) {
			uint32_t v = x->term[i - 1].atom & ~UNIT_VARIABLE;
			const Unit *b = &t->unit[t->bound[v]];
			if (!lone_variable(b) || b->term[0].atom != x->term[i - 1].atom) {
				stands = t->bound[v];
				break;
			}
		}
		if (i == 0 || !(x->term[i - 1].atom & UNIT_VARIABLE)) {
			return u;
		}
		UnitTerm variable = x->term[i - 1];
		if (lone_variable(x)) {
			u = stands;
			continue;
		}
		Ratio minus = {-variable.e.num, variable.e.den};
		variable.e = (Ratio){1, 1};
		UnitId rest = combine(t, u, intern_terms(t, 1, &variable, 0), minus);
		u = combine(t, rest, stands, (Ratio){-minus.num, minus.den});
	}
}

static bool dimensionless(const Unit *u)
{
	for (unsigned k = 0; k < UNIT_DIMENSIONS; k++) {
		if (u->dimension[k].num) {
			return false;
		}
	}
	return true;
}

static bool holds_variable(const Unit *u, uint32_t atom)
{
	for (uint32_t i = 0; i < u->nterm; i++) {
		if (u->term[i].atom == atom) {
			return true;
		}
	}
	return false;
}

/* Binds the lone variable a to b, whose spelling then stays; false if a is none or b contains it.
 */
static bool bind_lone(UnitTable *t, UnitId a, UnitId b)
{
	if (!lone_variable(&t->unit[a]) || holds_variable(&t->unit[b], t->unit[a].term[0].atom)) {
		return false;
	}
	t->bound[t->unit[a].term[0].atom & ~UNIT_VARIABLE] = b;
	return true;
}

bool unit_unify(UnitTable *t, UnitId a, UnitId b)
{
	a = unit_resolve(t, a);
	b = unit_resolve(t, b);
	if (a == b || bind_lone(t, a, b) || bind_lone(t, b, a)) {
		return true;
	}
	UnitId r = unit_div(t, a, b);
	const Unit *x = &t->unit[r];
	if (!x->variables) {
		return dimensionless(x);
	}
	/* Newest variable, of exponent ±1 if there is one: v^e * rest = 1 gives v = rest^(-1/e). */
	uint32_t best = x->nterm - 1;
	for (uint32_t i = x->nterm; i > 0 && (x->term[i - 1].atom & UNIT_VARIABLE); i--) {
		Ratio e = x->term[i - 1].e;
		if (e.den == 1 && (e.num == 1 || e.num == -1)) {
			best = i - 1;
			break;
		}
	}
	UnitTerm v = {x->term[best].atom, {1, 1}};
	Ratio e = x->term[best].e;
	UnitId rest = combine(t, r, intern_terms(t, 1, &v, 0), (Ratio){-e.num, e.den});
	t->bound[v.atom & ~UNIT_VARIABLE] = unit_pow(t, rest, -e.den, e.num);
	return true;
}

bool unit_same_dimension(UnitTable *t, UnitId a, UnitId b)
{
	UnitId r = unit_div(t, unit_resolve(t, a), unit_resolve(t, b));
	return !t->unit[r].variables && dimensionless(&t->unit[r]);
}

bool unit_is_number(UnitTable *t, UnitId u)
{
	return unit_same_dimension(t, u, 0);
}

bool unit_has_variable(UnitTable *t, UnitId u)
{
	return t->unit[unit_resolve(t, u)].variables;
}

double unit_factor(UnitTable *t, UnitId from, UnitId to)
{
	if (from == to) {
		return 1;
	}
	UnitId r = unit_div(t, unit_resolve(t, from), unit_resolve(t, to));
	const Unit *x = &t->unit[r];
	assert(!x->variables && dimensionless(x));
	ArenaMark mark = arena_mark(t->arena);
	ScalePower *power = arena_array(t->arena, ScalePower, x->nterm);
	for (uint32_t i = 0; i < x->nterm; i++) {
		uint32_t atom = x->term[i].atom;
		Scale s = t->value[atom >> UNIT_PREFIX_BITS].scale;
		s.ten += unit_prefix_ten(atom & ((1u << UNIT_PREFIX_BITS) - 1));
		power[i] = (ScalePower){s, x->term[i].e};
	}
	double f = scale_value(t->arena, x->nterm, power);
	arena_release(t->arena, mark);
	return f;
}

/* ---- text ---- */

static const char *power_text(UnitTable *t, const UnitTerm *term, bool below)
{
	Ratio e = {below ? -term->e.num : term->e.num, term->e.den};
	const char *name;
	uint32_t row = term->atom >> UNIT_PREFIX_BITS;
	if (term->atom & UNIT_VARIABLE) {
		name = arena_printf(t->arena, "?%u", (term->atom & ~UNIT_VARIABLE) + 1);
	} else if (row == t->rows) {
		name = "(power too large)";
	} else {
		name = arena_printf(t->arena, "%s%s",
				    unit_prefix_name(term->atom & ((1u << UNIT_PREFIX_BITS) - 1)),
				    unit_row(row)->name);
	}
	if (e.den != 1) {
		return arena_printf(t->arena, "%s^(%d/%d)", name, e.num, e.den);
	}
	return e.num == 1 ? name : arena_printf(t->arena, "%s^%d", name, e.num);
}

/* Terms of one sign of exponent (or all), joined by *. */
static const char *product_text(UnitTable *t, const Unit *u, bool above, bool below, bool inverted)
{
	const char *text = "";
	for (uint32_t i = 0; i < u->nterm; i++) {
		if (u->term[i].e.num > 0 ? above : below) {
			text = arena_printf(t->arena, "%s%s%s", text, *text ? "*" : "",
					    power_text(t, &u->term[i], inverted));
		}
	}
	return text;
}

/* a*b/(c*d); without anything above the line s^-1*m^-2. */
static const char *canonical_text(UnitTable *t, const Unit *u)
{
	uint32_t above = 0;
	for (uint32_t i = 0; i < u->nterm; i++) {
		above += u->term[i].e.num > 0;
	}
	uint32_t below = u->nterm - above;
	if (above == 0 || below == 0) {
		return product_text(t, u, true, true, false);
	}
	const char *top = product_text(t, u, true, false, false),
		   *bottom = product_text(t, u, false, true, true);
	return arena_printf(t->arena, below == 1 ? "%s/%s" : "%s/(%s)", top, bottom);
}

const char *unit_text(UnitTable *t, UnitId id)
{
	id = unit_resolve(t, id);
	Unit *u = &t->unit[id];
	if (!u->text) {
		u->text = u->spelling ? intern_text(t->names, u->spelling) : canonical_text(t, u);
	}
	return u->text;
}

const char *unit_name(unsigned i)
{
	for (uint32_t r = 0; unit_row(r); r++) {
		if (unit_row(r)->kind != UNIT_ROW_REFUSED && i-- == 0) {
			return unit_row(r)->name;
		}
	}
	return NULL;
}
