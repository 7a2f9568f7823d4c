/* The SM2 values of a package with several signatures, verified together. What is collected here is a guess at what the
 * judges will ask for; what it misses they verify themselves (crypto/sm2_batch.h, struct sm2_ahead). */
#include "crypto/sm2_batch.h"
#include "form/signed_data.h"
#include "verify/ofd.h"

#include <stdlib.h>

enum {
	PAYS = 2,                         /* signatures: below this there is nothing to share */
	VALUE_MAX = 256 * 1024,           /* of one SignedValue.dat: larger ones wait for their turn */
	VALUES_MAX = 2 * 1024 * 1024,     /* of all that are read before their turn */
	BUDGET = VALUES_MAX + VALUES_MAX, /* for what is parsed here */
	JOBS = 2                          /* per signature: of the signer and of the maker */
};

struct ofd_ahead {
	struct arena *arena;
	struct sm2_job jobs[JOBS * OFD_SIGNATURES_MAX];
	struct sm2_key *keys[JOBS * OFD_SIGNATURES_MAX];
	size_t n_keys;
	struct sm2_ahead found;
};

/* The uncompressed point of the certificate's key: what follows the SubjectPublicKeyInfo's beginning for SM2. Whether
 * it really is the key is for who asks for the job. */
static struct span point_in(struct span cert)
{
	static const uint8_t spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	                               0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00};
	const uint8_t *at = cert.len != 0 ? memmem(cert.ptr, cert.len, spki, sizeof(spki)) : NULL;
	size_t from = at != NULL ? (size_t)(at - cert.ptr) + sizeof(spki) : 0;

	if (at == NULL || cert.len - from < SM2_POINT)
		return span_of(NULL, 0);
	return span_of(cert.ptr + from, SM2_POINT);
}

static const struct sm2_key *key_of(struct ofd_ahead *h, struct span cert)
{
	struct span point = point_in(cert);

	for (size_t i = 0; i < h->n_keys; i++)
		if (span_eq(sm2_key_point(h->keys[i]), point))
			return h->keys[i];
	if (sm2_key_new(point, &h->keys[h->n_keys]) != ERR_OK)
		return NULL;
	return h->keys[h->n_keys++];
}

static void add_value(struct ofd_ahead *h, struct span cert, struct span msg, struct span value)
{
	struct deviations unused = {0};
	struct sm2_job *job = &h->jobs[h->found.n];

	*job = (struct sm2_job){.key = key_of(h, cert), .id = sm2_default_id(), .msg = msg};
	if (job->key != NULL && ses_value_read(h->arena, value, &unused, "", &job->sig) == ERR_OK)
		h->found.n++;
}

/* A seal that was good before need not be verified (crypto/memo.h). */
static void add_signature(struct ofd_ahead *h, struct span bytes, bool with_seal)
{
	struct deviations unused = {0};
	const struct ses_reading how = {&unused, 0};
	struct ses_signature *sig = arena_alloc(h->arena, sizeof(*sig));

	if (sig == NULL || ses_signature_read(h->arena, bytes, &how, sig, NULL) != ERR_OK)
		return;
	add_value(h, sig->cert, sig->tbs_raw, sig->value);
	if (with_seal)
		add_value(h, sig->seal.maker_cert, sig->seal.signed_raw, sig->seal.value);
}

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

static void collect(struct ofd_ahead *h, struct ofd_job *job, bool with_seals)
{
	size_t total = 0;

	for (size_t i = 0; i < job->n_items && total < VALUES_MAX; i++) {
		struct ofd_item *item = &job->items[i];

		total += read_before_turn(job, item);
		if (item->ahead.len != 0 && !signed_data_starts(item->ahead))
			add_signature(h, item->ahead, with_seals);
	}
}

struct ofd_ahead *ofd_ahead_new(struct ofd_job *job)
{
	struct sm2_means by = policy_means(job->j->p);
	struct ofd_ahead *h;

	if (job->n_items < PAYS || by.backend != SM2_OWN)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->arena = arena_new(BUDGET);
	if (h->arena != NULL)
		collect(h, job, by.memo == NULL);
	sm2_verify_batch(by, h->jobs, h->found.n);
	h->found.jobs = h->jobs;
	return h;
}

const struct sm2_ahead *ofd_ahead_found(const struct ofd_ahead *h)
{
	return h != NULL ? &h->found : NULL;
}

void ofd_ahead_free(struct ofd_ahead *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->n_keys; i++)
		sm2_key_free(h->keys[i]);
	arena_free(h->arena);
	free(h);
}
