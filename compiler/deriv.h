/* deriv.h — symbolic derivatives of the core: definitions in, definitions out (SPEC.md, derivatives).
 *
 * Forward in coordinates: the tangent of a definition is a definition (named d_x), memoised per (definition, sorted
 * directions), absent where zero. Reverse for scalars in large arrays: the adjoint of a definition is a definition (d_),
 * made by solving index expressions; what cannot be solved stays as a one-point filter. */
#ifndef PNN_COMPILER_DERIV_H
#define PNN_COMPILER_DERIV_H
#include "lang/core.h"
#include "lang/diag.h"

/* Replaces every NODE_D reachable from the roots (innermost first, nested to any order) by ordinary definitions.
 * A derivative of something that does not depend on its variable is E0301 (unless it vanished by algebra: then 0),
 * an operation without a derivative E0302; the node is then 0-valued and errors are in ds. Roots are replaced in place.
 * Chooses forward or reverse by cost: forward for order >= 2 or few scalar directions, reverse for many. */
bool deriv_resolve(Core *c, Arena *scratch, Diags *ds, uint32_t nroot, Node *root);

/* Gradient of a closed scalar (no free indices) with respect to whole leaves: grad[k] is a definition with the formals of
 * wrt[k] (a DEF_PARAM, DEF_DATA, DEF_RUNTIME or DEF_VARIABLE), or 0 where the loss does not depend on it. No NODE_D may be
 * left in loss. All gradients come from one reverse sweep. */
bool deriv_gradient(Core *c, Arena *scratch, Diags *ds, Node loss, uint32_t n, const Def *wrt, Def *grad);

/* Tangent of a node along given tangents of leaves (Jacobian-vector products, tests): dir[k] is a definition with the
 * formals of wrt[k]. 0 is zero. */
Node deriv_tangent(Core *c, Arena *scratch, Diags *ds, Node of, uint32_t n, const Def *wrt, const Def *dir);
#endif
