/*
 * Show-codes that this server issued a moment ago: most are redeemed within seconds, and then need not be read again.
 *
 *  - A row is kept from after its commit on, as it was written: neither used nor cancelled. What has become of it
 * since, here or at another server, is not known here: whoever takes one spends it in his commit (store_code_spend()),
 *    where the row itself decides.
 *  - It can be taken once; who comes again reads the store.
 *  - Bounded in bytes, the oldest go first, and in time; wiped when they go: these are personal data. Any thread.
 */
#ifndef YZ_DESK_FRESH_H
#define YZ_DESK_FRESH_H

#include "base/arena.h"
#include "store/store.h"

struct fresh;
/* limit: bytes of all rows, with what keeping them takes. ERR_NO_MEMORY. */
enum err fresh_new(size_t limit, struct fresh **out) MUST_CHECK;
void fresh_free(struct fresh *f);
/* Losing it is no error. f may be NULL, here and below: nothing is kept. */
void fresh_put(struct fresh *f, const struct code_row *row);
/* The row, copied to the arena, and out of here. False: not there, or no room in the arena. */
bool fresh_take(struct fresh *f, const uint8_t hash[SM3_LEN], struct arena *a, struct code_row *out) MUST_CHECK;
/* It is not to be had any more. */
void fresh_drop(struct fresh *f, const uint8_t hash[SM3_LEN]);
/* It is `now` (ms, a clock that does not go back): as kept_age(). */
void fresh_age(struct fresh *f, int64_t now, int64_t max_age);

struct fresh_figures {
	uint64_t hits, misses;
	size_t rows, bytes, limit;
};
void fresh_figures(struct fresh *f, struct fresh_figures *out);

#endif
