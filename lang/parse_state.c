/* parse_state.c — recurrences whose state is a record:  s[0] = (q = 1, v = 0),  s[n] = f(s[n-1].q, s[n-1].v).
 * Each part is a recurrence of its own, called s.q; what is read of s there is read of the parts. SPEC: recurrences. */
#include "lang/parse_int.h"
#include "parse.h"

typedef struct State {
	Parser *p;
	Sym name;
	const Ast *record; /* a right side that names the parts */
} State;

static bool is_piece(const Ast *item)
{
	return item->kind == AST_DEF && (item->flags & AST_EQ) && item->kid[0]->kind == AST_INDEX &&
	       item->kid[0]->kid[0]->kind == AST_NAME;
}

static bool is_record(const Ast *e)
{
	bool all = e->kind == AST_TUPLE && e->nkid > 0;
	for (uint32_t k = 0; all && k < e->nkid; k++) {
		all = e->kid[k]->kind == AST_NAMEDARG;
	}
	return all;
}

static Ast *part_name(const State *s, Span at, Sym part)
{
	Intern *names = s->p->ctx->names;
	Ast *name = build_error(s->p, AST_NAME, at);
	name->name = intern_printf(names, "%s.%s", intern_text(names, s->name), intern_text(names, part));
	return name;
}

/* s[n-1] of a part; of no index the part itself. */
static Ast *part_at(const State *s, const Ast *read, Sym part)
{
	Ast *name = part_name(s, read->span, part);
	AstList places = build_none();
	for (uint32_t k = 1; k < read->nkid; k++) {
		places = build_list(s->p, places, read->kid[k]);
	}
	return places.n ? build_from(s->p, AST_INDEX, read->span, NULL, name, places) : name;
}

/* The record of the parts of s or of s[n-1]. */
static Ast *whole_at(const State *s, const Ast *read)
{
	AstList parts = build_none();
	for (uint32_t k = 0; k < s->record->nkid; k++) {
		const Ast *named = s->record->kid[k];
		Ast *one = BUILD(s->p, AST_NAMEDARG, read->span, NULL, part_at(s, read, named->name));
		one->name = named->name;
		one->name_span = named->name_span;
		parts = build_list(s->p, parts, one);
	}
	return build_from(s->p, AST_TUPLE, read->span, NULL, NULL, parts);
}

static bool has_part(const State *s, Sym name)
{
	for (uint32_t k = 0; k < s->record->nkid; k++) {
		if (s->record->kid[k]->name == name) {
			return true;
		}
	}
	return false;
}

static bool binds(const State *s, const Ast *e)
{
	if (!e) {
		return false;
	}
	const Ast *name = e->kind == AST_BINDER || e->kind == AST_DEF ? e->kid[0] : e;
	name = name && name->kind == AST_INDEX ? name->kid[0] : name;
	bool whole = e->kind == AST_BINDER || e->kind == AST_DEF || e->kind == AST_FPARAM || e->kind == AST_LET;
	for (uint32_t j = 0; whole && name && name->kind == AST_TUPLE && j < name->nkid; j++) {
		if (name->kid[j]->name == s->name) {
			return true;
		}
	}
	return whole && name && name->name == s->name;
}

/* Has a binder, a parameter or a local definition the name of the state? It is another thing there. */
static bool hides(const State *s, const Ast *e)
{
	for (uint32_t k = 0; k < e->nkid; k++) {
		const Ast *list = e->kid[k];
		if (binds(s, list)) {
			return true;
		}
		for (uint32_t j = 0; list && list->kind != AST_BLOCK && j < list->nkid; j++) {
			if (list->kid[j] && list->kid[j]->kind != AST_DEF && binds(s, list->kid[j])) {
				return true;
			}
		}
	}
	return false;
}

static bool reads_state(const State *s, const Ast *e)
{
	return e->kind == AST_INDEX && e->kid[0]->kind == AST_NAME && e->kid[0]->name == s->name;
}

static Ast *by_parts(const State *s, Ast *e)
{
	if (!e || hides(s, e)) {
		return e;
	}
	const Ast *read = e->kind == AST_FIELD ? e->kid[0] : e;
	if (reads_state(s, read)) {
		for (uint32_t k = 1; k < read->nkid; k++) {
			read->kid[k] = by_parts(s, read->kid[k]);
		}
		if (e == read) {
			return whole_at(s, read);
		}
		if (has_part(s, e->name) && !e->integer) {
			return part_at(s, read, e->name);
		}
	}
	for (uint32_t k = 0; k < e->nkid; k++) {
		e->kid[k] = by_parts(s, e->kid[k]);
	}
	return e;
}

static bool mentions(const State *s, const Ast *e)
{
	bool found = e && e->kind == AST_NAME && e->name == s->name;
	for (uint32_t k = 0; e && !found && !hides(s, e) && k < e->nkid; k++) {
		found = mentions(s, e->kid[k]);
	}
	return found;
}

/* A piece of the state becomes one of each part. */
static AstList piece_by_parts(const State *s, AstList out, Ast *def)
{
	const Ast *left = def->kid[0];
	Ast *value = by_parts(s, def->kid[1]);
	for (uint32_t k = 0; k < s->record->nkid; k++) {
		const Ast *named = s->record->kid[k];
		Ast *part = BUILD(s->p, AST_FIELD, value->span, NULL, value);
		part->name = named->name;
		part->name_span = value->span;
		Ast *one = BUILD(s->p, AST_DEF, def->span, NULL, part_at(s, left, named->name), part);
		out = build_list(s->p, out, build_flag(one, AST_EQ));
	}
	return out;
}

static AstList take_one_apart(const State *s, AstList items)
{
	AstList out = build_none();
	Ast *name = NULL;
	for (size_t i = 0; i < items.n; i++) {
		Ast *item = items.item[i];
		if (!is_piece(item) || item->kid[0]->kid[0]->name != s->name) {
			out = build_list(s->p, out, by_parts(s, item));
			continue;
		}
		name = name ? name : item->kid[0]->kid[0];
		out = piece_by_parts(s, out, item);
	}
	bool used = s->p->mode == PARSE_PROMPT; /* where other lines may read it */
	for (size_t i = 0; i < out.n; i++) {
		used = used || mentions(s, out.item[i]);
	}
	if (used) { /* s itself is the record of the parts */
		out = build_list(s->p, out, build_flag(BUILD(s->p, AST_DEF, name->span, NULL, name, whole_at(s, name)), AST_EQ));
	}
	return out;
}

AstList build_states(Parser *p, AstList items)
{
	for (size_t i = 0; i < items.n; i++) {
		const Ast *item = items.item[i];
		if (is_piece(item) && is_record(item->kid[1])) {
			State s = {p, item->kid[0]->kid[0]->name, item->kid[1]};
			items = take_one_apart(&s, items);
			i = (size_t)-1; /* the list is another one; this state is gone from it */
		}
	}
	return items;
}
