/* random.h — random valid programs whose meaning is also computed here, by plain loops in 113-bit arithmetic.
 *
 * A program is a list of items (axes, constants, data, functions, definitions). An expression is a tree of nodes that
 * text.c writes in the language and eval.c evaluates; the two share nothing with the compiler. */
#ifndef PNN_TESTS_RANDOM_H
#define PNN_TESTS_RANDOM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef __float128 Quad;
typedef struct Num {
	Quad re, im;
} Num;

typedef enum Kind { KIND_REAL, KIND_INT, KIND_BOOL, KIND_COMPLEX } Kind;

enum {
	MAX_AXES = 4,  /* of one array */
	MAX_ARGS = 4,  /* of one function */
	MAX_ORDER = 6, /* of a derivative */
	DIMS = 2       /* length, energy */
};

/* Whole exponents of nm and eV. */
typedef struct Dim {
	int8_t power[DIMS];
} Dim;

typedef struct Axis {
	unsigned id;
	int64_t first, size;
	bool periodic, labelled;
	bool records; /* not an axis but the records of a data set */
} Axis;

typedef struct Array Array;
typedef struct Data Data;
typedef struct Fn Fn;
typedef struct Node Node;

/* What a name in a binder or a scalar parameter stands for; the value belongs to the evaluation in progress. */
typedef struct Var {
	unsigned id;
	const Axis *axis; /* NULL: a scalar parameter */
	Kind kind;
	Dim dim;
	int64_t at;
	Num value;
} Var;

typedef enum Form {
	FORM_CONST,  /* const a : real[i] = [ … ] */
	FORM_PARAM,  /* param a : real[i] = [ … ] */
	FORM_INDEX,  /* a[i] = body */
	FORM_ARRAY,  /* a = [i in axis -> body] */
	FORM_WHOLE,  /* a = body, with arrays in place of their elements */
	FORM_PIECES, /* a recurrence: base elements and body */
	FORM_ARGUMENT,
	FORM_FIELD,  /* a column of a data set */
	FORM_TUPLE   /* one of the values of a function with two results */
} Form;

typedef enum Constraint { FREE, SYMMETRIC, ANTISYMMETRIC, ZERO_DIAGONAL, POSITIVE } Constraint;

/* A named value with axes (none: a scalar). Elements are stored over the axes widened by the recurrence's base places. */
struct Array {
	unsigned id, naxes;
	const Axis *axis[MAX_AXES];
	unsigned below[MAX_AXES], above[MAX_AXES]; /* places beside the axis */
	Var *index[MAX_AXES];
	Kind kind;
	Dim dim;
	Form form;
	bool spin, gather; /* gather: ints that are labels of `places` */
	const Axis *places;
	Constraint constraint;
	Node *body;
	Node *base[4]; /* of a recurrence; base[k] at place base_at[k] of the first axis (second axis if base_second[k]) */
	int64_t base_at[4];
	bool base_second[4], base_corner[4]; /* corner: at base_at[k] and corner_at */
	int64_t corner_at;
	unsigned nbase;
	bool known;    /* values do not depend on the run (const, param) */
	size_t size;
	Num *value;
	const Data *data; /* of a field */
	bool drawn;       /* a field whose values only the run knows */
	double draw_lo, draw_hi;
};

/* Definitions that are computed together; one array, or several that read each other along their first axis. */
typedef struct Group {
	Array *array[3];
	unsigned n;
	int direction; /* +1, -1: a recurrence; 0: none */
	const Fn *from; /* a pair of results of this function, with these arguments */
	Node *arg[MAX_ARGS];
} Group;

typedef enum DataForm { DATA_GRID, DATA_LIST, DATA_SIMULATED, DATA_CSV } DataForm;
struct Data {
	unsigned id;
	DataForm form;
	Axis records; /* .id is that of the data set */
	unsigned nfield;
	Array *field[MAX_ARGS];
	unsigned domain;         /* id, of points */
	double lo[2], hi[2];
	int64_t steps[2];
	unsigned nfile;          /* fields that stand in the file */
};

typedef enum FnForm { FN_FN, FN_NET, FN_LAYER } FnForm;
struct Fn {
	unsigned id;
	FnForm form;
	unsigned narg;
	bool typed[MAX_ARGS];   /* the parameter is written with its type */
	Var *scalar[MAX_ARGS];  /* a parameter that is a number */
	Array *array[MAX_ARGS]; /* or an array */
	unsigned nlocal;
	Group *local[8];
	Node *body, *second;    /* second: the other of a pair of results */
	Array *result;          /* body is given per element of this array (its index, its axes); NULL: a number */
	bool busy;
};

typedef enum Op {
	OP_NUMBER, OP_INDEX, OP_SCALAR, OP_READ, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_NEG, OP_POWER, OP_CALL1, OP_CALL2, OP_MODR,
	OP_IF, OP_LESS, OP_LESSEQ, OP_EQUAL, OP_UNEQUAL, OP_AND, OP_OR, OP_NOT,
	OP_IDIV, OP_IMOD, OP_BAND, OP_BOR, OP_XOR, OP_SHL, OP_SHR, OP_BIT, OP_FLOOR, OP_TOREAL, OP_SIZE, OP_FIRST, OP_END,
	OP_REDUCE, OP_FN, OP_COMPLEX, OP_RE, OP_IM, OP_CONJ, OP_CABS, OP_ARG, OP_CCALL, OP_DIFF, OP_GRAD, OP_ELEMENT, OP_FLIPPED,
	OP_TWIN /* written as a, means b */
} Op;

typedef enum Reducer { RED_SUM, RED_MEAN, RED_MAX, RED_MIN, RED_PROD, RED_LOGSUMEXP, RED_ARGMAX, RED_ARGMIN, RED_COUNT,
	RED_ALL, RED_ANY } Reducer;

struct Node {
	Op op;
	unsigned id;      /* number, for jitter */
	Kind kind;
	Dim dim;
	bool guarded;     /* means something only under a condition around it: not to be moved */
	Node *a, *b, *c;  /* operands; of a reduction a is the body, b the filter */
	Num number;
	unsigned unit;    /* of a number with dimension: its unit in units[] of text.c */
	int64_t whole;    /* exponent, function, reducer, order */
	Var *var;
	Array *array;
	Node *at[MAX_AXES];
	Var *bound[3];
	unsigned nbound;
	bool pairs;
	const Fn *fn;
	Node *arg[MAX_ARGS];    /* numbers; for array parameters OP_READ nodes without places */
	Array *whole_array;     /* ELEMENT: an array value that is called for: fn(…)[at] */
	unsigned order[MAX_ARGS]; /* of a derivative by each scalar parameter */
	bool partial;             /* written partial[x,x] */
};

typedef enum ItemForm { ITEM_AXIS, ITEM_ARRAY, ITEM_FN, ITEM_DATA, ITEM_GROUP } ItemForm;
typedef struct Item {
	ItemForm form;
	Axis *axis;
	Array *array;
	Fn *fn;
	Data *data;
	Group *group;
} Item;

/* One value that the program prints. */
typedef struct Want {
	unsigned id;
	Array *array;
	Node *node;           /* instead of an array: a number */
	unsigned order;       /* of the derivative it is, for the table; 0: none */
	const char *what;     /* kind of derivative, for the table */
} Want;

typedef struct Chunk Chunk;
typedef struct Gen {
	uint64_t seed, state;
	unsigned nid;
	Chunk *chunk;
	Item item[160];
	unsigned nitem;
	Want want[96];
	unsigned nwant;
	Array *array[160]; /* that expressions may read */
	unsigned narray;
	Axis *axis[12];
	unsigned naxis;
	Data *data[6];
	unsigned ndata;
	Fn *fn[24];
	unsigned nfn;
	Var *scope[16];
	unsigned nscope, kept; /* kept: of a function's parameters, below its recurrences */
	bool units, smooth, in_net; /* smooth: no decisions; in_net: layers may be used */
} Gen;

/* ---- gen.c: memory and chance ---- */
Gen *gen_create(uint64_t seed);
void gen_free(Gen *g);
void *gen_alloc(Gen *g, size_t n);
#define NEW(g, type) ((type *)gen_alloc(g, sizeof(type)))
uint64_t gen_bits(Gen *g);
/* 0 … n - 1. */
unsigned gen_pick(Gen *g, unsigned n);
bool gen_chance(Gen *g, unsigned percent);
/* A decimal of few digits in [lo, hi]. */
double gen_decimal(Gen *g, double lo, double hi);
Item *gen_item(Gen *g, ItemForm form);
/* A whole program with everything that P1 asks for. */
void gen_program(Gen *g);
Array *gen_array(Gen *g, unsigned naxes, const Axis *const *axis);
/* Tries bodies made by `make` until all elements are finite and of modest size. */
bool gen_settle(Gen *g, Group *group);
Group *gen_define(Gen *g, Array *a, Node *body);
void gen_want(Gen *g, Array *a);

/* ---- gen_expr.c ---- */
Node *node_make(Gen *g, Op op, Kind kind, Dim dim);
Node *node_number(Gen *g, double v);
Node *node_int(Gen *g, int64_t v);
Node *node_unit(Gen *g, Node *n, Dim d);
Node *node_two(Gen *g, Op op, Node *a, Node *b);
Node *node_call(Gen *g, int which, Node *a);
Node *node_read(Gen *g, Array *a);
Node *node_scalar(Gen *g, Var *v);
Node *node_index(Gen *g, Var *v);
Var *var_index(Gen *g, const Axis *axis);
Var *var_scalar(Gen *g, Dim dim);
Node *gen_real(Gen *g, int depth, Dim dim);
Node *gen_int(Gen *g, int depth);
Node *gen_bool(Gen *g, int depth);
Node *gen_complex(Gen *g, int depth);
/* A place on the axis. *condition is set if the place is on the axis only where that holds. */
Node *gen_place(Gen *g, const Axis *axis, Node **condition);
Node *gen_read(Gen *g, Array *a);
Dim dim_none(void);
bool dim_equal(Dim a, Dim b);
bool dim_is_none(Dim a);

/* ---- gen_more.c ---- */
void gen_function(Gen *g);
void gen_data(Gen *g);
void gen_recurrence(Gen *g, unsigned form);
void gen_pair(Gen *g);
void gen_whole(Gen *g);
void gen_telling(Gen *g);
void gen_axis(Gen *g);
void gen_const(Gen *g, unsigned k);
void gen_local(Gen *g, Fn *f);
void gen_local_recurrence(Gen *g, Fn *f);

/* ---- gen_deriv.c ---- */
/* Programs whose prints are derivatives. */
void gen_derivatives(Gen *g);

/* ---- eval.c ---- */
typedef struct Eval {
	uint64_t signature; /* of the decisions taken */
	uint64_t where;     /* of the element being computed */
	double jitter;      /* relative disturbance of each operation: measures the condition */
	uint64_t jitter_seed;
	bool bad;           /* something is not a number or a place does not exist */
	bool lost;          /* a difference quotient did not converge */
	Quad largest;
	unsigned nested;    /* difference quotients around */
} Eval;
Num eval_node(Eval *e, Node *n);
void eval_group(Eval *e, Group *group);
/* Everything in order. */
void eval_program(Eval *e, Gen *g);
size_t array_offset(const Array *a, const int64_t *at);
void array_room(Gen *g, Array *a);
double unit_factor(unsigned unit);
Quad unit_quad(unsigned unit);
enum { UNITS_LENGTH = 4, UNITS_ENERGY = 3 };
extern const char *const unit_name[UNITS_LENGTH + UNITS_ENERGY];
extern const char *const call_name[];
extern const char *const call2_name[];
extern const char *const ccall_name[];
enum { CALL_EXP, CALL_LOG, CALL_SQRT, CALL_SIN, CALL_COS, CALL_TANH, CALL_ATAN, CALL_SIGMOID, CALL_SOFTPLUS, CALL_ERF, CALL_ABS,
	CALL_LOG1P, CALL_EXPM1, CALL_ASINH, CALL_COSH, CALL_SIGN, CALL_FLOOR, CALL_CBRT, CALL_SINH, CALL_COUNT };
enum { CALL2_MIN, CALL2_MAX, CALL2_ATAN2, CALL2_POW };
enum { CCALL_EXP, CCALL_SIN, CCALL_COS, CCALL_LOG, CCALL_SQRT };

/* ---- text.c ---- */
typedef struct Style {
	unsigned names;   /* which set of names */
	bool split;       /* parts of expressions as definitions of their own */
	bool shuffle;     /* independent lines in another order */
	uint64_t seed;
} Style;
void text_program(Gen *g, const Style *s, FILE *out);
/* The table that DATA_CSV reads. */
void text_csv(const Gen *g, const Data *d, FILE *out);

/* ---- run.c ---- */
typedef struct Runner {
	const char *pnnc, *folder; /* folder for programs and failures */
	unsigned long compared, dropped;
	double worst;
	unsigned long count[8];  /* by order */
	double error[8];
	bool keep;
	unsigned compiled;       /* every so many programs also run compiled; 0: none */
} Runner;
typedef struct Result {
	char *text; /* standard output, then standard error */
	int status; /* exit code, or 128 + signal */
} Result;
/* Runs a program that lies in the folder. */
Result run_program(const Runner *r, const char *program, const char *threads, const char *backend, const char *precision);
/* Keeps the program, with a line that says what is wrong with it, and tells; false. */
bool run_failed(Runner *r, Gen *g, const char *style, const Result *result, const char *program, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* Did it end well? */
bool run_ended(Runner *r, Gen *g, const Result *result, const char *style, const char *program);
/* Runs the program in every style; true if all agree. On failure files are left in the folder and told. */
bool run_case(Runner *r, Gen *g, bool styles);

/* ---- model.c ---- */
/* Writes a random model with its data, loss and trainings. */
void model_text(Gen *g, FILE *out);

/* ---- differ.c ---- */
/* Makes a model; runs it interpreted and compiled, with several numbers of threads; true if all agree. */
bool run_model(Runner *r, Gen *g);
#endif
