/* unit.h — units: a dimension (rational exponents of base dimensions) and a scale. */
#ifndef PNN_LANG_UNIT_H
#define PNN_LANG_UNIT_H
#include <stdbool.h>
#include "lang/core.h"

typedef struct UnitTable UnitTable;

UnitTable *unit_table(Arena *a, Intern *names);
/* The unit of a text such as "kg*m^2/s^2", "eV/Å", "Å^-2", "kcal/mol", "1/s"; *why says what is wrong (and UnitId 0 returned)
 * or is NULL. A number (deg, mol, %) is a unit of dimension 1 with a scale. */
UnitId unit_parse(UnitTable *t, const char *text, const char **why);
UnitId unit_mul(UnitTable *t, UnitId a, UnitId b);
UnitId unit_div(UnitTable *t, UnitId a, UnitId b);
/* a^(p/q). */
UnitId unit_pow(UnitTable *t, UnitId a, int p, int q);
/* A unit variable, to be determined by unification. */
UnitId unit_fresh(UnitTable *t);
/* Makes a and b equal up to scale by solving for variables; false if their dimensions differ. */
bool unit_unify(UnitTable *t, UnitId a, UnitId b);
bool unit_same_dimension(UnitTable *t, UnitId a, UnitId b); /* without binding variables */
/* value in unit `from` times this = value in unit `to`; of equal dimension. */
double unit_factor(UnitTable *t, UnitId from, UnitId to);
/* The number one of this unit stands for if it is dimensionless (deg: pi/180), by which a read of such a value is multiplied. */
bool unit_is_number(UnitTable *t, UnitId u);
bool unit_has_variable(UnitTable *t, UnitId u);
/* u with bound variables replaced. */
UnitId unit_resolve(UnitTable *t, UnitId u);
/* Canonical text without quotes ("" for a pure number); the user's spelling where the unit was written. */
const char *unit_text(UnitTable *t, UnitId u);
/* Unit names known, for completion and "did you mean"; NULL past the end. */
const char *unit_name(unsigned i);
#endif
