/* Target: licence_file_parse() and licence_record_parse(); what is read is written again as the same bytes. */
#include "tests/fuzz/fuzz_form.h"

#include "form/licence.h"

static void record(struct arena *a, struct span in)
{
	struct licence_record r;
	struct err_note note = {0};
	struct span out;
	enum err e = licence_record_parse(a, in, &r, &note);

	if (e == ERR_OK)
		MUST(licence_record_encode(a, &r, &out) == ERR_OK && span_eq(out, in));
	else
		MUST(note.code == e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct span in = span_of(data, size), rec, sig, out;

	if (licence_file_parse(in, &rec, &sig) == ERR_OK) {
		MUST(licence_file_encode(a, rec, sig, &out) == ERR_OK && span_eq(out, in));
		record(a, rec);
	} else {
		record(a, in);
	}
	arena_free(a);
	return 0;
}
