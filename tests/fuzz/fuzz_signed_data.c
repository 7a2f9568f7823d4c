/* SignedData from strangers: parsed within bounds, and what the parser says of the attributes holds. */
#include <stdlib.h>

#include "form/signed_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET = 64 * 1024 * 1024 };

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void need_attrs(struct arena *a, const struct signer_info *s)
{
	struct span stored, sorted;

	if (!s->has_attrs)
		return;
	need(signer_info_attrs(a, s, false, &stored) == ERR_OK);
	need(signer_info_attrs(a, s, true, &sorted) == ERR_OK);
	need(stored.len == sorted.len);
	need(span_eq(stored, sorted) || !s->attrs_sorted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(BUDGET);
	struct signed_data *sd = a != NULL ? arena_alloc(a, sizeof(*sd)) : NULL;
	struct deviations dev = {0};
	struct err_note note = {0};

	need(sd != NULL);
	(void)signature_value_starts(span_of(data, size));
	(void)signed_data_starts(span_of(data, size));
	if (signed_data_parse(a, span_of(data, size), &dev, sd, &note) == ERR_OK) {
		need(sd->n_certs <= SIGNED_DATA_CERTS_MAX && sd->n_signers <= SIGNED_DATA_SIGNERS_MAX);
		for (size_t i = 0; i < sd->n_signers; i++)
			need_attrs(a, &sd->signers[i]);
		/* What strict reading takes has no deviation. */
		need(dev.n == 0 || signed_data_parse(a, span_of(data, size), NULL, sd, &note) != ERR_OK);
	}
	arena_free(a);
	return 0;
}
