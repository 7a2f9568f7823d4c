/* Target: policy_parse(): whatever the text, it is refused with a line, or gives rules within their bounds. */
#include "tests/fuzz/fuzz_form.h"

#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct policy_file *f = arena_alloc(a, sizeof(*f));
	struct err_note note = {0};
	enum err e = policy_parse(a, "fuzz.ini", span_of(data, size), f, &note);
	const struct policy_rules *r = &f->rules;

	if (e == ERR_OK) {
		MUST(r->name[0] != '\0' && r->version[0] != '\0');
		MUST(r->n_algorithms <= POLICY_ROWS_MAX && r->n_deviations <= POLICY_ROWS_MAX);
		MUST(r->rsa_min_bits >= 1024 && r->crl_max_days >= 0 && r->crl_max_days <= POLICY_DAYS_MAX);
		MUST(r->zone_minutes >= -14 * 60 && r->zone_minutes <= 14 * 60);
	} else {
		MUST(note.code == e && note.help[0] != '\0');
	}
	arena_free(a);
	return 0;
}
