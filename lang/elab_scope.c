/* elab_scope.c — names in scope. Scopes are small: a linear search from the innermost is enough.
 * SPEC: scoping. */
#include "lang/elab_int.h"

#include <string.h>

Scope *scope_new(Elab *e, Scope *parent, Frame *frame)
{
	Scope *s = arena_new(e->arena, Scope);
	s->parent = parent;
	s->frame = frame ? frame : parent ? parent->frame : NULL;
	return s;
}

/* Large scopes have a table of their names; an entry that was renamed is looked for one by one. */
enum { SCOPE_LINEAR = 16 };

static uint32_t slot_of(const Scope *s, Sym name)
{
	uint32_t k = ((uint32_t)name * 2654435761u) & s->mask;
	while (s->slot[k].at && s->slot[k].name != name) {
		k = (k + 1) & s->mask;
	}
	return k;
}

static void index_names(Elab *e, Scope *s)
{
	if (4 * s->n > 3 * (size_t)s->mask) {
		s->mask = 63;
		while ((size_t)s->mask < 2 * s->n) {
			s->mask = 2 * s->mask + 1;
		}
		s->slot = arena_array(e->arena, struct ScopeSlot, s->mask + 1);
		s->indexed = 0;
	}
	for (; s->indexed < s->n; s->indexed++) {
		Sym name = s->entry[s->indexed].name;
		s->slot[slot_of(s, name)] = (struct ScopeSlot){name, (uint32_t)s->indexed + 1};
	}
}

static Entry *find_here(Elab *e, Scope *s, Sym name)
{
	if (s->n > SCOPE_LINEAR) {
		index_names(e, s);
		uint32_t at = s->slot[slot_of(s, name)].at;
		if (!at) {
			return NULL;
		}
		if (s->entry[at - 1].name == name) {
			return &s->entry[at - 1];
		}
	}
	for (size_t i = s->n; i-- > 0;) {
		if (s->entry[i].name == name) {
			return &s->entry[i];
		}
	}
	return NULL;
}

static Entry *push(Elab *e, Scope *s, Sym name, Span at, Val v)
{
	Entry entry = {.name = name, .span = at, .val = v, .builtin = e->in_prelude};
	ARENA_PUSH(e->arena, s->entry, s->n, s->cap, entry);
	return &s->entry[s->n - 1];
}

Entry *scope_add(Elab *e, Scope *s, Sym name, Span at, Val v)
{
	Entry *old = find_here(e, s, name);
	const char *text = elab_text(e, name);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		diag_help(diag_redefined(elab_diags(e), at, text), "true and false are the truth values");
	}
	if (old && !old->builtin) {
		diag_note(diag_redefined(elab_diags(e), at, elab_text(e, name)), old->span,
			  "first defined here");
		return old;
	}
	if (old) {
		old->name = 0;
	}
	return push(e, s, name, at, v);
}

void scope_put(Elab *e, Scope *s, Sym name, Span at, Val v)
{
	Entry *old = find_here(e, s, name);
	if (old) {
		old->val = v;
		old->span = at;
		old->pending = NULL;
		old->builtin = e->in_prelude;
		return;
	}
	push(e, s, name, at, v);
}

Entry *scope_find(Elab *e, Scope *s, Sym name)
{
	for (; s; s = s->parent) {
		Entry *found = find_here(e, s, name);
		if (found) {
			return found;
		}
	}
	return NULL;
}

static void suggest(Elab *e, Scope *s, Diag *d, Sym name)
{
	const char *candidate[1024];
	size_t n = 0;
	for (Scope *at = s; at; at = at->parent) {
		for (size_t i = at->n; i-- > 0 && n < 900;) {
			if (at->entry[i].name) {
				candidate[n++] = elab_text(e, at->entry[i].name);
			}
		}
	}
	for (unsigned op = 1; op < OPS && n < 1000; op++) {
		candidate[n++] = op_info((Op)op)->syntax;
	}
	for (uint32_t i = 0; builtin_name(i) && n < 1024; i++) {
		candidate[n++] = builtin_name(i);
	}
	const char *near = diag_nearest(elab_text(e, name), candidate, n);
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	}
}

static Val function_value(Elab *e, Span at, Sym name)
{
	FnVal f = {0};
	uint32_t row;
	Op op = op_find(elab_text(e, name));
	if (builtin_find(e, name, &row)) {
		f.kind = FNV_BUILTIN;
		f.builtin = row;
	} else if (op != OP_NONE && (elab_text(e, name)[0] | 32) >= 'a') {
		f.kind = FNV_OP;
		f.op = op;
	} else {
		return val_error(at);
	}
	Val v = {.tag = VAL_FN,
		 .span = at,
		 .fn = arena_copy(e->arena, &f, sizeof f, _Alignof(FnVal))};
	return v;
}

/* Undefined names are reported once, where they are met first. */
bool scope_is_news(Elab *e, Sym name)
{
	for (size_t i = 0; i < e->nunknown; i++) {
		if (e->unknown[i] == name) {
			return false;
		}
	}
	if (!e->trial_depth) {
		ARENA_PUSH(e->arena, e->unknown, e->nunknown, e->capunknown, name);
	}
	return true;
}

bool scope_knows(Elab *e, Scope *s, Sym name)
{
	const char *text = elab_text(e, name);
	return scope_find(e, s, name) || function_value(e, (Span){0}, name).tag != VAL_ERROR ||
	       strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

Val scope_value(Elab *e, Scope *s, Sym name, Span at)
{
	Entry *entry = scope_find(e, s, name);
	if (!entry) {
		Val f = function_value(e, at, name);
		if (f.tag == VAL_ERROR && name && scope_is_news(e, name)) {
			Diag *d = diag_undefined_name(elab_diags(e), at, elab_text(e, name));
			if (late_name(e, name)) {
				diag_help(d, "%s is made of present values, at its place below",
					  elab_text(e, name));
			} else {
				suggest(e, s, d, name);
			}
		}
		return f;
	}
	entry->used = true;
	if (entry->pending) {
		return elab_group(e, s, entry->pending, name, at);
	}
	Val v = entry->val;
	v.span = at;
	if (v.tag == VAL_NUM &&
	    v.rank) { /* a name used twice is two arrays: fresh indices each time */
		Val fresh = v;
		fresh.ix = arena_array(e->arena, Index, v.rank);
		for (uint32_t i = 0; i < v.rank; i++) {
			fresh.ix[i] = core_index(e->core, core_index_axis(e->core, v.ix[i]),
						 core_index_name(e->core, v.ix[i]));
		}
		v = val_align(e, &v, &fresh);
	}
	return v;
}

uint32_t scope_context(Elab *e, Scope *s, Index **out)
{
	uint32_t n = 0, cap = 16;
	Index *ix = arena_array(e->arena, Index, cap);
	Frame *frame = s->frame;
	for (Scope *at = s; at && at->frame == frame; at = at->parent) {
		for (uint32_t i = 0; i < at->nctx; i++) {
			if (n == cap) {
				Index *more = arena_array(e->arena, Index, cap * 2);
				memcpy(more, ix, n * sizeof *ix);
				ix = more;
				cap *= 2;
			}
			ix[n++] = at->ctx[i];
		}
	}
	for (uint32_t i = 0; frame && i < frame->nctx; i++) {
		if (n == cap) {
			Index *more = arena_array(e->arena, Index, cap * 2);
			memcpy(more, ix, n * sizeof *ix);
			ix = more;
			cap *= 2;
		}
		ix[n++] = frame->ctx[i];
	}
	*out = ix;
	return n;
}

bool is_label(Elab *e, Axis a, Sym name, int64_t *value)
{
	const AxisInfo *info = core_axis_info(e->core, a);
	for (uint32_t i = 0; i < info->nlabel; i++) {
		if (info->label[i] == name) {
			*value = info->first + i;
			return true;
		}
	}
	return false;
}

/* Text of the library, to which the labels of a program's axes are unknown. */
static bool of_library(Elab *e, Span at)
{
	const char *name = at.file ? sources_name(e->ctx->sources, at.file) : "";
	return name[0] == '<' && strcmp(name, "<stdin>") != 0;
}

bool names_label(Elab *e, Axis a, const Ast *name, int64_t *value)
{
	return name->kind == AST_NAME && is_label(e, a, name->name, value) &&
	       (!of_library(e, name->span) || of_library(e, core_axis_info(e->core, a)->span));
}

bool is_any_label(Elab *e, Sym name)
{
	int64_t value;
	for (uint32_t a = 1; a <= core_axis_count(e->core); a++) {
		if (is_label(e, a, name, &value)) {
			return true;
		}
	}
	return false;
}
