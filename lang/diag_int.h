/* diag_int.h — shared by diag.c (collecting) and diag_render.c (showing); nobody else includes it.
 */
#ifndef PNN_LANG_DIAG_INT_H
#define PNN_LANG_DIAG_INT_H
#include "lang/diag.h"

typedef enum { PART_NOTE, PART_REMARK, PART_HELP } DiagPartKind;

typedef struct DiagPart {
	struct DiagPart *next;
	DiagPartKind kind;
	Span at; /* of a note */
	const char *text;
} DiagPart;

struct Diag {
	Diags *owner; /* NULL: only counted, never shown */
	unsigned row;
	Span at;
	const char *message, *label;
	DiagPart *first, *last;
	size_t order;
};

/* Shows one diagnostic; the sources say what its places are. */
void diag_show_text(const Diag *d, const Sources *ss, FILE *out, bool colour);
void diag_show_json(const Diag *d, const Sources *ss, FILE *out);
#endif
