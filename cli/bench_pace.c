#include "cli/bench_pace.h"

#include <stdlib.h>
#include <string.h>

#include "base/span.h"

static const char *const names[BENCH_OPS] = {"null", "verify", "show", "pull", "inspect"};

const char *bench_op_name(enum bench_op op)
{
	return names[op];
}

static enum bench_op op_of(const char *name, size_t len)
{
	int op;

	for (op = 0; op < BENCH_OPS; op++)
		if (strlen(names[op]) == len && memcmp(names[op], name, len) == 0)
			break;
	return (enum bench_op)op;
}

/* One "name=weight" of len bytes. */
static enum err part_parse(const char *text, size_t len, long weight[BENCH_OPS], struct err_note *note)
{
	const char *eq = memchr(text, '=', len);
	size_t name_len = eq != NULL ? (size_t)(eq - text) : len;
	enum bench_op op = op_of(text, name_len);
	char *end = NULL;

	if (op == BENCH_OPS)
		return err_note_set(note, ERR_USAGE, "mix", "'%.*s' is none of null, verify, show, pull, inspect",
		                    (int)(name_len < 40 ? name_len : 40), text);
	if (weight[op] != 0)
		return err_note_set(note, ERR_USAGE, "mix", "'%s' stands twice", names[op]);
	weight[op] = eq != NULL ? strtol(eq + 1, &end, 10) : 1;
	if (eq != NULL && (end != text + len || weight[op] < 1 || weight[op] > MIX_WEIGHT_MAX))
		return err_note_set(note, ERR_USAGE, "mix", "The weight of '%s' is not a number from 1 to %d", names[op],
		                    MIX_WEIGHT_MAX);
	return ERR_OK;
}

/* Each step every kind gains its weight, and the one that has most gives back the whole: the smooth round robin. */
static void spread(const long weight[BENCH_OPS], struct mix *out)
{
	long gained[BENCH_OPS] = {0}, whole = 0;

	for (int op = 0; op < BENCH_OPS; op++)
		whole += weight[op];
	for (out->n = 0; out->n < (size_t)whole; out->n++) {
		int best = 0;

		for (int op = 0; op < BENCH_OPS; op++) {
			gained[op] += weight[op];
			if (gained[op] > gained[best])
				best = op;
		}
		gained[best] -= whole;
		out->op[out->n] = (uint8_t)best;
	}
}

enum err mix_parse(const char *text, struct mix *out, struct err_note *note)
{
	long weight[BENCH_OPS] = {0};
	const char *end;
	enum err e;

	for (;; text = end + 1) {
		end = text + strcspn(text, ",");
		e = part_parse(text, (size_t)(end - text), weight, note);
		if (e != ERR_OK)
			return e;
		if (*end == '\0')
			break;
	}
	spread(weight, out);
	return ERR_OK;
}

bool mix_has(const struct mix *m, enum bench_op op)
{
	return memchr(m->op, (int)op, m->n) != NULL;
}

int64_t pace_due(int64_t start, uint64_t rate, uint64_t i)
{
	const uint64_t second = 1000000000;

	return start + (int64_t)(i / rate * second + i % rate * second / rate);
}
