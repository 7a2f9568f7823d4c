/* Target: verdict_parse(); what is read is written again as the same bytes. */
#include "tests/fuzz/fuzz_form.h"

#include "form/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct span in = span_of(data, size), out;
	struct err_note note = {0};
	struct verdict_record v;
	enum err e = verdict_parse(a, in, &v, &note);

	if (e == ERR_OK)
		MUST(verdict_encode(a, &v, &out) == ERR_OK && span_eq(out, in));
	else
		MUST(note.code == e);
	arena_free(a);
	return 0;
}
