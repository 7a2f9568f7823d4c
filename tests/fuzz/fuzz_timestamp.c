/* Time stamp tokens from strangers, through the parser and the whole judgement: no token counts without any trust. */
#include <stdlib.h>

#include "form/timestamp.h"
#include "verify/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET = 64 * 1024 * 1024 };

static void need(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verify_policy p = {.name = "default"};
	const struct verify_input in = {.now = INT64_C(1795000000000)};
	struct arena *a = arena_new(BUDGET);
	struct judge j;
	int64_t time = 0;

	need(a != NULL);
	need(judge_begin(&j, KIND_SIGNATURE, a, &p, &in) == ERR_OK);
	if (judge_time_stamp(&j, span_of(data, size), span_str("the signed data"), &time) == ERR_OK) {
		need(time == 0);
		for (const struct check *c = j.r->checks; c != NULL; c = c->next)
			need(report_code_find(c->code) != NULL);
	}
	arena_free(a);
	return 0;
}
