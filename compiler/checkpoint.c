/* checkpoint.c — writing where a run stands, and going on from there.
 * Everything that a later statement can see is in the file; what is not (data, points, batches) is
 * made again from seeds. Invariant: `arriving` holds until execution has walked back to the saved
 * place; until then statements are only passed. */
#include "compiler/checkpoint.h"
#include "compiler/data_load.h"
#include "compiler/run_int.h"
#include "compiler/train_int.h"
#include "compiler/weights.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "pnn checkpoint 1"
#define MOST_STEPS 4e9 /* phases are counted in 32 bits, and no training takes so many steps */
enum { MOST_META = 16, DIFFERENCES_SHOWN = 6 };

struct Checkpoint {
	const char *path;
	RtWeights *weights; /* what is continued; NULL when begun anew */
	bool arriving, training;
	unsigned depth;
	Frame frame[RUN_DEPTH];
	double last;   /* second of the last writing */
	int64_t steps; /* since then */
};

void checkpoint_free(Run *r)
{
	if (r->checkpoint) {
		rt_weights_free(r->checkpoint->weights);
	}
	free(r->checkpoint);
	r->checkpoint = NULL;
}

bool checkpoint_continues(const Run *r)
{
	if (r->checkpoint) {
		return r->checkpoint->weights != NULL;
	}
	return r->e->options.resume && access(r->e->options.resume, F_OK) == 0;
}

/* ---- which leaves ---- */

typedef struct LeafList {
	Run *r;
	RtTensor *tensor;
	Def *leaf;
	size_t n, room, room2;
} LeafList;

static void add_leaf(LeafList *l, const char *name, Def leaf)
{
	if (!leaf || !store_has(l->r->store, leaf)) {
		return;
	}
	for (size_t k = 0; k < l->n; k++) {
		if (l->leaf[k] == leaf) {
			return;
		}
	}
	size_t n = l->n;
	ARENA_PUSH(l->r->e->scratch, l->leaf, n, l->room2, leaf);
	ARENA_PUSH(l->r->e->scratch, l->tensor, l->n, l->room, weights_leaf(l->r, name, leaf));
}

static void add_blocks(LeafList *l, const Block *b);

/* A value of the program under its number, which the same text gives it again. */
static void add_value(LeafList *l, Def leaf)
{
	if (leaf) {
		const char *name = run_name(l->r, core_def(l->r->core, leaf)->name);
		add_leaf(l, arena_printf(l->r->e->scratch, "let.%u.%s", leaf, name), leaf);
	}
}

/* A set that was made of present values; they may have changed since. */
static void add_set(LeafList *l, const DataInfo *d)
{
	for (uint32_t k = 0; k < d->nfield; k++) {
		Def leaf = d->field[k].leaf;
		if (!data_pending(l->r, leaf)) {
			add_value(l, leaf);
		}
	}
}

static void add_statement(LeafList *l, const Stmt *s)
{
	switch (s->kind) {
	case STMT_LET:
		for (uint32_t k = 0; k < s->u.let.n; k++) {
			add_value(l, s->u.let.leaf[k]);
		}
		break;
	case STMT_TRAIN:
		add_value(l, s->u.train.steps);
		add_value(l, s->u.train.last);
		break;
	case STMT_DATA:
		for (uint32_t k = 0; k < s->u.data.n; k++) {
			add_set(l, s->u.data.set[k]);
		}
		break;
	case STMT_SWEEP:
		add_blocks(l, &s->u.sweep.body);
		break;
	case STMT_REPEAT:
		add_blocks(l, &s->u.repeat.body);
		break;
	case STMT_IF:
		add_blocks(l, &s->u.branch.yes);
		add_blocks(l, &s->u.branch.no);
		break;
	default:
		break;
	}
}

/* As deep as blocks are executed. */
static void add_blocks(LeafList *l, const Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		add_statement(l, b->stmt[k]);
	}
}

static const char *param_name(Run *r, const ParamInfo *p)
{
	const char *path = run_name(r, p->path);
	return p->value == p->leaf ? path : arena_printf(r->e->scratch, "%s.stored", path);
}

static LeafList find_leaves(Run *r)
{
	const Program *p = r->program;
	LeafList l = {.r = r};
	for (uint32_t k = 0; k < p->nparam; k++) {
		add_leaf(&l, param_name(r, p->param[k]), p->param[k]->leaf);
	}
	add_leaf(&l, "run.step", p->step);
	add_leaf(&l, "run.epoch", p->epoch);
	add_leaf(&l, "run.grad", p->grad_norm);
	add_leaf(&l, "run.change", p->change);
	add_leaf(&l, "run.loss", p->loss_value);
	Block all = {p->nstmt, p->stmt};
	add_blocks(&l, &all);
	return l;
}

/* ---- writing ---- */

static const char *frames_text(Run *r, unsigned depth)
{
	const char *text = "";
	for (unsigned k = 0; k < depth; k++) {
		const Frame *f = &r->frame[k];
		text = arena_printf(r->e->scratch, "%s%" PRIu32 ":%" PRId64 ":%d ", text, f->stmt,
				    f->pass, f->branch);
	}
	return text;
}

static const char *frozen_text(Run *r)
{
	uint32_t n = r->program->nparam;
	char *text = arena_alloc(r->e->scratch, (size_t)n + 1, 1);
	for (uint32_t k = 0; k < n; k++) {
		text[k] = r->program->param[k]->frozen ? '1' : '0';
	}
	return text;
}

static size_t metadata(Run *r, bool training, RtMeta *meta)
{
	size_t n = 0;
	meta[n++] = (RtMeta){"format", FORMAT};
	meta[n++] = (RtMeta){"program", engine_hash(r->e)};
	meta[n++] = (RtMeta){"frames", frames_text(r, r->depth)};
	meta[n++] = (RtMeta){"training", training ? "1" : "0"};
	meta[n++] = (RtMeta){"frozen", frozen_text(r)};
	meta[n++] = (RtMeta){"claims", arena_printf(r->e->scratch, "%u %u %d", r->claims,
						    r->claims_failed, r->e->worst)};
	meta[n++] = (RtMeta){"tables", arena_printf(r->e->scratch, "%zu", r->ntable)};
	return n;
}

static double *saved_value(Run *r, const SavedArray *a)
{
	return a->leaf ? store_real(r->store, a->leaf) : a->value;
}

static bool write_all(Run *r, uint32_t nstate, const SavedArray *state, bool training)
{
	struct Checkpoint *c = r->checkpoint;
	ArenaMark mark = arena_mark(r->e->scratch);
	LeafList l = find_leaves(r);
	for (uint32_t k = 0; k < nstate; k++) {
		RtTensor t = {.name = state[k].name,
			      .dtype = RT_F64,
			      .ndim = 1,
			      .dim = {state[k].n},
			      .data = saved_value(r, &state[k])};
		ARENA_PUSH(r->e->scratch, l.tensor, l.n, l.room, t);
	}
	RtMeta *meta = arena_array(r->e->scratch, RtMeta, MOST_META + r->ntable);
	size_t nmeta = metadata(r, training, meta);
	char **table = arena_array(r->e->scratch, char *, r->ntable + 1);
	bool ok = true;
	for (size_t k = 0; k < r->ntable; k++) {
		table[k] = record_to_text(&r->table[k]);
		ok = ok && table[k];
		meta[nmeta++] = (RtMeta){arena_printf(r->e->scratch, "table.%zu", k), table[k]};
	}
	RtError err = {.text = "not enough memory"};
	ok = ok && rt_safetensors_write(c->path, l.tensor, l.n, meta, nmeta, &err) == RT_OK;
	if (!ok) {
		diag_cannot_write(r->e->ctx.diags, (Span){0}, c->path, run_reason(&err));
	}
	for (size_t k = 0; k < r->ntable; k++) {
		free(table[k]);
	}
	arena_release(r->e->scratch, mark);
	c->last = train_clock();
	c->steps = 0;
	return ok;
}

static bool due(Run *r)
{
	struct Checkpoint *c = r->checkpoint;
	if (r->e->options.save_steps > 0) {
		return c->steps >= r->e->options.save_steps;
	}
	return train_clock() - c->last >= r->e->options.save_seconds;
}

bool checkpoint_statement(Run *r, bool now)
{
	if (!r->checkpoint || r->checkpoint->arriving || !(now || due(r))) {
		return true;
	}
	return write_all(r, 0, NULL, false);
}

bool checkpoint_training(Run *r, uint32_t n, const SavedArray *state, bool now)
{
	if (!r->checkpoint) {
		return true;
	}
	r->checkpoint->steps++;
	return (!now && !due(r)) || write_all(r, n, state, true);
}

/* ---- reading ---- */

static bool known_tensor(const LeafList *l, const char *name)
{
	for (size_t k = 0; k < l->n; k++) {
		if (strcmp(l->tensor[k].name, name) == 0) {
			return true;
		}
	}
	return strncmp(name, "let.", 4) == 0 || strncmp(name, "optimiser.", 10) == 0 ||
	       strncmp(name, "lbfgs.", 6) == 0 || strcmp(name, "training") == 0;
}

/* What differs between the file and a program whose hash is another. */
static const char *differences(Run *r, const RtWeights *w)
{
	LeafList l = find_leaves(r);
	const char *text = "";
	unsigned n = 0;
	for (size_t k = 0; k < l.n && n < DIFFERENCES_SHOWN; k++) {
		const RtTensor *t = rt_weights_tensor(w, l.tensor[k].name);
		const char *sep = n ? "; " : "";
		if (!t) {
			text = arena_printf(r->e->arena, "%s%s%s is missing", text, sep,
					    l.tensor[k].name);
			n++;
		} else if (!weights_fit(r, t, l.leaf[k])) {
			text = arena_printf(r->e->arena, "%s%s%s is %s there and %s here", text,
					    sep, t->name, weights_shape(r, t),
					    data_leaf_shape(r, l.leaf[k], 0));
			n++;
		}
	}
	for (size_t k = 0; k < w->ntensors && n < DIFFERENCES_SHOWN; k++) {
		if (!known_tensor(&l, w->tensor[k].name)) {
			text = arena_printf(r->e->arena, "%s%s%s is not in the program", text,
					    n++ ? "; " : "", w->tensor[k].name);
		}
	}
	return n ? text
		 : "the program's text, its settings or the seed changed since it was written";
}

static bool misfit(Run *r, const char *why)
{
	struct Checkpoint *c = r->checkpoint;
	diag_help(diag_weights_differ(r->e->ctx.diags, (Span){0}, c->path, why),
		  "run it with the program it belongs to, or name a file that does not exist yet");
	return false;
}

static bool read_frames(struct Checkpoint *c, const char *text)
{
	int used, branch;
	Frame f;
	while (c->depth < RUN_DEPTH && sscanf(text, "%" SCNu32 ":%" SCNd64 ":%d %n", &f.stmt,
					      &f.pass, &branch, &used) == 3) {
		f.branch = branch != 0;
		c->frame[c->depth++] = f;
		text += used;
	}
	return *text == 0 && c->depth > 0;
}

static bool put_leaf(Run *r, const RtTensor *t, Def leaf)
{
	bool real = core_def(r->core, leaf)->kind == KIND_REAL;
	if (!t || !weights_fit(r, t, leaf) || t->dtype != (real ? RT_F64 : RT_I64)) {
		return false;
	}
	void *to = real ? (void *)store_real(r->store, leaf) : (void *)store_int(r->store, leaf);
	memcpy(to, t->data, store_count(r->store, leaf) * 8);
	return true;
}

/* `let` leaves get their room from the file: the statement that would make it has been passed. */
static bool put_lets(Run *r, const RtWeights *w)
{
	for (size_t k = 0; k < w->ntensors; k++) {
		unsigned number;
		if (sscanf(w->tensor[k].name, "let.%u.", &number) != 1) {
			continue;
		}
		bool known = number > 0 && number <= core_def_count(r->core);
		DefRole role = known ? core_def(r->core, number)->role : DEF_VALUE;
		if ((role != DEF_RUNTIME && role != DEF_DATA) || !eval_room(r, number) ||
		    !put_leaf(r, &w->tensor[k], number)) {
			return false;
		}
		data_made(r, number);
	}
	return true;
}

static bool put_values(Run *r, const RtWeights *w)
{
	ArenaMark mark = arena_mark(r->e->scratch);
	LeafList l = find_leaves(r);
	bool ok = true;
	for (size_t k = 0; ok && k < l.n; k++) {
		ok = put_leaf(r, rt_weights_tensor(w, l.tensor[k].name), l.leaf[k]);
	}
	arena_release(r->e->scratch, mark);
	return ok && put_lets(r, w);
}

static bool put_state(Run *r, const RtWeights *w)
{
	const char *frozen = rt_weights_meta(w, "frozen"), *claims = rt_weights_meta(w, "claims");
	const char *tables = rt_weights_meta(w, "tables");
	size_t ntable = 0;
	if (!frozen || strlen(frozen) != r->program->nparam || !claims ||
	    sscanf(claims, "%u %u %d", &r->claims, &r->claims_failed, &r->e->worst) != 3 ||
	    !tables || sscanf(tables, "%zu", &ntable) != 1) {
		return false;
	}
	for (uint32_t k = 0; k < r->program->nparam; k++) {
		r->program->param[k]->frozen = frozen[k] == '1';
	}
	for (size_t k = 0; k < ntable; k++) {
		const char *text = rt_weights_meta(w, arena_printf(r->e->arena, "table.%zu", k));
		if (!text || !record_from_text(r, text)) {
			return false;
		}
	}
	return true;
}

static bool continue_from(Run *r)
{
	struct Checkpoint *c = r->checkpoint;
	const char *format = rt_weights_meta(c->weights, "format"),
		   *hash = rt_weights_meta(c->weights, "program");
	const char *frames = rt_weights_meta(c->weights, "frames"),
		   *training = rt_weights_meta(c->weights, "training");
	if (!format || strcmp(format, FORMAT) != 0 || !hash || !frames || !training) {
		return misfit(r, "it is no checkpoint");
	}
	if (strcmp(hash, engine_hash(r->e)) != 0) {
		return misfit(r, differences(r, c->weights));
	}
	if (!read_frames(c, frames) || !put_values(r, c->weights) || !put_state(r, c->weights)) {
		return misfit(r, "its content is damaged");
	}
	c->training = strcmp(training, "1") == 0;
	c->arriving = true;
	if (!r->e->options.quiet) {
		fprintf(r->e->options.error, "continuing %s\n", c->path);
	}
	return true;
}

bool checkpoint_open(Run *r)
{
	if (!r->e->options.resume || r->checkpoint) {
		return true;
	}
	r->checkpoint = calloc(1, sizeof *r->checkpoint);
	if (!r->checkpoint) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "the checkpoint");
		return false;
	}
	r->checkpoint->path = r->e->options.resume;
	r->checkpoint->last = train_clock();
	if (access(r->checkpoint->path, F_OK) != 0) {
		return true;
	}
	RtError err;
	if (rt_safetensors_read(r->checkpoint->path, &r->checkpoint->weights, &err) != RT_OK) {
		run_rt_error(r, (Span){0}, &err);
		return false;
	}
	return continue_from(r);
}

bool checkpoint_frame(Run *r, unsigned depth, uint32_t *stmt, int64_t *pass, bool *branch)
{
	const struct Checkpoint *c = r->checkpoint;
	if (!c || !c->arriving || depth >= c->depth) {
		return false;
	}
	*stmt = c->frame[depth].stmt;
	*pass = c->frame[depth].pass;
	*branch = c->frame[depth].branch;
	return true;
}

bool checkpoint_deeper(const Run *r, unsigned depth)
{
	return r->checkpoint && depth + 1 < r->checkpoint->depth;
}

void checkpoint_arrived(Run *r)
{
	if (r->checkpoint) {
		r->checkpoint->arriving = false;
	}
}

bool checkpoint_training_numbers(const Run *r, double number[TRAINING_NUMBERS])
{
	const struct Checkpoint *c = r->checkpoint;
	if (!c || !c->arriving || !c->training) {
		return false;
	}
	const RtTensor *t = rt_weights_tensor(c->weights, "training");
	if (!t || t->dtype != RT_F64 || t->ndim != 1 || t->dim[0] < TRAINING_NUMBERS) {
		return false;
	}
	memcpy(number, t->data, TRAINING_NUMBERS * sizeof *number);
	for (int k = 0; k <= TRAINING_TOTAL; k++) {
		if (!(number[k] >= 0 && number[k] < MOST_STEPS)) {
			return false; /* damaged: the training begins anew */
		}
	}
	return true;
}

bool checkpoint_restore_training(Run *r, uint32_t n, const SavedArray *state)
{
	for (uint32_t k = 0; k < n; k++) {
		const RtTensor *t = rt_weights_tensor(r->checkpoint->weights, state[k].name);
		if (!t || t->dtype != RT_F64 || t->ndim != 1 || t->dim[0] != state[k].n) {
			return misfit(r,
				      arena_printf(r->e->arena, "%s is missing or of another size",
						   state[k].name));
		}
		memcpy(saved_value(r, &state[k]), t->data, state[k].n * sizeof(double));
	}
	return true;
}

void checkpoint_training_over(Run *r)
{
	if (r->checkpoint) {
		r->checkpoint->training = false;
	}
}
