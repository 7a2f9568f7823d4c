/*
 * What was read of the store and changes seldom: principals, catalogue, seals. A value is kept under the store's epoch
 * of its kind, from before the transaction that read it (store_tx_epoch()); under any other epoch it is read anew. So a
 * change by this process counts with its commit, one by another server within a second, as the store promises; and what
 * a commit writes down is checked there again by version, whatever was kept.
 *
 * Values are never changed. Whoever gets one holds it until the end of the arena that it names, also when it has been
 * dropped meanwhile. Bounded in number and bytes: what was used longest ago among a few makes room. Where personal data
 * is kept it is bounded in time as well, by kept_age(). A value's memory is wiped with its last holder. Any thread.
 */
#ifndef YZ_DESK_KEPT_H
#define YZ_DESK_KEPT_H

#include "base/arena.h"
#include "base/err.h"

enum kept_kind {
	KEPT_PRINCIPAL_KEY,
	KEPT_PRINCIPAL,
	KEPT_TYPE,
	KEPT_ITEM,
	KEPT_SEAL,
	KEPT_LICENCE,
	KEPT_HOLDER,
	KEPT_KINDS
};

struct kept;
/* limit: bytes of all values, with what keeping them takes. ERR_NO_MEMORY. */
enum err kept_new(size_t limit, struct kept **out) MUST_CHECK;
/* When nobody holds a value any more. */
void kept_free(struct kept *k);
/* Drop everything: something was found to be older than the store. */
void kept_clear(struct kept *k);
/* It is `now` (ms, a clock that does not go back): what has been kept for max_age or longer is dropped. A value's age
 * counts from the call before it was kept, so nothing stays longer than max_age and the time between two calls. */
void kept_age(struct kept *k, int64_t now, int64_t max_age);

enum { KEPT_NAME_MAX = 160 };
struct kept_question {
	enum kept_kind kind;
	struct span name; /* longer than KEPT_NAME_MAX: never kept */
	uint64_t epoch;
	struct arena *holder; /* as long as this lives, so does the value */
};
/* NULL: not there. k may be NULL: nothing ever is. */
const void *kept_find(struct kept *k, const struct kept_question *q) MUST_CHECK;
/* Makes the value, in an arena of its own, and keeps it; without a cache in the holder itself. Errors are make's own.
 */
typedef enum err kept_make(struct arena *a, void *arg, const void **value);
enum err kept_put(struct kept *k, const struct kept_question *q, kept_make *make, void *arg,
                  const void **value) MUST_CHECK;

struct kept_figures {
	uint64_t hits, misses;
	size_t values, bytes, limit;
};
void kept_figures(struct kept *k, struct kept_figures *out);

#endif
