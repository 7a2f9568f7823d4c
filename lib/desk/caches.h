/*
 * What a service keeps so that it need not work it out again: the tables of signers' keys (crypto/sm2_cache.h), the
 * signatures and certificates that were proved before (crypto/memo.h), and seals, read (verify/seal_memo.h). All answer
 * for identical bytes only, and only
 * what is true of these bytes for ever; trust, periods, revocation and states are judged anew with every call. And what
 * was read of the store and changes seldom (kept.h), licences that were judged a moment ago (known.h), and show-codes
 * that were issued a moment ago (fresh.h).
 *
 * Made before the trust list, freed after it and after the desk.
 */
#ifndef YZ_DESK_CACHES_H
#define YZ_DESK_CACHES_H

#include "crypto/cert.h"
#include "crypto/memo.h"
#include "crypto/sm2_cache.h"
#include "desk/fresh.h"
#include "desk/kept.h"
#include "verify/seal_memo.h"

enum {
	CACHES_LIMIT_MIN = 45 * 128 * 1024,
	PERSONAL_KEPT_MS = 5 * 60 * 1000 /* a preview, the code and its use are within a few minutes */
};

struct desk_caches;
/* limit: bytes for all, at least CACHES_LIMIT_MIN; 0: nothing is kept. ERR_NO_MEMORY, ERR_RANDOM, ERR_FIELD_INVALID. */
enum err desk_caches_new(size_t limit, const struct rand *r, struct desk_caches **out) MUST_CHECK;
void desk_caches_free(struct desk_caches *c);
/* What verifies below this trust list uses the caches; its back end stays. Before the list is shared by threads. Every
 * list that comes later (the configuration was read again) begins a new epoch: what was proved under an earlier one no
 * longer counts.
 */
void desk_caches_use(struct desk_caches *c, struct cert_store *trust);

struct desk_cache_figures {
	struct memo_figures memo;
	struct kept_figures kept, licences;
	struct fresh_figures codes;
	struct sm2_cache_figures tables;
	struct seal_memo_figures seals;
};
/* Of the desk itself; NULL when nothing is kept. c may be NULL. */
struct kept *desk_caches_kept(struct desk_caches *c);
struct kept *desk_caches_licences(struct desk_caches *c);
struct fresh *desk_caches_codes(struct desk_caches *c);
/* Something of the store had changed without our knowing. Nothing that was kept is taken for current without asking. */
void desk_caches_doubt(struct desk_caches *c);
/* How often that happened; 0 when nothing is kept. */
uint64_t desk_caches_doubts(struct desk_caches *c);
/* A number that no other desk with these caches has: what one desk judged, by its trust, is nothing to another. */
uint64_t desk_caches_number(struct desk_caches *c);
/* To be called every few seconds with a steady clock's milliseconds: personal data that has been kept for
 * PERSONAL_KEPT_MS is dropped. */
void desk_caches_age(struct desk_caches *c, int64_t now);

/* All zeros when nothing is kept. */
void desk_caches_figures(struct desk_caches *c, struct desk_cache_figures *out);

#endif
