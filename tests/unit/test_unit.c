/* test_unit.c — lang/unit.h: grammar, names, exact factors, algebra, unification, text. */
#include "lang/unit.h"
#include "lang/unit_int.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static Arena *arena;
static UnitTable *table;

static void set_up(void)
{
	arena = arena_create();
	table = unit_table(arena, intern_create(arena));
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(unit, .init = set_up, .fini = tear_down);

static UnitId parse(const char *text)
{
	const char *why;
	UnitId u = unit_parse(table, text, &why);
	cr_assert_null(why, "'%s': %s", text, why);
	return u;
}

static double factor(const char *from, const char *to)
{
	UnitId a = parse(from), b = parse(to);
	cr_assert(unit_same_dimension(table, a, b), "'%s' and '%s'", from, to);
	return unit_factor(table, a, b);
}

static bool alike(const char *a, const char *b)
{
	return unit_same_dimension(table, parse(a), parse(b));
}

static const char *refusal(const char *text)
{
	const char *why;
	UnitId u = unit_parse(table, text, &why);
	cr_assert(u == 0 && why, "'%s' was understood", text);
	return why;
}

#define FACTOR(from, to, value)                                                                    \
	cr_expect(factor(from, to) == (value), "%s -> %s is %.17g", from, to, factor(from, to))
#define REFUSES(text, part) cr_expect(strstr(refusal(text), part), "'%s': %s", text, refusal(text))
#define TEXT(unit, expected) cr_expect_str_eq(unit_text(table, unit), expected)

Test(unit, powers_of_ten_are_exact)
{
	FACTOR("eV", "meV", 1000);
	FACTOR("meV", "eV", 1e-3);
	FACTOR("Å", "nm", 0.1);
	FACTOR("nm", "Å", 10);
	FACTOR("Å^-2", "nm^-2", 100);
	FACTOR("kg", "g", 1000);
	FACTOR("GPa", "Pa", 1e9);
	FACTOR("Ym", "ym", 1e48);
	FACTOR("ym", "Ym", 1e-48);
	FACTOR("L", "m^3", 1e-3);
	FACTOR("erg", "J", 1e-7);
	FACTOR("bar", "kPa", 100);
	FACTOR("eV/Å", "meV/pm", 10);
	FACTOR("μs", "ns", 1000);
	FACTOR("G", "T", 1e-4);
	FACTOR("%", "", 0.01);
	FACTOR("Da", "u", 1);
	FACTOR("Å", "Å", 1);
}

Test(unit, definitions)
{
	/* Quotients of the defining decimals, worked out in fractions of integers, rounded once. */
	FACTOR("eV", "J", 1.602176634e-19);
	FACTOR("kcal/mol", "J", 4184 / 6.02214076e23);
	FACTOR("kcal/mol", "eV", 0.043364104241800934);
	FACTOR("kJ/mol", "kcal/mol", 1 / 4.184);
	FACTOR("hartree", "eV", 27.21138624598803);
	FACTOR("Ha", "Ry", 2);
	FACTOR("bohr", "Å", 0.529177210903);
	FACTOR("hartree/bohr", "eV/Å", 51.42206747632594);
	FACTOR("u", "kg", 1.66053906660e-27);
	FACTOR("k_B*K", "eV", 8.617333262145177e-05);
	FACTOR("atm", "Pa", 101325);
	FACTOR("Torr", "Pa", 101325.0 / 760);
	FACTOR("h", "min", 60);
	FACTOR("d", "s", 86400);
	FACTOR("yr", "d", 365.25);
	FACTOR("km/h", "m/s", 1 / 3.6);
	FACTOR("W*s", "J", 1);
	FACTOR("N*m", "J", 1);
	FACTOR("kWh", "MJ", 3.6);
	FACTOR("MeV/c^2", "m_e", 1.9569511835738733);
	FACTOR("T", "Wb/m^2", 1);
	FACTOR("Ω", "V/A", 1);
	FACTOR("mol", "", 6.02214076e23);
	FACTOR("D", "e*Å", 0.20819433270935597);
	FACTOR("ly", "m", 9460730472580800);
	FACTOR("pc", "au", 206264.80624709636);
	FACTOR("barn", "fm^2", 100);
}

Test(unit, angles_are_numbers)
{
	FACTOR("deg", "", 3.14159265358979323846 / 180);
	FACTOR("deg", "rad", 0.017453292519943295);
	FACTOR("rad", "", 1);
	FACTOR("turn", "deg", 360);
	FACTOR("°", "arcmin", 60);
	cr_expect(unit_is_number(table, parse("deg")));
	cr_expect(unit_is_number(table, parse("eV/meV")));
	cr_expect(unit_is_number(table, 0));
	cr_expect(!unit_is_number(table, parse("rad/s")));
	cr_expect(alike("rad/s", "Hz"));
	cr_expect(alike("J/mol", "eV"));
}

Test(unit, roots)
{
	FACTOR("Hz^(1/2)", "mHz^(1/2)", sqrt(1000));
	FACTOR("m^0.5", "cm^(1/2)", 10);
	FACTOR("nV/Hz^(1/2)", "V*s^(1/2)", 1e-9);
	FACTOR("L^(1/3)", "m", 0.1);
	FACTOR("kg^(1/7)", "g^(1/7)", (double)powl(1000, 1 / 7.0L));
	cr_expect(fabs(factor("kg^(1/97)", "g^(1/97)") - pow(1000, 1 / 97.0)) < 1e-14);
	cr_expect(factor("km^1000", "m^1000") == INFINITY); /* 1e3000 */
}

Test(unit, dimensions)
{
	cr_expect(alike("N*m", "kg*m^2/s^2"));
	cr_expect(alike("T", "kg/(A*s^2)"));
	cr_expect(alike("lx", "cd/m^2"));
	cr_expect(alike("H*F", "s^2"));
	cr_expect(!alike("N", "J"));
	cr_expect(!alike("cd", "d"));
	cr_expect(!alike("m", ""));
	cr_expect(!alike("K", "A"));
}

Test(unit, whole_names_win)
{
	FACTOR("min", "s", 60);   /* not milli-inch */
	FACTOR("Pa", "N/m^2", 1); /* not peta-year */
	FACTOR("cd", "cd", 1);    /* not centi-day */
	FACTOR("mm", "m", 1e-3);
	FACTOR("hPa", "Pa", 100); /* hecto, not hour */
	FACTOR("h", "s", 3600);
	FACTOR("dam", "m", 10);          /* deca, not deci-attometre */
	FACTOR("au", "m", 149597870700); /* not atto-u */
	FACTOR("um", "μm", 1);
	FACTOR("fs", "s", 1e-15);
	FACTOR("mmol", "mol", 1e-3);
	FACTOR("mmHg", "Pa", 133.322387415);
	FACTOR("Gy", "J/kg", 1);
	FACTOR("Gyr", "yr", 1e9);
	FACTOR("hbar", "ħ", 1);
	cr_expect(alike("t", "kg") && alike("T", "Wb/m^2"));
}

/* Every text that can be read as prefix + name in a second way is on this list. */
Test(unit, ambiguous_spellings_are_listed)
{
	static const char *const listed[] = {"hbar"};
	unsigned met = 0;
	for (uint32_t i = 0; unit_row(i); i++) {
		for (uint32_t k = 0; unit_row(k); k++) {
			for (uint32_t p = 1; p <= 21 && unit_row(k)->prefixes; p++) {
				char spelled[64];
				snprintf(spelled, sizeof spelled, "%s%s", unit_prefix_name(p),
					 unit_row(k)->name);
				if (strcmp(spelled, unit_row(i)->name) != 0) {
					continue;
				}
				bool known = false;
				for (size_t l = 0; l < sizeof listed / sizeof *listed; l++) {
					known |= strcmp(listed[l], spelled) == 0;
				}
				cr_expect(known, "%s is also %s + %s", spelled, unit_prefix_name(p),
					  unit_row(k)->name);
				met += known;
			}
		}
	}
	cr_expect(met == 1);
}

Test(unit, prefixed_spellings_are_unique)
{
	for (uint32_t i = 0; unit_row(i); i++) {
		for (uint32_t p = 1; p <= 20 && unit_row(i)->prefixes; p++) {
			for (uint32_t k = 0; unit_row(k); k++) {
				for (uint32_t q = 1; q <= 21 && unit_row(k)->prefixes; q++) {
					char a[64], b[64];
					snprintf(a, sizeof a, "%s%s", unit_prefix_name(p),
						 unit_row(i)->name);
					snprintf(b, sizeof b, "%s%s", unit_prefix_name(q),
						 unit_row(k)->name);
					cr_expect((p == q && i == k) || strcmp(a, b) != 0,
						  "%s in two ways", a);
				}
			}
		}
	}
}

Test(unit, grammar)
{
	FACTOR("m/s/s", "m/s^2", 1);
	FACTOR("m·s⁻¹", "m/s", 1);
	FACTOR("kg⋅m²/s²", "J", 1);
	FACTOR("Å^-2", "1/Å^2", 1);
	FACTOR(" kg * m / s ", "kg*m/s", 1);
	FACTOR("J/(mol*K)", "J/mol/K", 1);
	FACTOR("(m/s)^2", "m^2/s^2", 1);
	FACTOR("((m))", "m", 1);
	FACTOR("m^(-2)", "m^-2", 1);
	FACTOR("m^+2", "m²", 1);
	FACTOR("µm", "μm", 1);     /* U+00B5 and U+03BC */
	FACTOR("\u212B", "Å", 1);  /* the sign of the ångström */
	FACTOR("A\u030A", "Å", 1); /* A and a combining ring */
	cr_expect_eq(parse(""), 0);
	cr_expect_eq(parse("1"), 0);
	cr_expect_eq(parse("m/m"), 0);
}

Test(unit, refusals)
{
	REFUSES("°C", "use K");
	REFUSES("degC", "use K");
	REFUSES("dB", "logarithm");
	REFUSES("metre", "there is no unit metre");
	REFUSES("ev", "the nearest is eV");
	REFUSES("m2", "m^2");
	REFUSES("kg m", "write * between");
	REFUSES("10m", "no number but 1");
	REFUSES("2", "no number but 1");
	REFUSES("1.0", "no number but 1");
	REFUSES("J/mol*K", "two ways");
	REFUSES("m^", "needs a number");
	REFUSES("m^x", "needs a number");
	REFUSES("m^2^3", "brackets");
	REFUSES("m²³²^2", "brackets");
	REFUSES("m^(1/0)", "zero");
	REFUSES("m^(1/2", ") is missing");
	REFUSES("(m", ") is missing");
	REFUSES("m)", "( is missing");
	REFUSES("m*", "at the end");
	REFUSES("/s", "missing");
	REFUSES("m$", "$ does not belong");
	REFUSES("m⁻", "digit is missing");
	REFUSES("m^99999999999999999999", "too large");
	REFUSES("m^0.000000001", "finely");
	REFUSES("(m^1000000)^1000000", "too large");
	REFUSES("m^1000000*m^1000000", "too large");
	REFUSES("\xff", "UTF-8");
	REFUSES("m\xc3", "UTF-8");
	REFUSES("dam^2.5.5", "does not belong");
	char deep[512];
	memset(deep, '(', 500);
	strcpy(deep + 500, "m");
	REFUSES(deep, "deeply");
	char long_text[1200];
	memset(long_text, 'm', 1199);
	long_text[1199] = 0;
	REFUSES(long_text, "longer");
}

Test(unit, text)
{
	UnitId ev = parse("eV"), length = parse("Å");
	TEXT(unit_div(table, ev, length), "eV/Å");
	TEXT(unit_pow(table, length, -2, 1), "Å^-2");
	TEXT(unit_pow(table, parse("Hz"), 1, 2), "Hz^(1/2)");
	TEXT(unit_div(table, parse("kcal/mol"), length), "kcal/(mol*Å)");
	TEXT(parse("kcal/mol"), "kcal/mol");
	TEXT(parse("m·s⁻¹"), "m·s⁻¹");
	TEXT(parse("1/s"), "1/s");
	TEXT(unit_div(table, 0, parse("s")), "s^-1");
	TEXT(unit_mul(table, parse("m/s"), parse("s")), "m");
	TEXT(unit_mul(table, parse("m/s"), 0), "m/s");
	TEXT(parse("s*m*kg"), "s*m*kg");
	TEXT(unit_mul(table, parse("s*m"), parse("kg")), "kg*m*s");
	TEXT(0, "");
	TEXT(unit_div(table, ev, ev), "");
	cr_expect_eq(unit_pow(table, parse("m/s"), 2, 2), unit_div(table, parse("m"), parse("s")));
	cr_expect_eq(unit_mul(table, ev, length), unit_mul(table, length, ev));
}

/* Canonical texts are read back as themselves. */
Test(unit, text_reads_back)
{
	static const char *const some[] = {"eV", "Å", "s^-1", "kg",      "mol", "°",
					   "μs", "%", "T",    "m^(1/2)", "ħ",   "L"};
	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
			UnitId u = unit_div(table, unit_pow(table, parse(some[i]), -3, 2),
					    unit_mul(table, parse(some[k]), parse("K")));
			cr_expect_eq(parse(unit_text(table, u)), u, "%s", unit_text(table, u));
		}
	}
}

Test(unit, unification)
{
	UnitId v = unit_fresh(table), ev_per = parse("kcal/mol");
	cr_expect(unit_has_variable(table, v));
	cr_expect(!unit_is_number(table, v));
	cr_expect(!unit_same_dimension(table, v, ev_per));
	cr_expect(unit_same_dimension(table, v, v));
	cr_expect(unit_unify(table, v, ev_per));
	cr_expect_eq(unit_resolve(table, v), ev_per);
	TEXT(v, "kcal/mol");
	cr_expect(unit_unify(table, v, parse("eV")));
	cr_expect(!unit_unify(table, v, parse("m")));
	TEXT(unit_mul(table, v, v), "kcal^2/mol^2");
}

Test(unit, unification_solves_for_powers)
{
	UnitId v = unit_fresh(table), w = unit_fresh(table);
	cr_expect(unit_unify(table, unit_pow(table, v, 2, 1), parse("m^2/s")));
	TEXT(v, "m/s^(1/2)");
	/* w^3 = w * eV^2 / Å^4  gives  w = eV/Å^2 */
	UnitId right = unit_mul(table, w, parse("eV^2/Å^4"));
	cr_expect(unit_unify(table, unit_pow(table, w, 3, 1), right));
	TEXT(w, "eV/Å^2");
	UnitId x = unit_fresh(table);
	cr_expect(unit_unify(table, unit_mul(table, x, x), x));
	cr_expect_eq(unit_resolve(table, x), 0);
}

Test(unit, unification_of_variables)
{
	UnitId a = unit_fresh(table), b = unit_fresh(table), c = unit_fresh(table);
	cr_expect(unit_unify(table, a, b));
	cr_expect(unit_unify(table, unit_mul(table, a, c), unit_div(table, parse("J"), b)));
	cr_expect(unit_has_variable(table, c));
	cr_expect(unit_unify(table, b, parse("s")));
	cr_expect(unit_same_dimension(table, a, parse("min")));
	cr_expect(unit_same_dimension(table, c, parse("W/s")));
	cr_expect(!unit_unify(table, c, parse("W")));
	TEXT(unit_fresh(table), "?4");
}

Test(unit, long_chains_of_variables)
{
	enum { N = 20000 };
	UnitId *v = arena_array(arena, UnitId, N);
	for (int i = 0; i < N; i++) {
		v[i] = unit_fresh(table);
	}
	for (int i = 0; i + 1 < N; i++) {
		cr_assert(unit_unify(table, v[i + 1], v[i]));
	}
	cr_assert(unit_unify(table, v[N / 2], parse("eV")));
	cr_expect_eq(unit_resolve(table, v[N - 1]), parse("eV"));
	cr_expect_eq(unit_resolve(table, v[0]), parse("eV"));
}

Test(unit, powers_beyond_the_limit_agree_with_nothing)
{
	UnitId u = parse("m");
	for (int i = 0; i < 40; i++) {
		u = unit_mul(table, u, u);
	}
	cr_expect(!unit_same_dimension(table, u, 0));
	cr_expect(!unit_same_dimension(table, u, parse("m")));
	cr_expect(!unit_unify(table, u, parse("m")));
	cr_expect(strstr(unit_text(table, u), "too large"));
	cr_expect(!unit_same_dimension(table, unit_pow(table, parse("m"), 1 << 30, 1), parse("m")));
}

Test(unit, names_for_completion)
{
	unsigned n = 0;
	for (const char *name; (name = unit_name(n)); n++) {
		parse(name);
		for (unsigned k = 0; k < n; k++) {
			cr_expect_str_neq(name, unit_name(k));
		}
	}
	cr_expect(n > 70);
}

/* Any bytes are either understood or refused with a reason; nothing else happens. */
Test(unit, garbage)
{
	static const char *const piece[] = {"m", "kg", "/", "*", "^",  "(", ")",    "-", "2", "1",
					    ".", "²",  "⁻", " ", "eV", "Å", "\xff", "%", "°", "μ"};
	uint64_t state = 12345;
	for (int round = 0; round < 20000; round++) {
		char text[64] = "";
		for (int k = 0; k < 7; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			strcat(text, piece[(state >> 33) % (sizeof piece / sizeof *piece)]);
		}
		const char *why;
		UnitId u = unit_parse(table, text, &why);
		cr_assert(!why || (u == 0 && *why), "'%s'", text);
		if (!why) {
			cr_assert_eq(parse(unit_text(table, u)), u, "'%s'", text);
			cr_assert(unit_factor(table, u, u) == 1);
		}
	}
}
