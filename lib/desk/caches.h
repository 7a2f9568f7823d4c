/*
 * What a service keeps so that it need not work it out again: the tables of signers' keys (crypto/sm2_cache.h) and the
 * signatures and certificates that were proved before (crypto/memo.h). Both answer for identical bytes only, and only
 * what is true of these bytes for ever; trust, periods, revocation and states are judged anew with every call. And what
 * was read of the store and changes seldom (kept.h).
 *
 * Made before the trust list, freed after it and after the desk.
 */
#ifndef YZ_DESK_CACHES_H
#define YZ_DESK_CACHES_H

#include "crypto/cert.h"
#include "crypto/memo.h"
#include "crypto/sm2_cache.h"
#include "desk/kept.h"

enum { CACHES_LIMIT_MIN = 3 * 1024 * 1024 };

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
	struct kept_figures kept;
	struct sm2_cache_figures tables;
};
/* Of the desk itself; NULL when nothing is kept. c may be NULL. */
struct memo *desk_caches_memo(struct desk_caches *c);
struct kept *desk_caches_kept(struct desk_caches *c);

/* All zeros when nothing is kept. */
void desk_caches_figures(struct desk_caches *c, struct desk_cache_figures *out);

#endif
