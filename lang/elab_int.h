/* elab_int.h — what the files of elaboration share; nobody outside lang/elab*.c includes it.
 *
 * Elaboration is an abstract interpretation of the syntax tree: a function is expanded where it is
 * called (memoised by its arguments up to renaming of indices, so sharing stays), a value of
 * numbers is an index-form expression: index variables ix[0..rank-1] standing for its axes, and a
 * scalar core node over them. An erroneous value has tag VAL_ERROR; every function passes it on
 * without a word, so one mistake gives one diagnostic. */
#ifndef PNN_LANG_ELAB_INT_H
#define PNN_LANG_ELAB_INT_H
#include "lang/elab.h"
#include "lang/op.h"

typedef struct Val Val;
typedef struct Scope Scope;
typedef struct FnDecl FnDecl;
typedef struct Group Group;

/* An axis in use. Axes sized by record (ragged) are a type per record: record is the int node that
 * selects it. */
typedef struct AxisRef {
	Axis axis;
	Node record;
} AxisRef;

typedef enum {
	VAL_ERROR,
	VAL_NUM,    /* number or array of numbers */
	VAL_STRING, /* string: compile-time constant */
	VAL_TUPLE,  /* item[n], perhaps with item_name */
	VAL_FN,     /* fn: a function of any kind */
	VAL_RECORD, /* data, record: one record of a data set */
	VAL_DATA,   /* data: a data set or point set */
	VAL_DOMAIN, /* domain */
	VAL_AXIS,   /* axis */
	VAL_RANGE,  /* item[0], item[1]: from, to (ints) */
	VAL_DIST    /* dist: a distribution, to be drawn from */
} ValTag;
enum { STAND_IN_SIZE = 1000 }; /* of an axis that has none yet */
typedef enum { ELEM_REAL, ELEM_COMPLEX, ELEM_INT, ELEM_BOOL, ELEM_SPIN } Elem;

typedef struct DomainVar {
	Sym name;
	Span span;
	UnitId unit;
	double lo, hi;
} DomainVar;
typedef struct DomainInfo {
	Sym name;
	Span span;
	uint32_t n;
	DomainVar *var;
} DomainInfo;

typedef enum { FNV_USER, FNV_OP, FNV_BUILTIN, FNV_DERIVED, FNV_COMBINED } FnKind;
typedef struct DerivedBy {
	uint32_t formal;
	uint32_t order;
} DerivedBy;
typedef struct FnVal {
	FnKind kind;
	FnDecl *decl;     /* USER */
	Op op;            /* OP */
	uint32_t builtin; /* BUILTIN: row of the table in elab_builtin.c */
	uint32_t naxis;   /* explicit axis arguments: dense[h] */
	AxisRef *axis;
	const Ast *site;          /* where a layer is used: fresh parameters per site */
	const struct FnVal *base; /* DERIVED: derivative of base by its formals */
	uint32_t nby;
	DerivedBy *by;
	char combine; /* COMBINED: '+' '-' sum of values, '*' one after the other, 's' number times
			 function */
	const Val *left, *right;
} FnVal;

typedef struct DistVal {
	Sym name;
	Val *arg;
	uint32_t n;
	Span span;
} DistVal;

struct Val {
	ValTag tag;
	Elem elem;
	UnitId unit;
	Span span;
	uint32_t rank;
	Index *ix;   /* the array's own index variables, fresh for each use of a name */
	Node *rec;   /* record node of ragged axes by position, 0 otherwise; NULL: none is ragged */
	Node re, im; /* body over ix and the indices of the context; im only for ELEM_COMPLEX */
	Axis of; /* scalar int: a label value of this axis (an index or a label); 0: any integer */
	bool spread; /* int: made of an index by more than a shift; with another index it is on no axis */
	bool literal; /* written as a bare number: fits real or int; a literal 0 fits every unit */
	bool reaches; /* definition with base elements beside its axis: reads outside are not
			 refused at once */
	bool mixed;   /* array literal of several units: only standardize takes it */
	unsigned digits; /* digits(e, n): significant digits to print */
	Sym string;
	uint32_t n; /* TUPLE; also the elements of an array literal (rank 1 and tag NUM) */
	Val *item;
	Sym *item_name;
	const FnVal *fn;
	DataInfo *data;
	Node record;
	const DomainInfo *domain;
	AxisRef axis;
	const DistVal *dist;
};

/* ---- names
 * -----------------------------------------------------------------------------------------------------------
 */
typedef struct Entry {
	Sym name;
	Span span;
	Val val;
	Group *pending; /* a definition by index that is elaborated when first asked for */
	Group *made;    /* what pending was */
	bool used;
	bool builtin; /* of the prelude: may be redefined silently */
} Entry;

/* What kind of text we are in. */
typedef struct Frame {
	const FnDecl *fn; /* NULL at top level */
	Sym path;   /* prefix of parameter names ("u.dense1"), 0 where parameters may not be made */
	bool trial; /* checking a function by itself: parameters are made as throw-away leaves */
	bool equation; /* a bare net stands for its value at the coordinates of the same names */
	uint32_t nctx; /* free indices of the arguments: the context of everything in this frame */
	Index *ctx;
	unsigned depth; /* of calls */
} Frame;

struct Scope {
	Scope *parent;
	Entry *entry;
	size_t n, cap;
	Frame *frame;
	uint32_t nctx; /* indices bound by this scope itself (binders, formals of definitions) */
	Index *ctx;
	struct ScopeSlot {
		Sym name;
		uint32_t at;
	} *slot; /* names of a large scope: number of the entry + 1 */
	uint32_t mask;
	size_t indexed;
	uint32_t ngroup, nsorted; /* definitions, and how many of them when their sets were found */
	uint32_t ntext; /* the statements that stand in this scope: uses of a name tell its axes */
	Ast *const *text;
};

typedef struct Memo {
	uint32_t nfree;
	const Index *free;
	uint32_t n;
	Val *arg;
	Sym path;
	Val result;
} Memo;
struct FnDecl {
	Sym name;
	const Ast *ast; /* FN, EQUATION or DERIVATIVE'd FN */
	Scope *scope;   /* where it was declared */
	bool equation, layer, net, activation;
	const DomainInfo *domain; /* of an equation */
	uint32_t nformal;
	Sym *formal;
	bool *by; /* formals that the body differentiates by: bound to DEF_VARIABLE aliases */
	bool bad, checking, active;
	bool draws; /* its draws differ from place to place: the indices around a call matter */
	const Ast *rule; /* derivative f(x) = … */
	bool in_rule;    /* its rule is being elaborated: there it is its formula alone */
	uint32_t nsite;  /* parameters made so far, for info */
	Memo *memo;
	size_t nmemo, capmemo;
};

typedef struct SiteName {
	Sym prefix;
	const Ast *site;
	Sym layer;
	uint32_t number;
} SiteName;

/* The axes that a written type asks of the array literal `ast`: they are those of its indices where
 * nothing else says. An axis of 0 is not known. */
typedef struct Wanted {
	const Ast *ast;
	uint32_t n;
	const AxisRef *axis;
} Wanted;

/* A block of statements that is being elaborated. */
typedef struct OpenBlock {
	const struct OpenBlock *outer;
	const Block *block;
	const Stmt *sweep; /* whose body it is, or NULL */
} OpenBlock;

struct Elab {
	ParseCtx *ctx;
	Arena *arena;
	Intern *names;
	Diags *diags;
	Core *core;
	UnitTable *units;
	Program *program;
	ElabOptions options;
	Scope *global;
	Scope *library; /* prelude and modules: around the global scope, so that they do not see it */
	SiteName *site;
	size_t nsite, capsite;
	DomainInfo **domain;
	size_t ndomain, capdomain;
	struct LiteralDef {
		Def def;
		uint32_t n;
		Val *item;
	} * literal;
	size_t nliteral, capliteral;
	struct NamedAst {
		Sym name;
		const Ast *ast;
	} * optimizer;
	size_t noptimizer, capoptimizer;
	struct RangeAxis {
		int64_t lo, hi;
		Axis axis;
	} * range;
	size_t nrange, caprange;
	int64_t streams; /* random sites so far: the next stream number */
	int64_t stream;  /* the stream of first values being made, or 0 */
	unsigned draws;  /* random sites and calls of functions that draw, so far */
	size_t capparam, capdata, capsplit, caploss, capstmt;
	bool *set_used; /* which --set names were met */
	bool in_prelude;
	unsigned attempts;    /* > 0: errors may be forgotten, a function is tried on a whole array */
	unsigned failures;    /* calls that went wrong on trial */
	Sym goal;             /* text of what the training at hand minimises */
	unsigned kept;        /* values made so far that outlast a trial: definitions, expansions */
	uint32_t visits;      /* walks over definitions so far */
	unsigned axis_depth;  /* of asking one definition for the axes of the next */
	const OpenBlock *open; /* innermost */
	Sym *later;           /* data sets that are there from their place in the file on */
	size_t nlater, caplater;
	Sym in_rule;          /* the functions in whose rules we are: their calls have other values there */
	unsigned units_open;  /* files being elaborated: modules within the program */
	unsigned unseen;      /* > 0: in the side of a condition that is never chosen */
	bool assume_size;     /* axes without a size have STAND_IN_SIZE */
	unsigned trial_depth; /* > 0: errors are being rewound (axis inference) */
	Ast **said;
	size_t nsaid, capsaid; /* statements of the program so far, the library's left out */
	Sym *module;
	size_t nmodule, capmodule; /* read so far */
	Sym *unknown;
	size_t nunknown, capunknown; /* undefined names that were reported: once is enough */
	Group **failed;
	size_t nfailed, capfailed; /* definitions that went wrong on trial: to be made again */
	Sym s_sum, s_mean;
	Wanted wanted;
};

/* ---- elab_val.c: values
 * --------------------------------------------------------------------------------------------- */
Val val_error(Span at);
Val val_num(Elab *e, Span at, Elem elem, UnitId unit, Node re); /* scalar */
Val val_complex(Elab *e, Span at, UnitId unit, Node re, Node im);
Val val_string(Span at, Sym s);
/* The array that a definition holds, over fresh indices; ctx are the values of its first nctx
 * formals. */
Val val_of_def(Elab *e, Span at, Elem elem, UnitId unit, Def re, Def im, uint32_t nctx,
	       const Node *ctx, const Node *rec);
bool val_is_error(const Val *v);
bool val_scalar(const Val *v); /* NUM of rank 0 */
AxisRef val_axis(const Elab *e, const Val *v, uint32_t position);
bool axis_same(const Elab *e, AxisRef a, AxisRef b);
/* v with its own indices replaced by those of `like` (equal axes): bodies can then be combined. */
Val val_align(Elab *e, const Val *v, const Val *like);
Val val_subst(Elab *e, const Val *v, uint32_t n, const Index *from,
	      const Node *to); /* context indices */
/* Readable type, "real[atom, xyz] 'eV/Å'". */
const char *val_type(Elab *e, const Val *v);
const char *axis_name(const Elab *e, AxisRef a);
/* E0204, with the reason: two records, two axes of one size, or a literal's own axis. */
Diag *axis_differs(Elab *e, Span at, AxisRef have, AxisRef want);
/* Makes b's unit that of a (a bare 0 fits any; scales are converted by one factor); E0207 at `at`
 * otherwise. */
bool val_agree(Elab *e, Span at, Val *a, Val *b);
/* A pure number (deg and eV/meV become numbers); E0207 otherwise. */
bool val_pure(Elab *e, Val *v);
/* An array literal of several units is refused: E0207. */
bool val_unmixed(Elab *e, const Val *v);
/* v converted to the given unit, E0207 if it has another dimension. */
bool val_convert(Elab *e, Val *v, UnitId unit);
void val_normalise(Elab *e, Val *v);
/* int, spin and literals to real; false with E0208 if it is bool, complex or no number. */
bool val_real(Elab *e, Val *v);
bool val_to_complex(Elab *e, Val *v);
Val val_binary(Elab *e, Span at, Sym op, Val a,
	       Val b); /* + - * / ^ comparisons and or, integer operators */
Val val_neg(Elab *e, Span at, Val a);
/* E0208 if it is no number; op is what needs one. */
bool val_need_number(Elab *e, const Val *v, const char *op);
/* Functions as values, such as operators on states: f + g, f - g, f*g (first g, then f), 2*f, f/2,
 * -f. */
bool fn_combines(const Val *a, const Val *b, char op);
Val fn_combine(Elab *e, Span at, char op, Val a, Val b);
Val val_op(Elab *e, Span at, Op op, uint32_t n, Val *args); /* maps over an array argument */
/* The array value as a definition of its own (shared with an equal one): reads of it replace the
 * expression. Scalars too. */
Val val_name(Elab *e, Scope *s, Sym name, Val v, unsigned flags);
/* Numeric value of a closed constant; false if it is not one. */
bool elab_node_value(Elab *e, Node n, double *out);
bool val_const_int(Elab *e, const Val *v, int64_t *out);
/* Definitions over (ix…) of an array value or () of a scalar: the free indices must be just ix. */
Def val_to_def(Elab *e, Sym name, const Val *v, Def *imaginary);

/* ---- elab_scope.c
 * ------------------------------------------------------------------------------------------------------
 */
Scope *scope_new(Elab *e, Scope *parent, Frame *frame);
/* Adds a name; E0202 if it exists in the same scope. */
Entry *scope_add(Elab *e, Scope *s, Sym name, Span at, Val v);
void scope_put(Elab *e, Scope *s, Sym name, Span at, Val v); /* replaces silently */
Entry *scope_find(Elab *e, Scope *s, Sym name);
/* The value of a name: elaborates a pending definition, E0201 with the nearest name if there is
 * none. */
Val scope_value(Elab *e, Scope *s, Sym name, Span at);
bool scope_knows(Elab *e, Scope *s,
		 Sym name);            /* is it defined, built in, or a constant such as true? */
bool scope_is_news(Elab *e, Sym name); /* an undefined name that was not reported yet */
/* Context indices of everything seen from here: binders, formals and the arguments of the function
 * we are in. */
uint32_t scope_context(Elab *e, Scope *s, Index **out);
bool is_label(Elab *e, Axis a, Sym name, int64_t *value);
/* Is the name written there meant as a label? In the library an index called c is one, whatever the
 * labels of the axis that a program gives. */
bool names_label(Elab *e, Axis a, const Ast *name, int64_t *value);
bool is_any_label(Elab *e, Sym name);
bool elab_label(Elab *e, Scope *s, const Ast *ast, Axis axis, Val *out);

/* ---- elab_axis.c
 * ---------------------------------------------------------------------------------------------------------
 */
void elab_axis(Elab *e, Scope *s, const Ast *ast);
/* An axis named or described by an expression in a type or in [ ]. */
bool axis_of_expr(Elab *e, Scope *s, const Ast *ast, AxisRef *out);
/* Which axis the unbound index `name` runs over, read off from how `body` uses it. Quiet: false if
 * nothing says. */
bool axis_infer(Elab *e, Scope *s, Sym name, const Ast *body, AxisRef *out);
/* Elaboration on trial: trial_end forgets the mistakes made since trial_begin and says whether
 * there were any. */
typedef struct Trial {
	unsigned mark, errors;
	size_t failed;
	int64_t streams;
	unsigned kept;
} Trial;
Trial trial_begin(Elab *e);
bool trial_end(Elab *e, Trial t);
/* Is that so because something erroneous is read at the index? Its mistake is reported if it was
 * not yet, and nothing more needs to be said. */
bool axis_blamed(Elab *e, Scope *s, Sym name, const Ast *body);
Axis axis_range(Elab *e, int64_t lo, int64_t hi);
/* Is it the axis of a range lo..hi written where an axis stands? Its indices are plain ints elsewhere. */
bool axis_is_range(const Elab *e, Axis a);

/* ---- elab_type.c
 * -----------------------------------------------------------------------------------------------------------
 */
typedef struct TypeInfo {
	Elem elem;
	UnitId unit;
	bool has_unit;
	uint32_t rank;
	AxisRef *axis;
	DataInfo *record;
	AxisRef index_of;
	bool ok;
} TypeInfo;
TypeInfo elab_type(Elab *e, Scope *s, const Ast *type);
/* Does v fit the type? Converts unit scales and literals; names of unsized axes in the type that
 * are not bound yet in `bind` are bound there to v's axes. E0204/E0207/E0208/E0212 otherwise. */
bool type_fit(Elab *e, Scope *bind, const Ast *type, Val *v, const char *what);

/* ---- elab_expr.c, elab_reduce.c, elab_call.c, elab_builtin.c, elab_diff.c
 * ------------------------------------------------ */
Val elab_expr(Elab *e, Scope *s, const Ast *ast);
Val elab_callee(Elab *e, Scope *s,
		const Ast *ast); /* functions by name, without calling a bare net */
Val elab_index(Elab *e, Scope *s, Val base, uint32_t n, Ast *const *index, Span at);
/* A literal of whole numbers as ints; false if it is none, v as it was. */
bool literal_ints(Elab *e, Val *v);
/* Structural axes of v become those of the array that it stands beside, where they are as long. */
void literal_fit(Elab *e, Val *v, const Val *like);
Val elab_array_literal(Elab *e, Scope *s, Span at, uint32_t n, Val *item);
Val elab_reduce(Elab *e, Scope *s, const Ast *ast);
Val elab_comprehension(Elab *e, Scope *s, const Ast *ast);
/* What is wanted of `from` is wanted of `to`, a part of it such as the inside of its brackets. */
Wanted wanted_for(const Wanted *w, const Ast *from, const Ast *to);
/* elab_expr of what is to be an array over those axes. */
Val elab_expr_on(Elab *e, Scope *s, const Ast *ast, uint32_t n, const AxisRef *axis);
/* elab_expr of what is to have a type, whose names are seen from `in`. NULL is no type. */
Val elab_expr_as(Elab *e, Scope *s, const Ast *ast, Scope *in, const Ast *type);
/* A binder's names put into scope `in` (child of s): axes inferred from body and filter. Bound
 * indices appended. */
typedef struct Bound {
	uint32_t n;
	Index *ix;
	Node *rec;
	Node filter;
	DataInfo *data;
	uint32_t nwanted; /* axes of the indices in their order, for those that nothing else says */
	const AxisRef *wanted;
} Bound;
bool elab_bind(Elab *e, Scope *in, const Ast *binder, const Ast *body, const Ast *filter,
	       Bound *bound);
Val elab_call_value(Elab *e, Scope *s, const FnVal *fn, Span at, uint32_t n, Val *arg,
		    const Sym *arg_name, const Ast *ast);
Val elab_call(Elab *e, Scope *s, const Ast *ast, const Val *piped);
Val elab_builtin(Elab *e, Scope *s, uint32_t builtin, const Ast *call, const Val *piped);
bool builtin_find(Elab *e, Sym name, uint32_t *row);
const char *builtin_name(uint32_t row); /* NULL past the end */
Val elab_partial(Elab *e, Scope *s, const Ast *ast);
Val elab_derived_call(Elab *e, Scope *s, const FnVal *fn, Span at, uint32_t n, Val *arg);
/* The variable read behind a value that one may differentiate by: coordinates, parameters,
 * arguments, named values. */
bool diff_variable(Elab *e, const Val *v, Def *def, Node **args, uint32_t *nargs);
Val diff_by(Elab *e, Span at, const Val *of,
	    const Val *by); /* array `by` adds its axes at the end */
/* A DEF_VARIABLE alias of the value named so. */
Val diff_alias(Elab *e, Sym name, const Val *v);       /* v itself if it is one already */
Val diff_alias_fresh(Elab *e, Sym name, const Val *v); /* always a new one */
void diff_scan(Elab *e, FnDecl *fn);
/* Marks which of the names the text differentiates by. */
void diff_text_by(Elab *e, const Ast *ast, uint32_t n, Sym *name, bool *by);
Val elab_draw(Elab *e, Scope *s, const Val *dist, Span at, uint32_t nix, const Index *ix,
	      bool each_step);

/* ---- elab_fn.c, elab_def.c, elab_param.c
 * ------------------------------------------------------------------------------------ */
void elab_fn(Elab *e, Scope *s, const Ast *ast);
void elab_equation(Elab *e, Scope *s, const Ast *ast);
void elab_rule(Elab *e, Scope *s, const Ast *ast);
Val elab_block(Elab *e, Scope *s, const Ast *block); /* the value of return */
/* Registers all DEFs of a block or file as pending groups. */
void elab_defs(Elab *e, Scope *s, uint32_t n, Ast *const *stmt);
Val elab_group(Elab *e, Scope *s, Group *g, Sym name, Span at);
bool group_axis(Elab *e, Group *g, Sym name, uint32_t position, AxisRef *out);
/* Definitions that went wrong on trial since e->nfailed was `mark` are made again when next asked
 * for. */
void groups_restore(Elab *e, size_t mark);
/* The definition of the name in the scope is made again when next asked for. */
void group_again(Elab *e, Scope *s, Sym name);
void elab_param(Elab *e, Scope *s, const Ast *ast);
/* x[k+1] with k running over all of x's axis, not under a condition: E0211. ix are the indices that
 * run, over the body. */
bool places_inside(Elab *e, Node body, uint32_t n, const Index *ix);
Val param_value(Elab *e, Span at, const ParamInfo *p, Elem elem);
/* u.dense1.W: the parameter of a net by its path, NULL if the expression (a field) is none. */
const ParamInfo *param_of_net(Elab *e, Scope *s, const Ast *ast);
/* Parameters whose path begins so, "u.": as many names as fit a message, "" if there are none. */
const char *param_names(Elab *e, const char *prefix);

/* The parameter of an activation that is trained for each unit: over the given indices. NULL after
 * errors. */
const ParamInfo *param_by_unit(Elab *e, Scope *s, const Ast *formal, uint32_t nunit,
			       const Index *unit);
/* A place that a recurrence reads and that has no value: of definition number `of`, at these labels
 * of n (one or two) of its axes. */
typedef struct Missing {
	size_t of;
	uint32_t n, axis[2];
	int64_t at[2];
} Missing;
/* Do these definitions, that read each other, have an order? If not, *why says why, or is NULL and a
 * place is missing. */
bool elab_check_order(Elab *e, size_t ndef, const Def *def, uint32_t nctx, const char **why,
		      Missing *missing);
/* An operation on a complex number (exp, sqrt, abs, …); arrays are mapped. */
Val complex_op(Elab *e, Span at, Op op, Val z);
/* Checks a function by itself, with stand-ins for its arguments; marks it bad after errors. */
void fn_check(Elab *e, FnDecl *d);

/* ---- elab_data.c, elab_points.c, elab_claim.c (data, points, claims)
 * ----------------------------------------------------------- */
/* Declares names in the global scope and fills the program. Errors are diagnosed. */
void elab_data(Elab *e, Scope *s, const Ast *ast);
void elab_split(Elab *e, Scope *s, const Ast *ast);
void elab_domain(Elab *e, Scope *s, const Ast *ast);
void elab_points(Elab *e, Scope *s, const Ast *ast);
/* The ends of an interval [lo, hi] or lo..hi, constants in *unit; false after a diagnostic. */
bool points_interval(Elab *e, const Val *v, double *lo, double *hi, UnitId *unit);
/* TEST or ASSERT into claim; false after errors. */
bool elab_claim(Elab *e, Scope *s, const Ast *ast, Claim *claim);
/* Which statements of a file are data sets and splits whose text reads parameters or `let`s, also by
 * way of definitions: they are elaborated at their place. */
bool *late_data(Elab *e, const Ast *file);
/* Is the name that of a data set, or of a part, which is made further below? */
bool late_name(const Elab *e, Sym name);
/* The statement that makes the sets of this declaration, or NULL: they are there from the start. */
Stmt *late_statement(Elab *e, const Ast *ast);
/* A field of one record (VAL_RECORD) or a whole column (VAL_DATA): the latter is an array over the
 * records. */
Val data_field(Elab *e, const Val *base, Sym name, Span at, Span name_span);
/* A copy of a data set's declaration with fresh axes and leaves: parts, batches. records gets the
 * given axis name. */
DataInfo *data_clone(Elab *e, DataInfo *of, DataKind kind, Sym name, Span at);
/* Are a and b the same data set or parts of one? */
bool data_family(const DataInfo *a, const DataInfo *b);

/* ---- elab_stmt.c, elab_train.c, elab_batch.c
 * -------------------------------------------------------------------------------------- */
Stmt *elab_stmt(Elab *e, Scope *s, const Ast *ast); /* NULL for declarations and after errors */
/* export f, g with gradient, atom = 9 to "libf.so" (elab_export.c); false after errors. */
bool elab_export(Elab *e, Scope *s, const Ast *ast, ExportInfo *out);
void elab_unit(Elab *e, const Ast *file); /* all statements of a file, a module or a line */
void elab_const(Elab *e, Scope *s, const Ast *ast);
void elab_decl(Elab *e, Scope *s, const Ast *ast);
bool elab_train(Elab *e, Scope *s, const Ast *ast, TrainInfo *train);
bool elab_value(Elab *e, const Val *v, const Ast *ast, Value *out);
/* By definition: is it reached from one of the roots (0 is none)? */
bool *defs_reached(Elab *e, uint32_t nroot, const Node *root);
/* Marks of nodes met in a walk; a new walk begins by now++. */
typedef struct Visits {
	uint32_t *stamp;
	uint32_t cap, now;
} Visits;
bool visit_first(Elab *e, Visits *v, Node n);
/* By definition, up to *nmark, those that root reaches: does it depend on parameters? */
bool *defs_with_params(Elab *e, Visits *v, Node root, Def *nmark);
/* Does the node read one of those? */
bool node_holds_params(Elab *e, Visits *v, const bool *mark, Def nmark, Node n);
ParamInfo **params_reached(Elab *e, uint32_t nroot, const Node *root, uint32_t *n);
/* The parameters of the names in a list (nets, params, fns, losses; none: all). */
bool params_of_list(Elab *e, Scope *s, uint32_t n, Ast *const *name, uint32_t *count,
		    ParamInfo ***out);
/* objective over `data` rewritten over `batch` (DATA_BATCH of the same fields). 0 after E0304. */
Node batch_rewrite(Elab *e, Span at, Node objective, DataInfo *data, DataInfo *batch, Sym name);

/* ---- small helpers
 * ------------------------------------------------------------------------------------------------------------------
 */
#define SYM(e, text) intern_str((e)->names, (text))
static inline const char *elab_text(const Elab *e, Sym s)
{
	return intern_text(e->names, s);
}
/* Are diagnostics of this moment wanted? (false inside trial elaboration) */
Diags *elab_diags(Elab *e);
#endif
