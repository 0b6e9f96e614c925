/* tokens.c — the words of the language, what kinds of tokens may stand beside each other, and the
 * token dump. The word table is the single source: the layout reads it to classify words, the
 * prompt to complete them. */
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

/* Sorted by text (bytes). */
static const Word words[] = {
	{"accuracy", TOK_REDUCER, WORD_REDUCER},
	{"activation", TOK_ACTIVATION, WORD_STATEMENT},
	{"against", TOK_AGAINST, WORD_CONTEXT},
	{"all", TOK_REDUCER, WORD_REDUCER},
	{"and", TOK_AND, WORD_RESERVED},
	{"any", TOK_REDUCER, WORD_REDUCER},
	{"argmax", TOK_REDUCER, WORD_REDUCER},
	{"argmin", TOK_REDUCER, WORD_REDUCER},
	{"as", TOK_AS, WORD_CONTEXT},
	{"assert", TOK_ASSERT, WORD_VALUE},
	{"at", TOK_AT, WORD_CONTEXT},
	{"auc", TOK_REDUCER, WORD_REDUCER},
	{"axis", TOK_AXIS, WORD_STATEMENT},
	{"band", TOK_BAND, WORD_RESERVED},
	{"bool", TOK_TYPE, WORD_TYPE},
	{"bor", TOK_BOR, WORD_RESERVED},
	{"bound", TOK_BOUND, WORD_VALUE},
	{"by", TOK_BY, WORD_CONTEXT},
	{"complete", TOK_COMPLETE, WORD_CONTEXT},
	{"complex", TOK_TYPE, WORD_TYPE},
	{"const", TOK_CONST, WORD_STATEMENT},
	{"count", TOK_SUM, WORD_REDUCER},
	{"data", TOK_DATA, WORD_STATEMENT},
	{"derivative", TOK_DERIVATIVE, WORD_STATEMENT},
	{"div", TOK_DIV, WORD_RESERVED},
	{"domain", TOK_DOMAIN, WORD_STATEMENT},
	{"else", TOK_ELSE, WORD_RESERVED},
	{"epochs", TOK_EPOCHS, WORD_CONTEXT},
	{"equation", TOK_EQUATION, WORD_STATEMENT},
	{"equivariant", TOK_EQUIVARIANT, WORD_CONTEXT},
	{"every", TOK_EVERY, WORD_CONTEXT},
	{"expect", TOK_EXPECT, WORD_REDUCER},
	{"export", TOK_EXPORT, WORD_STATEMENT},
	{"fn", TOK_FN, WORD_STATEMENT},
	{"for", TOK_FOR, WORD_CONTEXT},
	{"freeze", TOK_FREEZE, WORD_STATEMENT},
	{"from", TOK_FROM, WORD_CONTEXT},
	{"group", TOK_GROUP, WORD_STATEMENT},
	{"if", TOK_IF, WORD_RESERVED},
	{"impose", TOK_IMPOSE, WORD_STATEMENT},
	{"in", TOK_IN, WORD_RESERVED},
	{"int", TOK_TYPE, WORD_TYPE},
	{"into", TOK_INTO, WORD_CONTEXT},
	{"invariant", TOK_INVARIANT, WORD_CONTEXT},
	{"layer", TOK_LAYER, WORD_STATEMENT},
	{"let", TOK_LET, WORD_VALUE},
	{"load", TOK_LOAD, WORD_STATEMENT},
	{"logsumexp", TOK_REDUCER, WORD_REDUCER},
	{"loss", TOK_LOSS, WORD_STATEMENT},
	{"mae", TOK_REDUCER, WORD_REDUCER},
	{"max", TOK_REDUCER, WORD_REDUCER},
	{"maximize", TOK_MAXIMIZE, WORD_VALUE},
	{"mean", TOK_SUM, WORD_REDUCER},
	{"min", TOK_REDUCER, WORD_REDUCER},
	{"minimize", TOK_MINIMIZE, WORD_VALUE},
	{"mod", TOK_MOD, WORD_RESERVED},
	{"net", TOK_NET, WORD_STATEMENT},
	{"next", TOK_NEXT, WORD_STATEMENT},
	{"not", TOK_NOT, WORD_RESERVED},
	{"of", TOK_OF, WORD_CONTEXT},
	{"on", TOK_ON, WORD_CONTEXT},
	{"optimizer", TOK_OPTIMIZER, WORD_STATEMENT},
	{"or", TOK_OR, WORD_RESERVED},
	{"over", TOK_OVER, WORD_CONTEXT},
	{"param", TOK_PARAM, WORD_STATEMENT},
	{"partial", TOK_PARTIAL, WORD_RESERVED},
	{"periodic", TOK_PERIODIC, WORD_CONTEXT},
	{"plot", TOK_PLOT, WORD_VALUE},
	{"points", TOK_POINTS, WORD_STATEMENT},
	{"precision", TOK_PRECISION, WORD_STATEMENT},
	{"print", TOK_PRINT, WORD_VALUE},
	{"prod", TOK_REDUCER, WORD_REDUCER},
	{"prove", TOK_PROVE, WORD_VALUE},
	{"r2", TOK_REDUCER, WORD_REDUCER},
	{"real", TOK_TYPE, WORD_TYPE},
	{"record", TOK_RECORD, WORD_STATEMENT},
	{"repeat", TOK_REPEAT, WORD_VALUE},
	{"reset", TOK_RESET, WORD_STATEMENT},
	{"return", TOK_RETURN, WORD_VALUE},
	{"rmse", TOK_REDUCER, WORD_REDUCER},
	{"save", TOK_SAVE, WORD_STATEMENT},
	{"set", TOK_SET, WORD_STATEMENT},
	{"shared", TOK_SHARED, WORD_CONTEXT},
	{"shl", TOK_SHL, WORD_RESERVED},
	{"shr", TOK_SHR, WORD_RESERVED},
	{"spin", TOK_TYPE, WORD_TYPE},
	{"split", TOK_SPLIT, WORD_STATEMENT},
	{"state", TOK_STATE, WORD_STATEMENT},
	{"steps", TOK_STEPS, WORD_CONTEXT},
	{"sum", TOK_SUM, WORD_REDUCER},
	{"sweep", TOK_SWEEP, WORD_STATEMENT},
	{"symmetrized", TOK_SYMMETRIZED, WORD_CONTEXT},
	{"test", TOK_TEST, WORD_VALUE},
	{"then", TOK_THEN, WORD_RESERVED},
	{"times", TOK_TIMES, WORD_CONTEXT},
	{"to", TOK_TO, WORD_CONTEXT},
	{"train", TOK_TRAIN, WORD_STATEMENT},
	{"under", TOK_UNDER, WORD_CONTEXT},
	{"unfreeze", TOK_FREEZE, WORD_STATEMENT},
	{"until", TOK_UNTIL, WORD_RESERVED},
	{"use", TOK_USE, WORD_STATEMENT},
	{"where", TOK_WHERE, WORD_CONTEXT},
	{"with", TOK_WITH, WORD_CONTEXT},
	{"within", TOK_WITHIN, WORD_CONTEXT},
	{"xor", TOK_XOR, WORD_RESERVED},
	{"Σ", TOK_SUM, WORD_REDUCER},
};

#define N_WORDS (sizeof words / sizeof *words)

const Word *word_row(size_t i)
{
	return i < N_WORDS ? &words[i] : NULL;
}

const Word *word_find(const char *text)
{
	size_t lo = 0, hi = N_WORDS;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(text, words[mid].text);
		if (order == 0) {
			return &words[mid];
		}
		if (order < 0) {
			hi = mid;
		} else {
			lo = mid + 1;
		}
	}
	return NULL;
}

bool token_is_infix(int kind)
{
	switch (kind) {
	case TOK_PLUS:
	case TOK_MINUS:
	case TOK_STAR:
	case TOK_SLASH:
	case TOK_CARET:
	case TOK_EQ:
	case TOK_NE:
	case TOK_LT:
	case TOK_LE:
	case TOK_GT:
	case TOK_GE:
	case TOK_AND:
	case TOK_OR:
	case TOK_MOD:
	case TOK_DIV:
	case TOK_XOR:
	case TOK_SHL:
	case TOK_SHR:
	case TOK_BAND:
	case TOK_BOR:
	case TOK_DOTS:
	case TOK_PIPE: return true;
	default: return false;
	}
}

static bool is_context_word(int kind)
{
	switch (kind) {
	case TOK_AGAINST:
	case TOK_AS:
	case TOK_AT:
	case TOK_BY:
	case TOK_COMPLETE:
	case TOK_EPOCHS:
	case TOK_EQUIVARIANT:
	case TOK_EVERY:
	case TOK_FOR:
	case TOK_FROM:
	case TOK_INTO:
	case TOK_INVARIANT:
	case TOK_OF:
	case TOK_ON:
	case TOK_OVER:
	case TOK_PERIODIC:
	case TOK_SHARED:
	case TOK_STEPS:
	case TOK_SYMMETRIZED:
	case TOK_TIMES:
	case TOK_TO:
	case TOK_UNDER:
	case TOK_WHERE:
	case TOK_WITH:
	case TOK_WITHIN: return true;
	default: return false;
	}
}

bool token_begins_value(int kind)
{
	switch (kind) {
	case TOK_NAME:
	case TOK_NUM:
	case TOK_STR:
	case TOK_LPAREN:
	case TOK_LBRACK:
	case TOK_SUM:
	case TOK_REDUCER:
	case TOK_EXPECT:
	case TOK_PARTIAL:
	case TOK_PARTIALOP:
	case TOK_TYPE:
	case TOK_NOT:
	case TOK_IF: return true;
	default: return is_context_word(kind);
	}
}

/* Statement words that may be a whole statement can end a line, too. */
bool token_ends_value(int kind)
{
	switch (kind) {
	case TOK_NAME:
	case TOK_NUM:
	case TOK_STR:
	case TOK_UNIT:
	case TOK_SUP:
	case TOK_RPAREN:
	case TOK_RBRACK:
	case TOK_RBRACE:
	case TOK_TYPE:
	case TOK_RESET:
	case TOK_BAD:
	case TOK_SUM:
	case TOK_REDUCER:
	case TOK_EXPECT:
	case TOK_COMMAND: return true;
	default: return is_context_word(kind);
	}
}

void tokens_print(ParseCtx *ctx, uint32_t file, FILE *out)
{
	Layout *l = arena_new(ctx->arena, Layout);
	if (layout_open(l, ctx, file)) {
		for (Token t = layout_next(l); t.kind != TOK_END; t = layout_next(l)) {
			if (t.invented) {
				continue;
			}
			fprintf(out, "%u-%u %s ", (unsigned)t.lo, (unsigned)t.hi,
			        parse_token_name(t.kind));
			if (t.kind == TOK_NEWLINE) {
				fputs("\\n\n", out);
			} else {
				fwrite(l->scan.text + t.lo, 1, t.hi - t.lo, out);
				fputc('\n', out);
			}
		}
	}
	layout_close(l);
}
