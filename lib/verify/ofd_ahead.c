/* The values of a package with several signatures, read before their turn and verified together. */
#include "form/signed_data.h"
#include "verify/ahead.h"
#include "verify/ofd.h"

enum {
	PAYS = 2,                    /* signatures: below this there is nothing to share */
	VALUE_MAX = 256 * 1024,      /* of one SignedValue.dat: larger ones wait for their turn */
	VALUES_MAX = 2 * 1024 * 1024 /* of all that are read before their turn */
};

/* Into the report's own arena, where its turn would put it; what the package counts is left to its turn. */
static size_t read_before_turn(struct ofd_job *job, struct ofd_item *item)
{
	struct ofd_fault fault = {0};
	size_t held = job->p->held;

	if (!item->is_read || item->value->size > VALUE_MAX)
		return 0;
	if (ofd_read(job->p, job->j->a, item->value, VALUE_MAX, &item->ahead, &fault) != ERR_OK)
		item->ahead = span_of(NULL, 0);
	job->p->held = held;
	return (size_t)item->value->size;
}

struct verify_ahead *ofd_ahead(struct ofd_job *job)
{
	struct verify_ahead *h = job->n_items >= PAYS ? verify_ahead_new(policy_means(job->j->p)) : NULL;
	size_t total = 0;

	for (size_t i = 0; h != NULL && i < job->n_items && total < VALUES_MAX; i++) {
		struct ofd_item *item = &job->items[i];

		total += read_before_turn(job, item);
		if (item->ahead.len != 0 && !signed_data_starts(item->ahead))
			verify_ahead_add(h, item->ahead);
	}
	return h;
}
