/*
 * Tables of the keys that return. A service sees few signers and very many signatures: a key's table (256 KiB, some
 * 0.4 ms to build) makes each of its verifications four to ten times as fast. First uses go without; a key that is used
 * CACHE_PROMOTES times gets its table, built by the thread that asked, with no lock held. Several threads that ask for
 * one key at that moment: one builds, the others go on without.
 *
 * Bounded: no more tables than fit the limit, and about eight times as many keys counted. When all tables are taken, a
 * key gets one only when it was used clearly more than one that has one and is used little, which then loses it; counts
 * are halved from time to time, so that what was popular once makes room. A flood of new keys therefore moves no signer
 * that is in use. A table that was taken is never freed before it is given back.
 *
 * Owned by whoever opens what verifies (the server, the command line), and given down in struct sm2_means. Keys are
 * public: who watches the clock can learn which signers were seen lately, and nothing else.
 */
#ifndef YZ_CRYPTO_SM2_CACHE_H
#define YZ_CRYPTO_SM2_CACHE_H

#include "crypto/rand.h"
#include "crypto/sm2_table.h"

enum { CACHE_PROMOTES = 16 };

struct sm2_cache;

/* limit: bytes for all tables; below the size of one there are none, and nothing is counted. The randomness seeds where
 * keys are kept, so that nobody can choose keys that crowd one place. ERR_NO_MEMORY, ERR_RANDOM. */
enum err sm2_cache_new(size_t limit, const struct rand *r, struct sm2_cache **out) MUST_CHECK;
/* When all tables are given back. */
void sm2_cache_free(struct sm2_cache *c);

/* Counts a use of this key, a point on the curve. Its table, to be given back; NULL: none yet. Any thread. */
const struct sm2_table *sm2_cache_take(struct sm2_cache *c, const struct sm2_affine *key) MUST_CHECK;
void sm2_cache_give(const struct sm2_table *t);

struct sm2_cache_figures {
	uint64_t hits, misses;   /* uses with and without a table */
	uint64_t built, evicted; /* tables, since the start */
	size_t tables, bytes;    /* now */
	size_t limit;            /* bytes */
};
void sm2_cache_figures(struct sm2_cache *c, struct sm2_cache_figures *out);

#endif
