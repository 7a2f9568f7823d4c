/* Where time comes from, so that tests can fix it. */
#ifndef YZ_BASE_CLOCK_H
#define YZ_BASE_CLOCK_H

#include "base/arena.h"
#include "base/err.h"

struct clock {
	int64_t (*now)(void *arg);    /* wall clock, ms since the epoch; may be set back */
	int64_t (*steady)(void *arg); /* ms since some start; only ever goes on */
	void *arg;
};

/* The system's wall clock. */
struct clock clock_system(void);
/* A clock that reads *ms, which the test moves, also while threads read it; its steady reading stands still. */
struct clock clock_fixed(_Atomic int64_t *ms);
int64_t clock_now(const struct clock *c);
int64_t clock_steady(const struct clock *c);
/* Monotonic milliseconds since some start: for measuring only. */
int64_t clock_monotonic_ms(void);

enum { TIME_TEXT = 25 }; /* "2026-11-21T08:00:00.123Z" and NUL */

/* RFC 3339 in UTC; milliseconds are written only when not zero. Returns out. "" for 0. */
char *time_format(int64_t ms, char out[TIME_TEXT]);
/* The same in an arena; NULL for 0 or when out of memory. */
char *time_text(struct arena *a, int64_t ms);
/* RFC 3339 with Z or an offset, or a plain date "YYYY-MM-DD" (UTC midnight). Strict: ranges, days of the
 * month, leap years; years 1..9999. ERR_TIME_INVALID otherwise. */
enum err time_parse(struct span s, int64_t *ms) MUST_CHECK;
/* From calendar parts (UTC). ERR_TIME_INVALID when they name no time. sec may not be 60. */
enum err time_from_parts(int y, int mo, int d, int h, int mi, int s, int64_t *ms) MUST_CHECK;
/* The calendar parts of ms in UTC. */
void time_to_parts(int64_t ms, int *y, int *mo, int *d, int *h, int *mi, int *s);

#endif
