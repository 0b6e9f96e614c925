/* xyz.c — extended XYZ to tables: one record per frame.
 *
 *     number of atoms
 *     key=value ... Properties=species:S:1:pos:R:3:forces:R:3
 *     one line of words for each atom, laid out by Properties
 * Two passes: the first checks every line and learns what columns there are, the second fills them.
 * */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/number.h"
#include "runtime/table_int.h"
#include "runtime/xyz_scan.h"

enum { MOST_PROPERTIES = 64, MOST_WORDS = 1024, MOST_KEYS = 256 };
static const size_t VARIES = SIZE_MAX;

typedef struct Property {
	Text name;
	char type;      /* S R I L */
	size_t words;   /* how many of a line's words */
	size_t first;   /* the first of them */
	size_t bytes;   /* of text, if S */
	RtColumn *column;
	size_t used;    /* bytes of text filled */
} Property;

typedef struct Layout {
	Property p[MOST_PROPERTIES];
	unsigned n;
	size_t words;   /* that a line has */
	bool loose;     /* no Properties were given: a line may have more */
} Layout;

typedef struct Key {
	Text name;
	XyzKind kind;
	size_t words;
	size_t frames;  /* that have it */
	size_t latest;  /* the last of those, from 1 */
	size_t bytes;   /* of text, without terminators */
	RtColumn *column;
	size_t used;
} Key;

typedef struct Frame {
	size_t atoms, line; /* line: of the comment */
	Text comment;
	XyzLines body;      /* before the first atom */
} Frame;

typedef struct Xyz {
	TableBuild *b;
	XyzLines start;
	Layout layout;      /* of the first frame: names, types and sizes hold for all */
	Layout current;     /* of the frame at hand */
	Key key[MOST_KEYS];
	unsigned nkeys;
	size_t frames, atoms, same; /* same: the number of atoms of each frame, or VARIES */
	bool elements;              /* every species is a chemical element */
	RtColumn *natoms, *z;
} Xyz;

static RtStatus fail_line(Xyz *x, RtStatus status, size_t line, const char *text)
{
	char where[RT_WHERE_MAX];
	(void)snprintf(where, sizeof where, "line %zu", line);
	return table_fail(x->b, status, where, "%s", text);
}

static RtStatus fail_word(Xyz *x, size_t line, size_t word, Text have, const char *want)
{
	char where[RT_WHERE_MAX];
	(void)snprintf(where, sizeof where, "line %zu, column %zu", line, word + 1);
	return table_fail(x->b, RT_E_FORMAT, where, "\"%.*s\" is not %s",
	                  (int)(have.n < 40 ? have.n : 40), have.at, want);
}

bool xyz_looks_like(const char *bytes, size_t n)
{
	XyzLines l = {bytes, bytes + n, 0};
	Text line;
	int64_t count;
	if (n == 0 || !xyz_next_line(&l, &line) || !rt_integer_parse(line.at, line.n, &count)) {
		return false;
	}
	return xyz_next_line(&l, &line) && (memmem(line.at, line.n, "Properties=", 11) ||
	                                    memmem(line.at, line.n, "Lattice=", 8));
}

/* The head of the next frame and its place. *found is false at the end. */
static RtStatus next_frame(Xyz *x, XyzLines *l, Frame *f, bool *found)
{
	Text line, word, rest;
	int64_t count;
	do {
		*found = xyz_next_line(l, &line);
		rest = line;
	} while (*found && !xyz_next_word(&rest, &word));
	if (!*found) {
		return RT_OK;
	}
	if (!rt_integer_parse(line.at, line.n, &count) || count < 0) {
		return fail_line(x, RT_E_FORMAT, l->line, "a frame begins with its number of atoms, alone");
	}
	f->atoms = (size_t)count;
	if (f->atoms > (size_t)(l->end - l->at)) {
		return fail_line(x, RT_E_FORMAT, l->line,
		                 "the frame has more atoms than the file has bytes");
	}
	if (!xyz_next_line(l, &f->comment)) {
		return fail_line(x, RT_E_FORMAT, l->line, "the file ends within a frame");
	}
	f->line = l->line;
	f->body = *l;
	return RT_OK;
}

/* name:type:words:... */
static RtStatus parse_properties(Xyz *x, Text value, size_t line, Layout *layout)
{
	Text part[3];
	size_t nparts = 0;
	*layout = (Layout){.n = 0};
	for (size_t i = 0, from = 0; i <= value.n; i++) {
		if (i < value.n && value.at[i] != ':') {
			continue;
		}
		part[nparts++] = (Text){value.at + from, i - from};
		from = i + 1;
		if (nparts < 3) {
			continue;
		}
		nparts = 0;
		int64_t words;
		bool good = part[0].n > 0 && part[1].n == 1 && strchr("SRIL", *part[1].at) &&
		            rt_integer_parse(part[2].at, part[2].n, &words) && words >= 1 &&
		            words <= MOST_WORDS && layout->n < MOST_PROPERTIES;
		if (!good) {
			return fail_line(x, RT_E_FORMAT, line, "Properties is not a list of name:type:number");
		}
		layout->p[layout->n++] = (Property){part[0], *part[1].at, (size_t)words, layout->words, 0,
		                                    NULL, 0};
		layout->words += (size_t)words;
	}
	if (nparts != 0 || layout->n == 0 || layout->words > MOST_WORDS) {
		return fail_line(x, RT_E_FORMAT, line, "Properties is not a list of name:type:number");
	}
	return RT_OK;
}

static void default_layout(Layout *layout)
{
	*layout = (Layout){.n = 2, .words = 4, .loose = true};
	layout->p[0] = (Property){.name = {"species", 7}, .type = 'S', .words = 1, .first = 0};
	layout->p[1] = (Property){.name = {"pos", 3}, .type = 'R', .words = 3, .first = 1};
}

/* Puts the places of this frame's properties into the layout that holds for all. */
static RtStatus match_layout(Xyz *x, size_t line)
{
	bool same = x->layout.n == x->current.n;
	for (unsigned i = 0; same && i < x->layout.n; i++) {
		Property *p = &x->layout.p[i];
		unsigned k = 0;
		while (k < x->current.n && !text_equal(p->name, x->current.p[k].name)) {
			k++;
		}
		same = k < x->current.n && p->type == x->current.p[k].type &&
		       p->words == x->current.p[k].words;
		if (same) {
			p->first = x->current.p[k].first;
		}
	}
	x->layout.words = x->current.words;
	x->layout.loose = x->current.loose;
	return same ? RT_OK
	            : fail_line(x, RT_E_FORMAT, line,
	                        "the properties of this frame differ from those of the first");
}

static RtStatus note_key(Xyz *x, Text name, Text value, size_t line)
{
	size_t words;
	XyzKind kind = xyz_value_kind(value, &words);
	unsigned k = 0;
	while (k < x->nkeys && !text_equal(x->key[k].name, name)) {
		k++;
	}
	if (k == MOST_KEYS) {
		return fail_line(x, RT_E_LIMIT, line, "there are more than 256 keys");
	}
	Key *key = &x->key[k];
	if (k == x->nkeys) {
		x->nkeys++;
		*key = (Key){.name = name, .kind = kind, .words = words};
	} else if (kind == XYZ_STRING || words != key->words ||
	           (kind == XYZ_BOOL) != (key->kind == XYZ_BOOL)) {
		key->kind = XYZ_STRING;
	} else if (kind > key->kind) {
		key->kind = kind;
	}
	if (key->latest == x->frames + 1) {
		return fail_line(x, RT_E_FORMAT, line, "a key stands twice in this line");
	}
	key->latest = x->frames + 1;
	key->frames++;
	key->bytes += value.n;
	return RT_OK;
}

/* The comment line of a frame: its layout, and what its keys are. frames counts those before it. */
static RtStatus survey_comment(Xyz *x, const Frame *f)
{
	Text rest = f->comment, key, value;
	bool bad, properties = false;
	RtStatus status = RT_OK;
	default_layout(&x->current);
	while (status == RT_OK && xyz_next_pair(&rest, &key, &value, &bad)) {
		if (text_is(key, "Properties")) {
			properties = true;
			status = parse_properties(x, value, f->line, &x->current);
		} else if (key.n > 0 && memchr(f->comment.at, '=', f->comment.n)) {
			status = note_key(x, key, value, f->line); /* else it is a remark in words */
		}
	}
	if (status == RT_OK && bad) {
		return fail_line(x, RT_E_FORMAT, f->line,
		                 "a quote or bracket of this line is never closed");
	}
	x->current.loose = !properties;
	if (status == RT_OK && x->frames == 0) {
		x->layout = x->current;
	}
	return status == RT_OK ? match_layout(x, f->line) : status;
}

static bool is_species(const Property *p)
{
	return text_is(p->name, "species") && p->type == 'S' && p->words == 1;
}

/* Checks the line of an atom and counts its text. */
static RtStatus survey_atom(Xyz *x, XyzLines *l)
{
	Text line, word;
	size_t n = 0;
	if (!xyz_next_line(l, &line)) {
		return fail_line(x, RT_E_FORMAT, l->line, "the file ends within a frame");
	}
	for (Text rest = line; xyz_next_word(&rest, &word); n++) {
		for (unsigned i = 0; i < x->layout.n; i++) {
			Property *p = &x->layout.p[i];
			if (p->type == 'S' && n >= p->first && n < p->first + p->words) {
				p->bytes += word.n + 1;
				x->elements = x->elements && (!is_species(p) || xyz_atomic_number(word) > 0);
			}
		}
	}
	if (n < x->layout.words || (n > x->layout.words && !x->layout.loose)) {
		char where[RT_WHERE_MAX];
		(void)snprintf(where, sizeof where, "line %zu", l->line);
		return table_fail(x->b, RT_E_FORMAT, where,
		                  "this atom has %zu words where %zu are expected", n, x->layout.words);
	}
	return RT_OK;
}

static RtStatus survey(Xyz *x)
{
	XyzLines l = x->start;
	Frame f;
	bool found;
	for (;;) {
		RtStatus status = next_frame(x, &l, &f, &found);
		if (status == RT_OK && found) {
			status = survey_comment(x, &f);
		}
		for (size_t i = 0; status == RT_OK && found && i < f.atoms; i++) {
			status = survey_atom(x, &l);
		}
		if (status != RT_OK || !found) {
			return status;
		}
		x->same = x->frames == 0 || x->same == f.atoms ? f.atoms : VARIES;
		x->frames++;
		x->atoms += f.atoms;
	}
}

static bool is_taken(const Xyz *x, const char *name)
{
	for (unsigned i = 0; i < x->layout.n; i++) {
		if (text_is(x->layout.p[i].name, name)) {
			return true;
		}
	}
	for (unsigned i = 0; i < x->nkeys; i++) {
		if (text_is(x->key[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* A column over all atoms with words values for each: [frames, atoms, words] or ragged [all,
 * words]. */
static RtStatus shape_over_atoms(Xyz *x, RtColumn *c, RtType type, size_t words, size_t nbytes)
{
	size_t dim[3] = {x->frames, x->same, words}, *d = dim;
	if (x->same == VARIES) {
		dim[1] = x->atoms;
		d = dim + 1;
	}
	unsigned ndim = (unsigned)(dim + 3 - d) - (words == 1);
	RtStatus status = table_shape(x->b, c, type, ndim, d, nbytes);
	if (status == RT_OK && x->same == VARIES) {
		status = table_reserve(x->b, x->frames + 1, sizeof *c->offsets);
		c->offsets = status == RT_OK ? rt_alloc(x->frames + 1, sizeof *c->offsets) : NULL;
		if (status == RT_OK && !c->offsets) {
			status = table_fail(x->b, RT_E_MEMORY, NULL, "not enough memory for its values");
		}
	}
	return status;
}

static RtStatus add_property(Xyz *x, Property *p)
{
	RtType type = p->type == 'S' ? RT_STRING : p->type == 'R' ? RT_REAL : RT_INT;
	RtStatus status = table_add(x->b, p->name.at, p->name.n, &p->column);
	if (status == RT_OK) {
		p->column->is_bool = p->type == 'L';
		status = shape_over_atoms(x, p->column, type, p->words, p->bytes);
	}
	return status;
}

/* Scalars that some frames lack become reals, for NaN; arrays stay what they are if all have them.
 * */
static RtStatus add_key(Xyz *x, Key *key)
{
	bool lattice = text_is(key->name, "Lattice") && key->words == 9;
	size_t dim[3] = {x->frames, lattice ? 3 : key->words, 3};
	RtType type = RT_STRING;
	if (key->kind == XYZ_REAL || (key->kind != XYZ_STRING && key->frames < x->frames)) {
		type = RT_REAL;
	} else if (key->kind != XYZ_STRING) {
		type = RT_INT;
	}
	unsigned ndim = type == RT_STRING || key->words == 1 ? 1 : lattice ? 3 : 2;
	RtStatus status = table_add(x->b, key->name.at, key->name.n, &key->column);
	if (status == RT_OK) {
		key->column->is_bool = type == RT_INT && key->kind == XYZ_BOOL;
		status = table_shape(x->b, key->column, type, ndim, dim,
		                     type == RT_STRING ? key->bytes + x->frames : 0);
	}
	return status;
}

static RtStatus add_columns(Xyz *x)
{
	RtStatus status = RT_OK;
	size_t most = x->layout.n + x->nkeys + 2;
	TableBuild *b = x->b; /* room for all at once: columns must not move while we point at them */
	b->table->records = x->frames;
	if (!rt_grow((void **)&b->table->column, &b->room, most, sizeof *b->table->column)) {
		return table_fail(b, RT_E_MEMORY, NULL, "not enough memory for its columns");
	}
	for (unsigned i = 0; i < x->layout.n && status == RT_OK; i++) {
		status = add_property(x, &x->layout.p[i]);
	}
	for (unsigned i = 0; i < x->nkeys && status == RT_OK; i++) {
		status = add_key(x, &x->key[i]);
	}
	if (status == RT_OK && !is_taken(x, "natoms")) {
		status = table_add(b, "natoms", 6, &x->natoms);
		status = status == RT_OK ? table_shape(b, x->natoms, RT_INT, 1, &x->frames, 0) : status;
	}
	if (status == RT_OK && x->elements && is_taken(x, "species") && !is_taken(x, "Z")) {
		status = table_add(b, "Z", 1, &x->z);
		status = status == RT_OK ? shape_over_atoms(x, x->z, RT_INT, 1, 0) : status;
	}
	return status;
}

static void put_text(RtColumn *c, size_t at, Text word, size_t *used)
{
	c->values.string[at] = c->text + *used;
	memcpy(c->text + *used, word.at, word.n);
	c->text[*used + word.n] = 0;
	*used += word.n + 1;
}

/* One word of an atom's line into value at of its property. */
static RtStatus put_word(Xyz *x, Property *p, size_t at, Text word, size_t line, size_t column)
{
	RtColumn *c = p->column;
	bool truth;
	switch (p->type) {
	case 'S':
		put_text(c, at, word, &p->used);
		if (x->z && is_species(p)) {
			x->z->values.integer[at] = xyz_atomic_number(word);
		}
		return RT_OK;
	case 'I':
		return rt_integer_parse(word.at, word.n, &c->values.integer[at])
		           ? RT_OK
		           : fail_word(x, line, column, word, "an integer");
	case 'L':
		if (!xyz_bool(word, &truth)) {
			return fail_word(x, line, column, word, "T or F");
		}
		c->values.integer[at] = truth;
		return RT_OK;
	default:
		break;
	}
	RtNumberKind kind = rt_number_parse(word.at, word.n, &c->values.real[at]);
	if (kind == RT_MISSING) {
		table_missing(c, at, "line %zu, column %zu", line, column + 1);
	}
	return kind == RT_NUMBER || kind == RT_MISSING
	           ? RT_OK
	           : fail_word(x, line, column, word, "a number");
}

/* atom counts all atoms of the file. */
static RtStatus fill_atom(Xyz *x, XyzLines *l, size_t atom)
{
	Text line = {"", 0}, word;
	(void)xyz_next_line(l, &line);
	RtStatus status = RT_OK;
	for (size_t n = 0; status == RT_OK && xyz_next_word(&line, &word); n++) {
		for (unsigned i = 0; i < x->layout.n && status == RT_OK; i++) {
			Property *p = &x->layout.p[i];
			if (n >= p->first && n < p->first + p->words) {
				status = put_word(x, p, atom * p->words + (n - p->first), word, l->line, n);
			}
		}
	}
	return status;
}

static void put_value(Key *key, size_t frame, Text value, size_t line)
{
	RtColumn *c = key->column;
	bool truth;
	Text item;
	if (c->type == RT_STRING) {
		put_text(c, frame, value, &key->used);
		return;
	}
	for (size_t k = 0; k < key->words && xyz_next_item(&value, &item); k++) {
		size_t at = frame * key->words + k;
		if (xyz_bool(item, &truth) && c->type == RT_INT) {
			c->values.integer[at] = truth;
		} else if (c->type == RT_INT) {
			(void)rt_integer_parse(item.at, item.n, &c->values.integer[at]);
		} else if (xyz_bool(item, &truth)) {
			c->values.real[at] = truth;
		} else if (rt_number_parse(item.at, item.n, &c->values.real[at]) == RT_MISSING) {
			table_missing(c, at, "line %zu", line);
		}
	}
}

/* What frames without the key have. */
static void put_absence(Key *key, size_t frame, size_t line)
{
	RtColumn *c = key->column;
	size_t words = c->type == RT_STRING ? 1 : key->words;
	for (size_t k = 0; k < words; k++) {
		if (c->type == RT_REAL) {
			c->values.real[frame * words + k] = NAN;
		} else {
			put_text(c, frame, (Text){"", 0}, &key->used);
		}
		table_missing(c, frame * words + k, "line %zu", line);
	}
}

static RtStatus fill_comment(Xyz *x, const Frame *f, size_t frame)
{
	Text rest = f->comment, name, value;
	bool bad;
	RtStatus status = RT_OK;
	default_layout(&x->current);
	while (status == RT_OK && xyz_next_pair(&rest, &name, &value, &bad)) {
		if (text_is(name, "Properties")) {
			status = parse_properties(x, value, f->line, &x->current);
		}
		for (unsigned k = 0; k < x->nkeys; k++) {
			if (text_equal(x->key[k].name, name) && memchr(f->comment.at, '=', f->comment.n)) {
				x->key[k].latest = frame + 1;
				put_value(&x->key[k], frame, value, f->line);
			}
		}
	}
	for (unsigned k = 0; k < x->nkeys; k++) {
		if (x->key[k].latest != frame + 1) {
			put_absence(&x->key[k], frame, f->line);
		}
	}
	return status == RT_OK ? match_layout(x, f->line) : status;
}

static void put_offset(Xyz *x, size_t frame, size_t atoms)
{
	for (size_t i = 0; i < x->b->table->ncolumns; i++) {
		RtColumn *c = &x->b->table->column[i];
		if (c->offsets) {
			c->offsets[frame + 1] = atoms;
		}
	}
}

static RtStatus fill(Xyz *x)
{
	XyzLines l = x->start;
	Frame f;
	size_t atom = 0;
	for (unsigned k = 0; k < x->nkeys; k++) {
		x->key[k].latest = 0;
	}
	for (size_t frame = 0; frame < x->frames; frame++) {
		bool found;
		RtStatus status = next_frame(x, &l, &f, &found);
		if (status == RT_OK) {
			status = fill_comment(x, &f, frame);
		}
		for (size_t i = 0; status == RT_OK && i < f.atoms; i++) {
			status = fill_atom(x, &l, atom++);
		}
		if (status != RT_OK) {
			return status;
		}
		if (x->natoms) {
			x->natoms->values.integer[frame] = (int64_t)f.atoms;
		}
		put_offset(x, frame, atom);
	}
	return RT_OK;
}

RtStatus xyz_read(TableBuild *b)
{
	RtStatus status = table_check_text(b, b->bytes, b->n);
	Xyz *x = status == RT_OK ? rt_alloc(1, sizeof *x) : NULL;
	if (!x) {
		return status != RT_OK ? status
		                       : table_fail(b, RT_E_MEMORY, NULL, "not enough memory to read it");
	}
	x->b = b;
	x->start = (XyzLines){b->bytes, b->bytes + b->n, 0};
	x->elements = true;
	status = survey(x);
	if (status == RT_OK && x->frames == 0) {
		status = table_fail(b, RT_E_FORMAT, NULL, "holds no frames");
	}
	if (status == RT_OK) {
		status = add_columns(x);
	}
	if (status == RT_OK) {
		status = fill(x);
	}
	free(x);
	return status;
}
