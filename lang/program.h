/* program.h — an elaborated program: what the run needs, with every name resolved into core
 * definitions. Made by elab.c; executed by compiler/run*.c. Everything lives in the unit's arena.
 */
#ifndef PNN_LANG_PROGRAM_H
#define PNN_LANG_PROGRAM_H
#include "lang/ast.h"
#include "lang/core.h"
#include "lang/unit.h"

/* ---- parameters
 * ------------------------------------------------------------------------------------------------------
 */
enum {
	CONSTRAINT_SYMMETRIC = 1,
	CONSTRAINT_ANTISYMMETRIC = 2,
	CONSTRAINT_ZERO_DIAGONAL = 4,
	CONSTRAINT_POSITIVE = 8,
	CONSTRAINT_CIRCULANT = 16,
	CONSTRAINT_ORTHOGONAL = 32,
	CONSTRAINT_SIMPLEX = 64
};
typedef struct ParamInfo {
	Sym path;  /* "level.dense1.W": used by files, --wrt, info, exports */
	Span span; /* the text that made it */
	Def leaf;  /* DEF_PARAM: the stored numbers, the entries that are trained */
	Def value; /* what the program reads: the leaf, or a definition of it when constrained
		      (symmetric: the leaf's upper triangle; positive: exp of the leaf; simplex:
		      softmax over the last axis; circulant: first row; …). ORTHOGONAL: value ==
		      leaf; the update is followed by a retraction (QR) */
	unsigned constraint;
	Def init; /* definition over the leaf's axes that gives the initial VALUE (before the
		     inverse of the constraint), or 0 for zeros; may hold NODE_RANDOM */
	bool init_orthogonal; /* ~ orthogonal: QR of a normal matrix, by C */
	Sym init_file;        /* from "file": an NPY path, or 0 */
	UnitId unit;
	bool frozen; /* at the start; statements change it */
	bool used;   /* some loss reaches it */
} ParamInfo;

/* ---- data, splits, points
 * --------------------------------------------------------------------------------------------- */
typedef enum {
	SOURCE_NONE,
	SOURCE_COLUMN,
	SOURCE_ONEHOT,
	SOURCE_EQUALS,
	SOURCE_DERIVED
} SourceKind;
/* A condition on the cells of one row of a table. */
typedef enum {
	ROW_AND,
	ROW_OR,
	ROW_NOT,
	ROW_EQ,
	ROW_NE,
	ROW_LT,
	ROW_LE,
	ROW_GT,
	ROW_GE
} RowOp;
typedef struct RowTest {
	RowOp op;
	Span span;
	const struct RowTest *a, *b; /* AND, OR; NOT has a */
	Sym column;                  /* comparisons: its cell with a text, or with a number */
	Sym text;
	bool is_text;
	double number;
} RowTest;
typedef struct FieldInfo {
	Sym name;
	Span span;
	Def leaf;    /* DEF_DATA over (records, axes…), or over (axes…) when shared */
	Kind kind;   /* a bool column is KIND_BOOL */
	bool spin;   /* values must be ±1 */
	Axis of;     /* an int field whose type is an axis: values are label values of it; else 0 */
	bool shared; /* one value for all records */
	UnitId unit;
	SourceKind source;
	Sym column;  /* of the file; may hold a *, then all columns that fit along the last axis */
	Sym column_to; /* from "a".."b": the columns from `column` to this one; else 0 */
	Sym at; /* of a set grouped by a column: which column holds the place along the field's
		   axis; else 0 */
	Sym literal; /* SOURCE_EQUALS: 1 where the string column equals this */
	Axis onehot; /* SOURCE_ONEHOT: labels of this axis (one letter per position when the field
			has a position axis before it, otherwise the whole cell is one label);
			letters that are no label give an even share of the ambiguity code (IUPAC
			for A C G T, else an error) */
	Def formula; /* definition over the leaf's formals: SOURCE_DERIVED fields, and the
			simulation of the others; or 0 */
} FieldInfo;

typedef enum {
	POINTS_SOBOL,
	POINTS_HALTON,
	POINTS_HAMMERSLEY,
	POINTS_LATIN,
	POINTS_UNIFORM,
	POINTS_GRID,
	POINTS_UNION,
	POINTS_LIST
} PointsKind;
typedef enum {
	COORD_UNIFORM,
	COORD_NORMAL,
	COORD_FIXED
} CoordKind; /* how a coordinate is made of its uniform number */
typedef struct CoordGen {
	CoordKind kind;
	double a, b;
} CoordGen; /* [a,b]; mean a, deviation b (clipped into its domain interval by redrawing the tail:
	       inverse CDF between the ends); value a */
typedef struct PointsGen {
	PointsKind kind;
	int64_t n; /* of this generator (GRID: product of per_axis) */
	uint32_t ncoord;
	CoordGen *coord;   /* in the order of the domain's variables */
	double *lo, *hi;   /* the domain's interval of each */
	int64_t *per_axis; /* GRID */
	int64_t redraw;    /* steps between redraws, 0: never */
	int64_t stream;
	uint32_t nkid;
	struct PointsGen **kid; /* UNION: rows one after the other */
} PointsGen;

typedef enum { DATA_TABLE, DATA_PART, DATA_POINTS, DATA_EXPR, DATA_BATCH } DataKind;
typedef struct DataInfo DataInfo;
struct DataInfo {
	DataKind kind;
	Sym name;
	Span span;
	Axis records; /* AXIS_SAMPLES, size -1 until loaded or made */
	uint32_t nfield;
	FieldInfo *field; /* points: one per coordinate */
	Sym path;         /* TABLE: file ("" or 0: simulate) */
	const RowTest *where; /* TABLE: of the file only these rows, or NULL */
	Sym by;               /* TABLE: rows with the same text in this column are one record, or 0 */
	bool complete;        /* TABLE: records with a missing value are left out */
	const Ast *ast;       /* the statement that declares it */
	bool late; /* made of present values, by a statement at its place (STMT_DATA) */
	bool has_simulate;
	int64_t simulate; /* number of records to simulate */
	/* Axes sized by record are copied per data set: axis j is ragged[k] of size = largest; its
	 * AxisInfo.length is an int leaf DEF_DATA over records that the loader fills. When all
	 * records agree the lengths are all equal to the size. */
	uint32_t nragged;
	Axis *ragged;
	DataInfo *parent; /* PART, BATCH */
	uint32_t part;    /* number of the part in its split */
	PointsGen *points;
	Axis expr_axis; /* DATA_EXPR: records are made by the program: field formulas over records,
			   size = simulate */
};
typedef struct SplitInfo {
	DataInfo *parent;
	Span span;
	Sym by; /* group column or field, or 0 */
	uint32_t npart;
	DataInfo **part; /* DATA_PART, same fields in the same order */
	double *amount;  /* fraction (0,1), or count >= 1 */
	int64_t seed;
	Node seed_now; /* a seed that is computed when the set is dealt, or 0 */
} SplitInfo;

/* ---- losses, training
 * ---------------------------------------------------------------------------------------------------
 */
typedef struct LossInfo {
	Sym name;
	Span span;
	Node value;
} LossInfo; /* closed scalar without unit */

/* One parameter's update under an optimiser written in the language. All definitions are over the
 * parameter leaf's formals. */
typedef struct Update {
	ParamInfo *param;
	Def gradient; /* DEF_RUNTIME leaf that stands for ∂objective/∂leaf: the run maps it to the
			 derived gradient */
	Def next;     /* new value of the leaf */
	uint32_t nstate;
	Def *state, *state_init,
		*state_next; /* DEF_RUNTIME leaves, their initial and next values */
	Sym *state_name; /* "m", "v": safetensors name is path + "." + name under "optimiser." */
} Update;

typedef enum { OPTIMISER_LANGUAGE, OPTIMISER_LBFGS } OptimiserKind;
typedef struct Option {
	Sym name;
	Span span;
	Node value;
	Def array;
} Option; /* closed scalar, or definition shaped as a parameter */
typedef struct Phase {
	Span span;
	Sym name; /* "adam" */
	OptimiserKind kind;
	uint32_t nupdate;
	Update *update;
	uint32_t noption; /* lbfgs: memory, tol…; all: clip, batch are taken out below */
	Option *option;
	Node clip;     /* largest gradient norm, or 0 */
	int64_t count; /* -1: until alone */
	Node count_now; /* a number of steps that is computed when the phase begins, or 0 */
	bool epochs;
	Node until;           /* closed bool over Program.step … change, or 0 */
	int64_t batch;        /* records per step, 0: all */
	DataInfo *batch_of;   /* the set that is cut into batches */
	DataInfo *batch_data; /* DATA_BATCH with batch records; the run gathers rows of batch_of
				 into it each step */
	Node objective; /* what this phase minimises: the objective, rewritten over batch_data when
			   batched */
	uint32_t nterm; /* named losses in it, rewritten likewise */
	LossInfo *term;
} Phase;

typedef struct Stmt Stmt;
typedef struct Block {
	uint32_t n;
	Stmt **stmt;
} Block;
typedef struct Every {
	Stmt *stmt;
	int64_t steps;
} Every; /* RECORD or PRINT every n steps */

typedef struct TrainInfo {
	Sym name;
	Node objective; /* closed real scalar to be minimised, number */
	bool maximise;  /* the objective was negated */
	uint32_t nterm;
	LossInfo *term;
	uint32_t nparam;
	ParamInfo **param; /* what the objective reaches (or `over` chose), before freezing */
	uint32_t nphase;
	Phase *phase;
	uint32_t nevery;
	Every *every;
	Def steps, last; /* RUNTIME: its number of steps and its last loss once it is over; or 0 */
} TrainInfo;

/* ---- claims
 * ----------------------------------------------------------------------------------------------------------------
 */
typedef enum {
	SAMPLE_UNIFORM, /* each element uniform in [lo,hi] (normal-like spread about 0 when lo =
			   -inf) */
	SAMPLE_INTEGER, /* each element of lo..hi */
	SAMPLE_SPIN,
	SAMPLE_BOOL,
	SAMPLE_RECORD,     /* an int leaf: a record number of `data` */
	SAMPLE_ROTATION,   /* real[a,b]: random element of SO(d) */
	SAMPLE_ORTHOGONAL, /* O(d): reflections too */
	SAMPLE_VECTOR,     /* translation: normal of size 1 in its unit */
	SAMPLE_PERMUTATION /* int[a]: a permutation of the axis' label values; with `data` the axis
			      is sized by its records: only the places that the record of this trial
			      has are permuted, the others stay */
} SampleKind;
typedef struct SampleVar {
	Sym name;
	Def leaf;
	SampleKind kind;
	double lo, hi;
	DataInfo *data;
	UnitId unit;
} SampleVar;

/* One comparison inside a condition, shown with its values: before a op b. */
typedef struct ClaimPart {
	const char *before; /* "", "not ", " and not ", … */
	Def left, right;    /* scalars */
	Sym op;
	UnitId unit;
} ClaimPart;

typedef struct Claim {
	Span span;
	const char *text; /* as written */
	const char *name; /* `as "…"`; NULL: none was given */
	uint32_t npart;   /* an assertion that is no single comparison: those it is made of, if all
			     are of numbers */
	ClaimPart *part;
	uint32_t nvar;    /* free variables, set anew for each trial */
	SampleVar *var;
	uint32_t nsized; /* axes without a size, tried at several (2, 3, 5, 7) */
	Axis *sized;
	Def left, right; /* compared element by element over the same formals (== claims;
			    invariance) */
	Sym compare;     /* "==", "<", "<=", ">", ">=", "!=" ; 0: `condition` alone */
	Def scale; /* size of the terms: |left| + |right| + Σ|terms|; the tolerance is relative to
		      it; 0: |left| + |right| */
	Def condition;        /* bool over formals (all must hold); for < > claims too */
	double within;        /* tolerance; default 1e-9; 0 for < > */
	bool within_absolute; /* `within` was given: then |left - right| <= within */
	int64_t trials;       /* default 100 */
	const char *left_text, *right_text;
	UnitId unit;
} Claim;

/* ---- statements
 * ------------------------------------------------------------------------------------------------------------
 */
typedef struct Value {    /* something to show or keep */
	const char *text; /* as written, for labels */
	Sym name;
	Sym string;    /* text alone when value == 0 */
	Def value;     /* over the axes of the array (no formals: scalar) */
	Def imaginary; /* complex values, else 0 */
	UnitId unit;
	Axis of;         /* an int that is a place of this axis: shown by its label if it has labels */
	unsigned digits; /* significant digits asked for by digits(e, n); 0: the usual 6 */
} Value;
typedef struct Loop {
	Sym name;
	Def leaf;
	Def values;
	Span span;
	Axis of; /* as in Value */
} Loop; /* sweep variable: scalar RUNTIME leaf (int or real); values: definition over one axis */

/* ---- exported functions
 * ------------------------------------------------------------------------------------------------------------
 */
typedef enum {
	EXPORT_REAL,
	EXPORT_COMPLEX,
	EXPORT_INT,
	EXPORT_BOOL, /* an int64_t, 0 or 1 */
	EXPORT_SPIN, /* a real, +1 or -1 */
	EXPORT_INDEX /* an int: a label value of an axis */
} ExportType;
/* A definition as one call takes or gives it, and for many calls at once: over (calls, axes…).
 * part 1 is the imaginary part of complex values, else 0. */
enum { EXPORT_ONE, EXPORT_MANY, EXPORT_FORMS };
typedef struct ExportValue {
	Sym name; /* 0: the only result */
	Span span;
	ExportType type;
	Axis of; /* EXPORT_INDEX */
	UnitId unit;
	uint32_t rank;
	const Axis *axis;
	bool field;  /* of a record: left out where nothing reads it */
	uint32_t by; /* a result that is the derivative by argument by - 1: whoever plans makes it */
	Def def[EXPORT_FORMS][2]; /* arguments: RUNTIME leaves; results: definitions */
} ExportValue;
/* One entry of the library: a function, or a function with its derivatives. */
typedef struct ExportFn {
	Sym name;
	Span span;
	bool gradient; /* results: the value, then one derivative for each real argument */
	uint32_t narg, nresult;
	ExportValue *arg, *result;
	Axis calls; /* of EXPORT_MANY; its size is set by whoever plans */
} ExportFn;
/* An axis without a size of its own: that of the records of a data set, if they agree. */
typedef struct ExportAxis {
	Axis axis, of;
	DataInfo *data;
	Span span;
} ExportAxis;
typedef struct ExportInfo {
	uint32_t n;
	ExportFn *fn;
	uint32_t nsized;
	ExportAxis *sized;
	Sym path;
} ExportInfo;

/* ---- figures
 * ----------------------------------------------------------------------------------------------------------------
 */
typedef enum {
	PLOT_LINES,
	PLOT_POINTS,
	PLOT_HEATMAP,
	PLOT_MATRIX,
	PLOT_SPACETIME,
	PLOT_ARROWS,
	PLOT_CONFUSION,
	PLOT_HISTOGRAM
} PlotKind;
/* values value … value + n - 1: one; two are the edges of a band, or the components of arrows;
 * three are a line and the edges of its band. Their first dimension is the place to the right, the
 * second the place upwards (fields) or one line each; the last of arrows the two components. */
typedef struct PlotSeries {
	const char *label;
	uint32_t value, n;
	int slope; /* ±1: the slope of value along value + 1, times that; else 0 */
} PlotSeries;
typedef struct PlotPlace {
	const char *label;
	UnitId unit;
	Axis axis;      /* of the places */
	uint32_t value; /* number of the value that holds them + 1, over that axis; 0: its labels */
} PlotPlace;
typedef struct PlotColumn {
	Sym name;
	Def leaf; /* RUNTIME over the rows, filled from the recorded table */
} PlotColumn;
typedef enum {
	PLOT_BAND_DEVIATION,
	PLOT_BAND_ERROR,
	PLOT_BAND_RANGE,
	PLOT_BAND_NONE
} PlotBand;
typedef enum { PLOT_COLOURS_AUTO, PLOT_VIRIDIS, PLOT_DIVERGING, PLOT_GREY } PlotColours;
enum { PLOT_X, PLOT_Y, PLOT_Z, PLOT_DIRECTIONS };
typedef struct PlotOptions {
	const char *title, *label[PLOT_DIRECTIONS]; /* NULL: made from the program */
	uint32_t nlegend;
	const char **legend;
	bool no_legend, diagonal;
	bool log_given; /* else a logarithmic x is chosen where the places ask for it */
	bool log[PLOT_DIRECTIONS];
	bool ranged[PLOT_DIRECTIONS];
	double lo[PLOT_DIRECTIONS], hi[PLOT_DIRECTIONS];
	double width, height; /* cm; 0: as the figure needs */
	int64_t bins;         /* 0: as the data need */
	int64_t grid;         /* places along a coordinate; 0: as the figure needs */
	PlotBand band;
	PlotColours colours;
} PlotOptions;
typedef struct PlotInfo {
	PlotKind kind;
	uint32_t nvalue;
	Value *value;
	uint32_t nseries;
	PlotSeries *series;
	uint32_t nplace;
	PlotPlace *place;
	uint32_t by;           /* number of the value that tells lines apart + 1, else 0 */
	Axis classes;          /* of a confusion table, or 0 */
	const struct Stmt *record; /* whose table is drawn, or NULL */
	Axis rows;
	uint32_t ncolumn;
	PlotColumn *column;
	PlotOptions option;
	Sym path; /* 0: as text, to the output */
} PlotInfo;

typedef enum {
	STMT_TRAIN,
	STMT_SWEEP,
	STMT_REPEAT,
	STMT_IF,
	STMT_RECORD,
	STMT_RESET,
	STMT_LET,
	STMT_PRINT,
	STMT_SAVE,
	STMT_LOAD,
	STMT_SET,
	STMT_FREEZE,
	STMT_TEST,
	STMT_ASSERT,
	STMT_PLOT,
	STMT_EXPORT,
	STMT_DATA
} StmtKind;
struct Stmt {
	StmtKind kind;
	Span span;
	const Ast *ast;
	union {
		TrainInfo train;
		struct {
			uint32_t nloop;
			Loop *loop;
			Block body;
		} sweep; /* nested from left to right */
		struct {
			Node count, until;
			Block body;
		} repeat; /* 0 where absent; until after each pass */
		struct {
			Node cond;
			Block yes, no;
		} branch;
		struct {
			Sym table;
			uint32_t n;
			Value *column;
			Sym path;
		} record;
		struct {
			uint32_t n;
			ParamInfo **param;
			Node seed;
		} reset; /* seed 0: the run's */
		struct {
			uint32_t n;
			Def *leaf;
			Value *value;
		} let; /* leaf[k] := value[k], now (imaginary parts are further entries) */
		struct {
			uint32_t n;
			Value *item;
		} print;
		struct {
			uint32_t n;
			ParamInfo **param;
			Sym path;
		} file; /* save, load */
		struct {
			ParamInfo *param;
			Def cond, value;
		} set; /* over the parameter's formals: where cond holds, value */
		struct {
			uint32_t n;
			ParamInfo **param;
			bool thaw;
		} freeze;
		struct {
			uint32_t n;
			DataInfo **set;
		} data; /* sets and parts that are made now */
		Claim claim;
		ExportInfo export;
		PlotInfo plot;
	} u;
};

typedef struct Program {
	Core *core;
	UnitTable *units;
	const Ast *file;
	bool f32;
	uint32_t nparam;
	ParamInfo **param;
	uint32_t ndata;
	DataInfo **data; /* in order: parents before parts */
	uint32_t nsplit;
	SplitInfo **split;
	uint32_t nloss;
	LossInfo **loss;
	uint32_t nstmt;
	Stmt **stmt; /* in order; elaboration may append more at the prompt */
	/* Scalar RUNTIME leaves that expressions may read inside a training: */
	Def step;      /* `step`: int, of the phase, from 1 */
	Def epoch;     /* `epoch`: int, from 1 */
	Def grad_norm; /* `grad`: norm of the gradient */
	Def change; /* `change`: largest |change| of a parameter entry in the last step, relative to
		       1 + |entry| */
	Def loss_value; /* `loss`: the objective */
	uint32_t nset;
	Sym *set_name;
	const char **set_value; /* what --set changed, for the record */
} Program;
#endif
