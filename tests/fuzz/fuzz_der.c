/* Target: every call of the DER reader, walked through the whole input; written again, integers, object identifiers,
 * bit strings and times are the same bytes. */
#include "tests/fuzz/fuzz_form.h"

#include "form/der.h"

static void again(const struct buf *b, struct span raw)
{
	struct span out;

	MUST(buf_done(b, &out) == ERR_OK && span_eq(out, raw));
}

static void leaf(struct arena *a, struct der d, struct span raw)
{
	struct der at = d; /* stays there until one of the calls succeeds */
	struct span bytes;
	struct buf b;
	int64_t v;
	bool truth;
	char *text;

	buf_init(&b, a);
	if (der_int64(&at, &v) == ERR_OK) {
		der_put_int(&b, v);
		again(&b, raw);
	} else if (der_oid(&at, a, &text) == ERR_OK) {
		MUST(der_put_oid(&b, text) == ERR_OK);
		again(&b, raw);
	} else if (der_gentime(&at, &v) == ERR_OK) {
		der_put_gentime(&b, v);
		again(&b, raw);
	} else if (der_bits(&at, &bytes) == ERR_OK) {
		der_put_bits(&b, bytes);
		again(&b, raw);
	} else if (der_utf8(&at, a, 64, &text) == ERR_OK || der_ia5(&at, a, 64, &text) == ERR_OK ||
	           der_printable(&at, a, 64, &text) == ERR_OK) {
		MUST(text != NULL);
	} else if (der_octets(&at, &bytes) == ERR_OK) {
		MUST(fuzz_inside(bytes, raw));
	} else if (der_bool(&at, &truth) == ERR_OK) {
		MUST(raw.len == 3);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct der stack[DER_DEPTH_MAX + 1];
	struct der_item it;
	size_t n, depth = 0;

	if (size > 4096) {
		arena_free(a);
		return 0;
	}
	stack[0] = der_of(span_of(data, size));
	for (;;) {
		struct der *d = &stack[depth], before = *d;
		enum err e = der_count(d, 100, &n);

		MUST(e == ERR_OK || e == ERR_FORMAT || e == ERR_TOO_LARGE);
		if (!der_more(d) || der_take(d, DER_ANY, &it) != ERR_OK) {
			if (depth == 0)
				break;
			depth--;
			continue;
		}
		MUST(fuzz_inside(it.raw, before.rest) && fuzz_inside(it.value, it.raw));
		leaf(a, before, it.raw);
		if ((it.tag & 0x20) != 0 && der_enter(&before, it.tag, &stack[depth + 1], NULL) == ERR_OK) {
			depth++;
			MUST(depth <= DER_DEPTH_MAX);
		}
	}
	arena_free(a);
	return 0;
}
