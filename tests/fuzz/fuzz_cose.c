/* Target: cose_parse(), and with it most of the CBOR reader; what is read is written again as the same bytes. */
#include "tests/fuzz/fuzz_form.h"

#include "form/cbor.h"
#include "form/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct span in = span_of(data, size), out, raw;
	struct cbor_reader r = {in};
	struct cose_sign1 s;
	uint8_t der[72];
	size_t len;

	if (cose_parse(a, in, &s) == ERR_OK) {
		MUST(cose_value_to_der(s.value, der, &len) == ERR_OK);
		MUST(cose_encode(a, s.content_type, s.certs, s.n_certs, s.payload, span_of(der, len), &out) == ERR_OK);
		MUST(span_eq(out, in));
		MUST(cose_to_be_signed(a, s.content_type, s.certs, s.n_certs, s.payload, &out) == ERR_OK);
		MUST(span_eq(out, s.to_be_signed));
	}
	while (cbor_skip(&r, &raw) == ERR_OK)
		MUST(raw.len != 0 && fuzz_inside(raw, in));
	arena_free(a);
	return 0;
}
