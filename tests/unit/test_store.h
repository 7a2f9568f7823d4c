/* What the tests of the store share: a store in a folder of its own, a clock that the test moves, and checks that may
 * be made on the writer's thread (cmocka's own may not). */
#ifndef YZ_TEST_STORE_H
#define YZ_TEST_STORE_H

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { T0 = 1800000000 }; /* seconds; times are T0 * 1000 + … */
#define NOW ((int64_t)T0 * 1000)

struct box {
	char dir[64], path[96], url[128];
	uint8_t master[32];
	int64_t clock;
	struct store_options options;
	struct store *store;
	struct arena *arena;
	int line; /* of the check that failed inside a transaction */
};

static inline void box_options(struct box *b)
{
	b->options = (struct store_options){
	    .url = b->url, .master_key = span_of(b->master, 32), .clock = clock_fixed(&b->clock), .rand = rand_system()};
}

/* A folder and the options; no store yet. */
static inline struct box *box_empty(const char *where)
{
	struct box *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	snprintf(b->dir, sizeof(b->dir), "%s/yzstore.XXXXXX", where);
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/store.db", b->dir);
	snprintf(b->url, sizeof(b->url), "sqlite:%s", b->path);
	memset(b->master, 7, sizeof(b->master));
	b->clock = NOW;
	b->arena = arena_new(64 << 20);
	assert_non_null(b->arena);
	box_options(b);
	return b;
}

static inline void box_open(struct box *b)
{
	struct err_note note;

	assert_int_equal(store_open(&b->options, &b->store, &note), ERR_OK);
}

static inline void box_close(struct box *b)
{
	store_close(b->store);
	b->store = NULL;
}

static inline struct box *box_new_in(const char *where)
{
	struct box *b = box_empty(where);
	struct err_note note;

	assert_int_equal(store_create(&b->options, &note), ERR_OK);
	box_open(b);
	return b;
}

static inline void box_free(struct box *b)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char path[128];

	box_close(b);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", b->path, tails[i]);
		unlink(path);
	}
	rmdir(b->dir);
	arena_free(b->arena);
	free(b);
}

static inline int box_setup(void **state)
{
	*state = box_new_in("/tmp");
	return 0;
}

static inline int box_teardown(void **state)
{
	box_free(*state);
	return 0;
}

/* In a store_fn whose arg is the box. */
#define CHECK(condition)                                                                                               \
	do {                                                                                                               \
		if (!(condition)) {                                                                                            \
			b->line = __LINE__;                                                                                        \
			return ERR_INTERNAL;                                                                                       \
		}                                                                                                              \
	} while (0)
#define CHECK_ERR(call, expected)                                                                                      \
	do {                                                                                                               \
		enum err got_ = (call);                                                                                        \
		if (got_ != (expected)) {                                                                                      \
			fprintf(stderr, "line %d: %s, not %s\n", __LINE__, err_name(got_), err_name(expected));                    \
			b->line = __LINE__;                                                                                        \
			return ERR_INTERNAL;                                                                                       \
		}                                                                                                              \
	} while (0)
#define CHECK_OK(call) CHECK_ERR(call, ERR_OK)

static inline void box_write(struct box *b, store_fn *fn)
{
	enum err e;

	b->line = 0;
	e = store_write(b->store, fn, b);
	if (e != ERR_OK)
		fail_msg("write: %s, line %d", err_name(e), b->line);
}

static inline void box_read(struct box *b, store_fn *fn)
{
	enum err e;

	b->line = 0;
	e = store_read(b->store, fn, b);
	if (e != ERR_OK)
		fail_msg("read: %s, line %d", err_name(e), b->line);
}

static inline bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

#endif
