/* Target: ses_signature_parse(); every view lies within the input, and the embedded seal is a seal by itself. */
#include "tests/fuzz/fuzz_form.h"

#include "form/ses.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct span in = span_of(data, size);
	struct err_note note = {0};
	struct ses_signature s;
	struct ses_seal seal;
	enum err e = ses_signature_parse(a, in, &s, &note);

	if (e == ERR_OK) {
		MUST(span_eq(s.raw, in) && fuzz_inside(s.tbs_raw, in) && fuzz_inside(s.seal.raw, s.tbs_raw));
		MUST(fuzz_inside(s.data_hash, s.tbs_raw) && fuzz_inside(s.cert, in) && fuzz_inside(s.value, in));
		MUST(fuzz_inside(s.time_stamp, in) && s.version == 4);
		MUST(ses_seal_parse(a, s.seal.raw, &seal, NULL) == ERR_OK);
		MUST(span_eq(seal.info_raw, s.seal.info_raw));
	} else {
		MUST(note.code == e || e == ERR_BUDGET);
	}
	arena_free(a);
	return 0;
}
