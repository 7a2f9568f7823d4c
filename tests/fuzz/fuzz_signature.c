/* Targets: ses_signature_parse(), ses_signature_read(). Every view lies within the input, the embedded seal is a seal
 * by itself (its DER form, at least), and what is read without a deviation is read by the strict reader, too. */
#include "tests/fuzz/fuzz_form.h"

#include "form/ses.h"

static void strictly(struct arena *a, struct span in)
{
	struct err_note note = {0};
	struct ses_signature s;
	struct ses_seal seal;
	enum err e = ses_signature_parse(a, in, &s, &note);

	if (e != ERR_OK) {
		MUST(note.code == e || e == ERR_BUDGET);
		return;
	}
	MUST(span_eq(s.raw, in) && fuzz_inside(s.tbs_raw, in) && fuzz_inside(s.seal.raw, s.tbs_raw));
	MUST(fuzz_inside(s.data_hash, s.tbs_raw) && fuzz_inside(s.cert, in) && fuzz_inside(s.value, in));
	MUST(fuzz_inside(s.time_stamp, in) && s.version == 4);
	MUST(ses_seal_parse(a, s.seal.raw, &seal, NULL) == ERR_OK);
	MUST(span_eq(seal.info_raw, s.seal.info_raw));
}

static bool is_noted(const struct deviations *list, const char *code)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->item[i].code, code) == 0)
			return true;
	}
	return false;
}

/* A seal of BER in octets is the one that does not lie in the signature: what it says is a copy of its own. */
static bool is_elsewhere(const struct deviations *list)
{
	return is_noted(list, "SEAL_WRAPPED") && (is_noted(list, "BER_LENGTHS") || is_noted(list, "BER_STRINGS"));
}

static void tolerantly(struct arena *a, struct span in)
{
	struct deviations list = {0}, more = {0};
	const struct ses_reading lax = {&list, 480}, seal_lax = {&more, 480}, none = {NULL, 0};
	struct err_note note = {0};
	struct ses_signature s, t;
	struct ses_seal seal;
	enum err e = ses_signature_read(a, in, &lax, &s, &note);

	if (e != ERR_OK) {
		MUST(note.code == e || e == ERR_BUDGET);
		MUST(e == ERR_BUDGET || ses_signature_read(a, in, &none, &t, NULL) != ERR_OK);
		return;
	}
	MUST(s.version == 1 || s.version == 4 || s.version == 5);
	MUST(fuzz_inside(s.tbs_raw, s.raw) && fuzz_inside(s.tbs_received, in));
	MUST(fuzz_inside(s.seal.raw, s.tbs_raw) || is_elsewhere(&list));
	MUST(fuzz_inside(s.seal.received, s.tbs_raw) || fuzz_inside(s.seal.received, in));
	MUST(fuzz_inside(s.cert, s.raw) && fuzz_inside(s.time_stamp, s.raw) && fuzz_inside(s.time_token, s.raw));
	MUST(list.n != 0 || ses_signature_read(a, in, &none, &t, NULL) == ERR_OK);
	e = ses_seal_read(a, s.seal.raw, &seal_lax, &seal, NULL);
	MUST(e == ERR_OK || e == ERR_BUDGET);
	MUST(e != ERR_OK || span_eq(seal.signed_raw, s.seal.signed_raw));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);

	strictly(a, span_of(data, size));
	tolerantly(a, span_of(data, size));
	arena_free(a);
	return 0;
}
