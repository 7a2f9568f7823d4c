/*
 * What was proved before about the very same bytes: that a signature value is good under a key, and what a certificate
 * says. Both are true of the bytes for ever. Whatever may change, or depends on when and for whom one asks (trust,
 * periods, revocation, policy, the state of seals and licences) is never kept here: it is judged anew every time, so a
 * revocation takes effect with the next question.
 *
 * A signature is known by SHA-256 over epoch, kind, key, identity, value and message, whole: a bit of difference is
 * another question. Only good ones are kept; what is not known is verified. So a memo decides how long an answer takes,
 * never what it is, and losing an entry costs time only.
 *
 * Of fixed size, taken at the start and touched as it fills. Places are in sets of a few; in a full set the one that
 * was used longest ago makes room. Where an entry stands follows from its hash, which is salted, so that nobody can
 * choose entries that crowd one set. Any thread.
 */
#ifndef YZ_CRYPTO_MEMO_H
#define YZ_CRYPTO_MEMO_H

#include "crypto/cert.h"
#include "crypto/rand.h"

struct memo;

/* Kinds: sm2.h, enum memo_kind. */

/* limit: bytes in all, at least MEMO_LIMIT_MIN. ERR_NO_MEMORY, ERR_RANDOM, ERR_FIELD_INVALID for less. */
enum { MEMO_LIMIT_MIN = 512 * 1024 };
enum err memo_new(size_t limit, const struct rand *r, struct memo **out) MUST_CHECK;
/* When nobody uses it any more. */
void memo_free(struct memo *m);
/* Nothing that was proved before counts from here on. */
void memo_next_epoch(struct memo *m);

enum { MEMO_KEY = 32 };
struct memo_question { /* a signature; `key` as the uncompressed point */
	enum memo_kind kind;
	struct span key, id, msg, value;
	uint64_t epoch; /* kept by memo_knows() for memo_learn() */
	uint8_t name[MEMO_KEY];
};
/* Was it found good before? m may be NULL: no. Fills in the question for memo_learn(). */
bool memo_knows(struct memo *m, struct memo_question *q) MUST_CHECK;
/* It was found good just now. Of an epoch that has passed meanwhile nothing is kept. */
void memo_learn(struct memo *m, const struct memo_question *q);

/* cert_parse(), or another reference to the same parsed before from the same bytes. m may be NULL. */
enum err memo_cert(struct memo *m, struct span der, struct cert **out) MUST_CHECK;

struct memo_figures {
	uint64_t hits[MEMO_KINDS], misses[MEMO_KINDS];
	uint64_t evicted, epoch;
	size_t signatures, certs; /* kept now */
	size_t bytes, limit;      /* bytes: what these take of the limit */
};
void memo_figures(struct memo *m, struct memo_figures *out);

#endif
