/* elab_data_int.h — what elab_data.c (declarations) and elab_part.c (splits, batches) share. */
#ifndef PNN_LANG_ELAB_DATA_INT_H
#define PNN_LANG_ELAB_DATA_INT_H
#include "lang/elab_int.h"

/* Adds the set to the program and its name to the scope. */
void data_register(Elab *e, Scope *s, DataInfo *d, Span name_span);
/* An axis of records whose number is not known yet. */
Axis data_records_axis(Elab *e, Sym name, Span at);
/* The set's own copy of an axis declared without a size, with the leaf of its lengths; made when
 * first met. */
Axis data_ragged_axis(Elab *e, DataInfo *d, Axis declared);
bool data_is_ragged(const DataInfo *d, Axis a);
const FieldInfo *data_find_field(const DataInfo *d, Sym name);
/* f->leaf over (records, axis…), without records where f is shared. */
void data_make_leaf(Elab *e, DataInfo *d, FieldInfo *f, uint32_t rank, const Axis *axis);
/* A string constant; `what` it should be for the diagnostic. */
bool data_string(Elab *e, Scope *s, const Ast *ast, const char *what, Sym *out);
/* data name = e: the fields of d from an array, or from a tuple of named arrays, whose first axis
 * counts the records. False after a diagnostic. */
bool data_from_expr(Elab *e, Scope *s, DataInfo *d, const Ast *ast);
/* ---- elab_rows.c: which rows of a table become records */
bool rows_declare(Elab *e, Scope *s, DataInfo *d, const Ast *rows);
/* at "year": the column that holds the places along the field's axis. */
bool rows_place(Elab *e, Scope *s, const DataInfo *d, FieldInfo *f, const Ast *decl);
/* ---- elab_late.c: is one of the formulas made of parameters, or of what statements compute? */
bool data_reads_present(Elab *e, const DataInfo *d);
#endif
