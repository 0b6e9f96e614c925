#include "tests/random/random.h"
void gen_derivatives(Gen *g) { gen_program(g); }
