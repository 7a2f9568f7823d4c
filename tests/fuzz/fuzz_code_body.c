/* Target: code_body_parse(), the record behind a show-code; what is read is written again as the same bytes. */
#include "tests/fuzz/fuzz_form.h"

#include "desk/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct span in = span_of(data, size), out;
	struct code_body body;

	if (code_body_parse(a, in, &body) == ERR_OK)
		MUST(code_body_encode(a, &body, &out) == ERR_OK && span_eq(out, in));
	arena_free(a);
	return 0;
}
