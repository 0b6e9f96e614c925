/* unit_int.h — inside of units: shared by unit.c (algebra, unification, text), unit_parse.c
 * (grammar, names) and unit_scale.c (exact factors).
 *
 * A unit is a product of atoms with rational exponents, kept as it was written: eV/Å stays eV and
 * Å. An atom is a row of units.def with a prefix, or a variable. Dimension and scale follow from
 * the atoms. */
#ifndef PNN_LANG_UNIT_INT_H
#define PNN_LANG_UNIT_INT_H
#include "lang/unit.h"

enum {
	UNIT_BASES = 6,
	UNIT_DIMENSIONS
}; /* the last dimension marks an exponent beyond the limits */
enum { UNIT_EXPONENT_MAX = 1000000, UNIT_DENOMINATOR_MAX = 10000 };

typedef struct Ratio {
	int32_t num, den;
} Ratio; /* den > 0, lowest terms */
typedef struct UnitTerm {
	uint32_t atom;
	Ratio e;
} UnitTerm;

/* num/den * 10^ten * pi^pi, num and den without common factors and without factors of ten. */
typedef struct Scale {
	uint64_t num, den;
	int32_t ten, pi;
} Scale;
typedef struct ScalePower {
	Scale scale;
	Ratio e;
} ScalePower;

enum { UNIT_PREFIX_BITS = 5 };
#define UNIT_VARIABLE 0x80000000u
static inline uint32_t unit_atom(uint32_t row, uint32_t prefix)
{
	return row << UNIT_PREFIX_BITS | prefix;
}

/* Rows of units.def in order; a unit's number is its place here. */
typedef enum { UNIT_ROW_UNIT, UNIT_ROW_ALIAS, UNIT_ROW_REFUSED } UnitRowKind;
typedef struct UnitRow {
	UnitRowKind kind;
	const char *name, *text, *doc; /* text: definition, name of the unit meant, or reason */
	bool prefixes;
} UnitRow;
/* What a row's definition comes to. */
typedef struct UnitValue {
	bool known;
	Scale scale;
	Ratio dimension[UNIT_DIMENSIONS];
} UnitValue;

/* a+b and a*b; false beyond the limits. */
bool ratio_add(Ratio a, Ratio b, Ratio *sum);
bool ratio_mul(Ratio a, Ratio b, Ratio *product);

/* ---- unit_parse.c ---- */
/* Row i of units.def, NULL past the end. */
const UnitRow *unit_row(uint32_t i);
/* Scale and dimension of row i, worked out into value[], which has one entry for each row. */
const UnitValue *unit_row_value(Arena *scratch, UnitValue *value, uint32_t i);
/* The symbol of a prefix ("" for 0) and its power of ten. */
const char *unit_prefix_name(uint32_t prefix);
int32_t unit_prefix_ten(uint32_t prefix);
/* Terms of a unit text in NFC (unsorted, atoms may repeat), *n of them, in a. False with *why (in
 * a) on a mistake. */
bool unit_parse_terms(Arena *a, const char *text, UnitTerm **term, uint32_t *n, const char **why);

/* ---- unit_scale.c ---- */
Scale scale_decimal(uint64_t mantissa, int32_t ten);
/* a * b^e for a whole exponent; asserts that it fits (the table's own definitions do). */
Scale scale_times(Scale a, Scale b, int32_t e);
/* The product of powers as a double: correctly rounded when all exponents are whole and no pi is
 * left. */
double scale_value(Arena *scratch, uint32_t n, const ScalePower *p);
#endif
