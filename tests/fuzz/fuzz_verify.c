/* Files from strangers through the whole verification: whatever the bytes, there is a report with a verdict, codes that
 * are in the table, and one line of JSON; without any trust nothing passes. */
#include <stdlib.h>

#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET = 64 * 1024 * 1024 };

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void need_codes(const struct check *c)
{
	for (; c != NULL; c = c->next)
		need(report_code_find(c->code) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verify_policy p = {.name = "default"};
	const struct verify_input in = {.bytes = {data, size}, .data = {data, size / 2}, .now = INT64_C(1795000000000)};
	struct arena *a = arena_new(BUDGET);
	struct report *r = NULL;
	char *line = NULL;

	need(a != NULL);
	if (verify_any(a, &p, &in, &r) == ERR_OK) {
		need(r->indication == TOTAL_FAILED || r->indication == INDETERMINATE);
		need(report_reason(r) != NULL);
		need_codes(r->checks);
		for (const struct signature_report *s = r->signatures; s != NULL; s = s->next)
			need_codes(s->checks);
		need(report_json(a, r, "file", &line) == ERR_OK && strchr(line, '\n') == NULL);
	}
	arena_free(a);
	return 0;
}
