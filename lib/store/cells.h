/*
 * Encrypted values that were opened a moment ago: the identifiers of a holder's licences are read for the preview,
 * again for the code. A value is known by SHA-256 over its place and its encrypted bytes, tag included, so that what
 * comes back is what these very bytes open to in this very place, and nothing has to be dropped when the store changes.
 *
 * Bounded in bytes, the value used longest ago makes room, and in time: cells_age(). What goes is wiped. Plain values
 * are in memory meanwhile, as the keys are.
 */
#ifndef YZ_STORE_CELLS_H
#define YZ_STORE_CELLS_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/rand.h"
#include "store/store.h"

struct cells;
/* limit: bytes of all values. ERR_NO_MEMORY, ERR_RANDOM. */
enum err cells_new(size_t limit, const struct rand *r, struct cells **out) MUST_CHECK;
void cells_free(struct cells *c);
/* To be called every now and then with a steady clock's milliseconds: what has been kept for CELLS_KEPT_MS is dropped,
 * within CELLS_AGE_MS of it. c may be NULL. */
enum { CELLS_KEPT_MS = 5 * 60 * 1000, CELLS_AGE_MS = 5 * 1000 };
void cells_age(struct cells *c, int64_t now);

enum { CELL_NAME = 32 };
/* The name of sealed bytes in this place. c may be NULL: false. */
bool cells_name(const struct cells *c, struct span context, struct span sealed, uint8_t name[CELL_NAME]) MUST_CHECK;
/* A copy in the arena; false when it is not there, or the arena is full. */
bool cells_get(struct cells *c, const uint8_t name[CELL_NAME], struct arena *a, struct span *plain) MUST_CHECK;
void cells_put(struct cells *c, const uint8_t name[CELL_NAME], struct span plain);

/* All zeros when c is NULL. */
void cells_figures(struct cells *c, struct store_kept *out);

#endif
