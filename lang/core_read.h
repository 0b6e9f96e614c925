/* core_read.h — shared by core_read.c (statements) and core_read_expr.c (expressions). */
#ifndef PNN_LANG_CORE_READ_H
#define PNN_LANG_CORE_READ_H
#include "lang/ast.h"
#include "lang/core_int.h"
#include "lang/unit.h"

typedef struct CorePiece {
	const Ast *head;    /* z[s, i], or NULL */
	const Ast *binders; /* [s in data, i in h -> …], or NULL */
	const Ast *value;
	Range *box; /* one per formal, whole ranges too */
	Sym *name;  /* of the index variables, 0 at fixed places */
} CorePiece;

typedef struct CoreEntry {
	Sym name;
	const Ast *at;
	bool leaf, constant, zero_outside, variable;
	const Ast *type, *rule;
	CorePiece *piece;
	size_t npiece, piececap;
	uint32_t n; /* formals */
	Axis *axis;
	const Ast *declared; /* the type in `param f : int[t] value`, or NULL */
	bool kind_known;
	Kind kind;
	Def def; /* 0: not made yet */
} CoreEntry;

typedef struct CoreAxis {
	Sym name;
	Axis axis;
	const Ast *length;
} CoreAxis;

typedef struct CoreRead {
	ParseCtx *ctx;
	Core *c;
	struct UnitTable *units;
	bool failed; /* one mistake is reported */
	CoreAxis *axis;
	size_t naxis, axiscap;
	CoreEntry *entry; /* by line */
	size_t nentry, entrycap;
	const Ast *print;
} CoreRead;

/* Index variables in sight: of the piece's head, then of reductions around. */
typedef struct ScopeIndex {
	Sym name;
	Index index;
} ScopeIndex;
enum { SCOPE_INDICES = 64 };
typedef struct Scope {
	uint32_t n;
	ScopeIndex item[SCOPE_INDICES];
	unsigned depth;
} Scope;

CoreEntry *core_read_entry(CoreRead *r, Sym name);
Axis core_read_axis(CoreRead *r, const Ast *ast);
void core_read_wrong(CoreRead *r, const Ast *at, const char *what);
bool core_read_is(const CoreRead *r, const Ast *ast, const char *word);
bool core_read_call(const CoreRead *r, const Ast *ast, const char *word);
const Ast *core_read_inner(const Ast *ast);
/* A whole number as it stands in a text: 3, -3. */
bool core_read_whole(CoreRead *r, const Ast *ast, int64_t *out);
/* Heads of entries lo…hi-1, which may read one another: axes follow from binders, from reads of
 * earlier lines and from one another, as far as that goes. */
bool core_read_heads(CoreRead *r, size_t lo, size_t hi);
bool core_read_edge(CoreRead *r, const Ast *ast, Axis axis, Edge *out);
bool core_read_head_index(CoreRead *r, const Ast *ast);

/* Index variables of a piece; index NULL: names alone. */
Scope core_read_scope(const CoreEntry *e, const CorePiece *p, const Index *index);
/* The kind of an expression, if something in it but whole numbers tells. */
bool core_read_kind(CoreRead *r, const Scope *s, const Ast *ast, Kind *out);
Node core_read_node(CoreRead *r, Scope *s, const Ast *ast, Kind want);
/* A reduction as the whole value of definition d, which becomes one. */
void core_read_reduction(CoreRead *r, Scope *s, const Ast *ast, Def d, Node *body);
/* ---- core_read_matrix.c: an operation on a whole array, which is the whole value of a definition */
/* RED_NONE if the expression is none. */
RedKind core_read_matrix_kind(const CoreRead *r, const Ast *ast);
void core_read_matrix_value(CoreRead *r, Scope *s, const Ast *ast, Def d, Node *body);
/* The axis of an index variable by the first read of an entry with known axes that has it as an
 * argument; 0: none. */
Axis core_read_infer(CoreRead *r, const Ast *ast, Sym index);
/* One more than the greatest entry number named in an expression (0 if none). */
size_t core_read_furthest(CoreRead *r, const Ast *ast);
#endif
