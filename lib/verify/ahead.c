#include "verify/ahead.h"

#include "form/licence.h"
#include "form/ses.h"
#include "verify/seal_memo.h"

#include <stdlib.h>

enum {
	PAYS = 2,                 /* values: a single one shares with nobody */
	BUDGET = 4 * 1024 * 1024, /* for what is parsed here */
	VALUES = 2                /* of a signature: the signer's and the maker's */
};

struct verify_ahead {
	struct sm2_means by;
	struct arena *arena;
	struct sm2_job jobs[VALUES * AHEAD_SIGNATURES];
	struct sm2_key *keys[VALUES * AHEAD_SIGNATURES];
	size_t n_keys;
	struct sm2_ahead found;
};

struct verify_ahead *verify_ahead_new(struct sm2_means by)
{
	struct verify_ahead *h = by.backend == SM2_OWN ? calloc(1, sizeof(*h)) : NULL;

	if (h == NULL)
		return NULL;
	h->by = by;
	h->arena = arena_new(BUDGET);
	if (h->arena == NULL) {
		free(h);
		return NULL;
	}
	return h;
}

void verify_ahead_free(struct verify_ahead *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->n_keys; i++)
		sm2_key_free(h->keys[i]);
	arena_free(h->arena);
	free(h);
}

/* The uncompressed point of the certificate's key: what follows the beginning of an SM2 SubjectPublicKeyInfo. Whether
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

static const struct sm2_key *key_of(struct verify_ahead *h, struct span cert)
{
	struct span point = point_in(cert);

	for (size_t i = 0; i < h->n_keys; i++)
		if (span_eq(sm2_key_point(h->keys[i]), point))
			return h->keys[i];
	if (sm2_key_new(point, &h->keys[h->n_keys]) != ERR_OK)
		return NULL;
	return h->keys[h->n_keys++];
}

static void add_value(struct verify_ahead *h, struct span cert, struct span msg, struct span value)
{
	struct deviations unused = {0};
	struct sm2_job *job = &h->jobs[h->found.n];

	*job = (struct sm2_job){.key = key_of(h, cert), .id = sm2_default_id(), .msg = msg};
	if (job->key != NULL && ses_value_read(h->arena, value, &unused, "", &job->sig) == ERR_OK)
		h->found.n++;
}

/* Where good seals are remembered (crypto/memo.h) their values are not asked for often; and of a seal that is known
 * (seal_memo.h) so little is left to hash that a batch saves nothing. */
static void add_signature(struct verify_ahead *h, struct span bytes)
{
	struct deviations unused = {0};
	const struct ses_reading how = {&unused, 0};
	struct seal_question q = {.memo = h->by.seals, .arena = h->arena, .zone_minutes = SEAL_ANY_ZONE};
	const struct ses_memory memory = {seal_memo_recall, &q};
	struct ses_signature *sig = arena_alloc(h->arena, sizeof(*sig));

	if (sig == NULL || ses_signature_recall(h->arena, bytes, &how, &memory, sig, NULL) != ERR_OK || q.found != NULL)
		return;
	add_value(h, sig->cert, sig->tbs_raw, sig->value);
	if (h->by.memo == NULL)
		add_value(h, sig->seal.maker_cert, sig->seal.signed_raw, sig->seal.value);
}

void verify_ahead_add(struct verify_ahead *h, struct span file)
{
	struct span record, signature;

	if (h == NULL || h->found.n > VALUES * (AHEAD_SIGNATURES - 1))
		return;
	if (licence_file_parse(file, &record, &signature) == ERR_OK)
		add_signature(h, signature);
	else
		add_signature(h, file);
}

const struct sm2_ahead *verify_ahead_run(struct verify_ahead *h)
{
	if (h == NULL || h->found.n < PAYS)
		return NULL;
	sm2_verify_batch(h->by, h->jobs, h->found.n);
	h->found.jobs = h->jobs;
	return &h->found;
}
