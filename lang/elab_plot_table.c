/* elab_plot_table.c — plots over the columns of a recorded table: which table, and what its names
 * mean. SPEC: figures. */
#include "lang/elab_plot_int.h"

#include <string.h>

void plot_bind(Plotting *p, Index ix)
{
	Bound *b = &p->bound;
	Index *more = arena_array(p->e->arena, Index, b->n + 1);
	for (uint32_t k = 0; k < b->n; k++) {
		more[k] = b->ix[k];
	}
	more[b->n] = ix;
	b->ix = more;
	b->n++;
	p->in->ctx = more;
	p->in->nctx = b->n;
}

static bool mentions(const Ast *ast, Sym name)
{
	bool found = ast && ast->kind == AST_NAME && ast->name == name;
	for (uint32_t k = 0; ast && !found && k < ast->nkid; k++) {
		found = mentions(ast->kid[k], name);
	}
	return found;
}

/* A statement that records, with the loops around it. */
typedef struct Search {
	Plotting *p;
	Sym column, table;
	const Stmt *loop[64];
	unsigned nloop, score;
} Search;

typedef bool EachColumn(Search *s, Sym name, Elem elem, UnitId unit);

static bool each_column(Search *s, const Stmt *record, bool step, EachColumn *each)
{
	const Core *c = s->p->e->core;
	bool found = false;
	for (unsigned k = 0; k < s->nloop; k++) {
		for (uint32_t i = 0; i < s->loop[k]->u.sweep.nloop; i++) {
			const Loop *l = &s->loop[k]->u.sweep.loop[i];
			const DefInfo *d = core_def(c, l->leaf);
			found |= each(s, l->name, d->kind == KIND_INT ? ELEM_INT : ELEM_REAL,
				      d->unit);
		}
	}
	if (step) {
		found |= each(s, SYM(s->p->e, "step"), ELEM_INT, 0);
	}
	for (uint32_t i = 0; i < record->u.record.n; i++) {
		const Value *v = &record->u.record.column[i];
		if (v->value) {
			bool whole = core_def(c, v->value)->kind != KIND_REAL;
			found |= each(s, v->name, whole ? ELEM_INT : ELEM_REAL, v->unit);
		}
	}
	return found;
}

static bool count_column(Search *s, Sym name, Elem elem, UnitId unit)
{
	(void)elem;
	(void)unit;
	bool used = false;
	for (uint32_t k = 0; k < s->p->ast->nkid; k++) {
		const Ast *kid = s->p->ast->kid[k];
		used = used || (kid->kind != AST_PLOTOPT && mentions(kid, name));
	}
	s->score += used;
	return name == s->column;
}

/* A column is a number for each row: the values are elaborated row by row. */
static bool put_column(Search *s, Sym name, Elem elem, UnitId unit)
{
	Plotting *p = s->p;
	Elab *e = p->e;
	PlotColumn *c = &p->out->column[p->out->ncolumn++];
	c->name = name;
	c->leaf = core_leaf(e->core, DEF_RUNTIME, name, p->ast->span,
			    elem == ELEM_INT ? KIND_INT : KIND_REAL, unit, 1, &p->out->rows);
	Node row = core_index_value(e->core, p->bound.ix[0]);
	scope_put(e, p->in, name, p->ast->span,
		  val_num(e, p->ast->span, elem, unit, core_read(e->core, c->leaf, &row)));
	return true;
}

static void use_table(Search *s, const Stmt *record, bool step)
{
	Plotting *p = s->p;
	AxisInfo rows = {.name = SYM(p->e, "row"), .span = p->ast->span, .size = -1};
	p->out->record = record;
	p->out->rows = core_axis(p->e->core, rows);
	p->out->ncolumn = 0;
	uint32_t most = record->u.record.n + 1;
	for (unsigned k = 0; k < s->nloop; k++) {
		most += s->loop[k]->u.sweep.nloop;
	}
	p->out->column = arena_array(p->e->arena, PlotColumn, most);
	p->bound = (Bound){0};
	p->in = scope_new(p->e, p->base, p->base->frame);
	plot_bind(p, core_index(p->e->core, p->out->rows, rows.name));
	each_column(s, record, step, put_column);
}

/* Is that the file's name without folder and ending? m.csv may be called m. */
bool plot_names_file(const Elab *e, Sym path, Sym table)
{
	const char *file = path ? elab_text(e, path) : "", *name = elab_text(e, table);
	const char *slash = strrchr(file, '/');
	file = slash ? slash + 1 : file;
	const char *dot = strrchr(file, '.');
	size_t n = dot ? (size_t)(dot - file) : strlen(file);
	return n && strlen(name) == n && memcmp(file, name, n) == 0;
}

/* Of the tables with that column the one that has most of the names of the values; the last of
 * several. */
static void try_record(Search *s, const Stmt *record, bool step, unsigned *best)
{
	s->score = 1;
	bool named = !s->table || record->u.record.table == s->table ||
		     plot_names_file(s->p->e, record->u.record.path, s->table);
	if (named && each_column(s, record, step, count_column) && s->score >= *best) {
		*best = s->score;
		use_table(s, record, step);
	}
}

static void search_block(Search *s, uint32_t n, Stmt *const *stmt, unsigned *best)
{
	for (uint32_t k = 0; k < n; k++) {
		const Stmt *t = stmt[k];
		if (t->kind == STMT_RECORD) {
			try_record(s, t, false, best);
		} else if (t->kind == STMT_TRAIN) {
			for (uint32_t i = 0; i < t->u.train.nevery; i++) {
				if (t->u.train.every[i].stmt->kind == STMT_RECORD) {
					try_record(s, t->u.train.every[i].stmt, true, best);
				}
			}
		} else if (t->kind == STMT_SWEEP && s->nloop < 64) {
			s->loop[s->nloop++] = t;
			search_block(s, t->u.sweep.body.n, t->u.sweep.body.stmt, best);
			s->nloop--;
		} else if (t->kind == STMT_REPEAT) {
			search_block(s, t->u.repeat.body.n, t->u.repeat.body.stmt, best);
		} else if (t->kind == STMT_IF) {
			search_block(s, t->u.branch.yes.n, t->u.branch.yes.stmt, best);
			search_block(s, t->u.branch.no.n, t->u.branch.no.stmt, best);
		}
	}
}

/* The blocks that the figure stands in, from the outermost: what was recorded in them so far. */
static void search_open(Search *s, const OpenBlock *open, unsigned *best)
{
	if (!open) {
		return;
	}
	search_open(s, open->outer, best);
	if (open->sweep && s->nloop < 64) {
		s->loop[s->nloop++] = open->sweep;
	}
	search_block(s, open->block->n, open->block->stmt, best);
}

bool plot_table(Plotting *p, const Ast *ast)
{
	bool field = ast->kind == AST_FIELD && ast->kid[0]->kind == AST_NAME;
	Search s = {.p = p, .column = ast->name, .table = field ? ast->kid[0]->name : 0};
	unsigned best = 0;
	if (ast->kind == AST_NAME || field) {
		search_block(&s, p->e->program->nstmt, p->e->program->stmt, &best);
		search_open(&s, p->e->open, &best);
	}
	return best > 0;
}
