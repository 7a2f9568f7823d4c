/*
 * Seals that return. A signature carries its whole seal, and a service sees few seals in very many signatures: of a
 * seal that was found good, what is true of its octets for ever is kept beside them: how it reads, that its maker's
 * value is good under its maker's key, and SM3's state after it in what its signers sign (crypto/sm2_head.h).
 *
 * An entry answers for the very same octets and nothing else; trust, periods, revocation, policy and state are judged
 * anew with every signature. So it decides how long an answer takes, never what it is.
 *
 * Kept is a seal that came in DER with a signature that passed all steps, once it comes for the second time: nobody
 * fills the room with seals of his own making, and one that comes once costs nothing. Bounded in octets and in number;
 * in a full set the one that was used longest ago makes room. Nothing that was kept before a new epoch counts after it.
 * Any thread.
 */
#ifndef YZ_VERIFY_SEAL_MEMO_H
#define YZ_VERIFY_SEAL_MEMO_H

#include "crypto/rand.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_head.h"
#include "form/ses.h"
#include <limits.h>

struct seal_memo;
/* limit: bytes in all, at least SEAL_MEMO_MIN. ERR_NO_MEMORY, ERR_RANDOM, ERR_FIELD_INVALID for less. */
enum { SEAL_MEMO_MIN = 64 * 1024 };
enum err seal_memo_new(size_t limit, const struct rand *r, struct seal_memo **out) MUST_CHECK;
/* When nobody uses it any more. */
void seal_memo_free(struct seal_memo *m);
void seal_memo_next_epoch(struct seal_memo *m);

enum { SEAL_ANY_ZONE = INT_MIN };
/* A seal that is known; immutable but for the heads that come to it. */
struct seal_known;
/* For struct ses_memory, with a struct seal_question as its argument. */
struct seal_question {
	struct seal_memo *memo; /* NULL: nothing is known */
	struct arena *arena;    /* of the reading: what is found stays until it is freed */
	int zone_minutes;       /* of the reading; SEAL_ANY_ZONE: times do not matter */
	/* out */
	bool asked;
	struct seal_known *found; /* NULL: not known */
	uint64_t epoch;           /* in which it was asked */
};
const struct ses_known *seal_memo_recall(void *question, struct span seal);

/* That its maker's value is good; and the beginnings of what was signed with it. */
const struct sm2_ahead *seal_known_value(const struct seal_known *k);
const struct sm2_head *seal_known_heads(const struct seal_known *k, size_t *n);

/* A signature and its seal were found good in all steps, with this signer; `q` was the question when the signature was
 * read. by: the means to prove the maker's value with. That it could not be kept is no failure. */
struct seal_found {
	const struct ses_signature *sig;
	const struct sm2_key *signer; /* NULL: of another kind, and then nothing is kept */
	struct sm2_means by;
};
void seal_memo_keep(const struct seal_question *q, const struct seal_found *f);

struct seal_memo_figures {
	uint64_t hits, misses, evicted;
	size_t seals, bytes, limit;
};
void seal_memo_figures(struct seal_memo *m, struct seal_memo_figures *out);

#endif
