/* test_rt_xyz.c — extended XYZ: layouts, keys, ragged frames, messages. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/rt_aid.h"

TestSuite(xyz, .fini = aid_cleanup);

static RtError err;

static RtTable *load(const char *text)
{
	RtTable *t;
	cr_assert_eq(rt_table_from_bytes(text, strlen(text), "t.xyz", NULL, &t, &err), RT_OK, "%s: %s",
	             err.where, err.text);
	return t;
}

static void refused(const char *text, RtStatus status, const char *where, const char *words)
{
	RtTable *t;
	cr_expect_eq(rt_table_from_bytes(text, strlen(text), "t.xyz", NULL, &t, &err), status, "%s",
	             err.text);
	cr_expect_null(t);
	cr_expect_str_eq(err.where, where);
	cr_expect(strstr(err.text, words), "%s", err.text);
}

static const char water[] =
    "3\n"
    "Lattice=\"10 0 0 0 11 0 0 0 12\" Properties=species:S:1:pos:R:3:forces:R:3:tag:I:1 "
    "energy=-1.5 step=1 pbc=\"T T F\" note=\"two words\" q=[1, 2]\n"
    "O 0 0 0 0.1 0.2 0.3 7\n"
    "H 1 0 0 0 0 -0.3 8\n"
    "h 0 1e0 0 0 0 0 9\n"
    "3\n"
    "Properties=species:S:1:forces:R:3:pos:R:3:tag:I:1 energy=-2 step=2 pbc=\"T T F\" "
    "note=x q=[3, 4] Lattice=\"10 0 0 0 11 0 0 0 13\"\n"
    "O 9 9 9 1 2 3 1\n"
    "H 0 0 0 4 5 6 2\n"
    "H 0 0 0 7 8 9 3\n";

Test(xyz, equal_frames)
{
	RtTable *t = load(water);
	cr_expect(t->format == RT_XYZ && t->records == 2);
	const RtColumn *r = rt_table_column(t, "positions"), *f = rt_table_column(t, "forces");
	cr_assert(r && f && r == rt_table_column(t, "pos"));
	cr_expect(r->ndim == 3 && r->dim[0] == 2 && r->dim[1] == 3 && r->dim[2] == 3 && !r->offsets);
	static const double places[18] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	cr_expect(memcmp(r->values.real, places, sizeof places) == 0, "laid out by each frame itself");
	cr_expect(f->values.real[2] == 0.3 && f->values.real[9] == 9);
	const RtColumn *z = rt_table_column(t, "Z"), *s = rt_table_column(t, "species");
	cr_assert(z && s && z->type == RT_INT && z->ndim == 2);
	cr_expect(z->values.integer[0] == 8 && z->values.integer[1] == 1 && z->values.integer[2] == 1);
	cr_expect_str_eq(s->values.string[3], "O");
	cr_expect_eq(rt_table_column(t, "tag")->values.integer[2], 9);
	const RtColumn *e = rt_table_column(t, "energy"), *k = rt_table_column(t, "step");
	cr_expect(e->type == RT_REAL && e->ndim == 1 && e->values.real[0] == -1.5 &&
	          e->values.real[1] == -2);
	cr_expect(k->type == RT_INT && k->values.integer[1] == 2);
	const RtColumn *lattice = rt_table_column(t, "Lattice"), *pbc = rt_table_column(t, "pbc");
	cr_expect(lattice->ndim == 3 && lattice->dim[1] == 3 && lattice->dim[2] == 3);
	cr_expect(lattice->type == RT_INT && lattice->values.integer[17] == 13);
	cr_expect(pbc->is_bool && pbc->ndim == 2 && pbc->values.integer[0] == 1 &&
	          pbc->values.integer[2] == 0);
	cr_expect_str_eq(rt_table_column(t, "note")->values.string[0], "two words");
	cr_expect_eq(rt_table_column(t, "q")->values.integer[3], 4);
	cr_expect_eq(rt_table_column(t, "natoms")->values.integer[0], 3);
	rt_table_free(t);
}

Test(xyz, ragged_frames)
{
	RtTable *t =
		load("2\nenergy=1 forces=no\r\nH 0 0 1\r\nO 0 0 2\r\n\n1\nenergy=2.5\nHe 7 8 9 extra\n"
	         "0\n\n");
	cr_expect_eq(t->records, 3);
	const RtColumn *r = rt_table_column(t, "positions"), *z = rt_table_column(t, "Z");
	cr_assert(r && r->offsets && z && z->offsets);
	cr_expect(r->ndim == 2 && r->dim[0] == 3 && r->dim[1] == 3 && r->count == 9);
	cr_expect(r->offsets[0] == 0 && r->offsets[1] == 2 && r->offsets[2] == 3 && r->offsets[3] == 3);
	cr_expect(r->values.real[6] == 7 && z->values.integer[2] == 2 && z->ndim == 1);
	const RtColumn *e = rt_table_column(t, "energy"), *f = rt_table_column(t, "forces");
	cr_expect(e->type == RT_REAL && e->values.real[0] == 1 && e->values.real[1] == 2.5);
	cr_expect(e->has_missing && e->first_missing == 2 && isnan(e->values.real[2]));
	cr_expect_str_eq(e->missing_where, "line 10");
	cr_expect(f->type == RT_STRING && f->has_missing && f->first_missing == 1);
	cr_expect_eq(rt_table_column(t, "natoms")->values.integer[2], 0);
	rt_table_free(t);
}

Test(xyz, kinds_of_keys)
{
	RtTable *t = load("1\na=1 b=T c=1 d=\"1 2\" e=\"1 2\" f=nan flag g={1.5 2}\nH 0 0 0\n"
	                  "1\na=1.5 b=2 c=x d=\"1 2 3\" e=\"1 2.5\" f=2 flag=F g={3 4}\nX 0 0 nan\n");
	static const struct {
		const char *name;
		RtType type;
		unsigned ndim;
	} keys[] = {{"a", RT_REAL, 1}, {"b", RT_STRING, 1}, {"c", RT_STRING, 1}, {"d", RT_STRING, 1},
	            {"e", RT_REAL, 2}, {"f", RT_REAL, 1},   {"flag", RT_INT, 1}, {"g", RT_REAL, 2}};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const RtColumn *c = rt_table_column(t, keys[i].name);
		cr_assert_not_null(c, "%s", keys[i].name);
		cr_expect(c->type == keys[i].type && c->ndim == keys[i].ndim, "%s", keys[i].name);
	}
	cr_expect(rt_table_column(t, "f")->has_missing);
	cr_expect_eq(rt_table_column(t, "e")->values.real[3], 2.5);
	cr_expect_eq(rt_table_column(t, "flag")->values.integer[0], 1);
	cr_expect_null(rt_table_column(t, "Z"), "X is no element");
	cr_expect_str_eq(rt_table_column(t, "pos")->missing_where, "line 6, column 4");
	rt_table_free(t);
}

Test(xyz, found_by_content)
{
	static const char text[] = "1\nProperties=species:S:1:pos:R:3 e=1\nH 0 0 0\n";
	RtTable *t;
	cr_assert_eq(rt_table_from_bytes(text, strlen(text), "data.txt", NULL, &t, &err), RT_OK);
	cr_expect_eq(t->format, RT_XYZ);
	rt_table_free(t);
}

Test(xyz, elements)
{
	static const struct {
		const char *symbol;
		int64_t z;
	} known[] = {{"H", 1}, {"c", 6}, {"CL", 17}, {"Fe", 26}, {"u", 92}, {"Og", 118}, {"79", 79}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char text[64];
		(void)snprintf(text, sizeof text, "1\n\n%s 0 0 0\n", known[i].symbol);
		RtTable *t = load(text);
		const RtColumn *z = rt_table_column(t, "Z");
		cr_assert_not_null(z, "%s", known[i].symbol);
		cr_expect_eq(z->values.integer[0], known[i].z, "%s", known[i].symbol);
		rt_table_free(t);
	}
}

Test(xyz, refusals)
{
	refused("", RT_E_FORMAT, "", "empty");
	refused("\n\n", RT_E_FORMAT, "", "no frames");
	refused("two\n\n", RT_E_FORMAT, "line 1", "number of atoms");
	refused("-1\n\n", RT_E_FORMAT, "line 1", "number of atoms");
	refused("99999999999\n\nH 0 0 0\n", RT_E_FORMAT, "line 1", "more atoms than the file");
	refused("2\n\nH 0 0 0\n", RT_E_FORMAT, "line 3", "ends within");
	refused("1", RT_E_FORMAT, "line 1", "more atoms");
	refused("1\n\nH 0 0\n", RT_E_FORMAT, "line 3", "3 words where 4");
	refused("1\n\nH 0 x 0\n", RT_E_FORMAT, "line 3, column 3", "\"x\" is not a number");
	refused("1\nProperties=species:S:1:pos:R:3\nH 0 0 0 0\n", RT_E_FORMAT, "line 3", "5 words");
	refused("1\nProperties=species:S:1:pos:R\nH 0 0 0\n", RT_E_FORMAT, "line 2", "Properties");
	refused("1\nProperties=pos:Q:3\n0 0 0\n", RT_E_FORMAT, "line 2", "Properties");
	refused("1\nProperties=pos:R:0\n\n", RT_E_FORMAT, "line 2", "Properties");
	refused("1\nProperties=pos:R:99999999\n0\n", RT_E_FORMAT, "line 2", "Properties");
	refused("1\nProperties=n:I:1\n1.5\n", RT_E_FORMAT, "line 3, column 1", "not an integer");
	refused("1\nProperties=n:L:1\n2\n", RT_E_FORMAT, "line 3, column 1", "not T or F");
	refused("1\na=1 a=2\nH 0 0 0\n", RT_E_FORMAT, "line 2", "twice");
	refused("1\na=\"1\nH 0 0 0\n", RT_E_FORMAT, "line 2", "never closed");
	refused("1\nspecies=H b=1\nH 0 0 0\n", RT_E_FORMAT, "", "two columns are named \"species\"");
	refused("1\n\n\xff 0 0 0\n", RT_E_FORMAT, "line 3, byte 1", "not UTF-8");
	refused("1\nProperties=species:S:1:pos:R:3:forces:R:3\nH 0 0 0 1 1 1\n"
	        "1\nProperties=species:S:1:pos:R:3\nH 0 0 0\n",
	        RT_E_FORMAT, "line 5", "differ from those of the first");
}

static RtStatus load_bytes(const void *bytes, size_t n, RtError *e)
{
	RtTable *t;
	RtStatus status = rt_table_from_bytes(bytes, n, "t.xyz", NULL, &t, e);
	rt_table_free(t);
	return status;
}

Test(xyz, damaged)
{
	/* Only prefixes that end behind the first frame, or within its last word, are whole files. */
	cr_expect_gt(aid_torture(load_bytes, water, sizeof water - 1), sizeof water - 10);
}
