/* A desk with caches, and a second server on the same store. */
#ifndef YZ_TESTS_KNOWN_HELP_H
#define YZ_TESTS_KNOWN_HELP_H

#include "flow_help.h"

#include "desk/caches.h"

static inline int known_setup(void **state)
{
	struct rand r = rand_system();
	struct world *w;

	world_setup(state);
	w = *state;
	assert_err(desk_caches_new(CACHES_LIMIT_MIN, &r, &w->caches), ERR_OK);
	desk_free(w->desk);
	w->desk = new_desk(w, NULL, 0);
	return 0;
}

static inline int known_teardown(void **state)
{
	struct world *w = *state;
	struct desk_caches *c = w->caches;
	struct arena *a = w->arena;

	w->arena = arena_new(1 << 20);
	arena_free(a); /* what the calls hold */
	world_teardown(state);
	desk_caches_free(c);
	return 0;
}

#define KNOWN(f) cmocka_unit_test_setup_teardown(f, known_setup, known_teardown)

static inline struct world *other_server(struct world *w)
{
	struct store_options o = {
	    .url = w->url, .master_key = span_of(w->master, 32), .clock = clock_fixed(&w->clock), .rand = rand_system()};
	struct world *x = arena_alloc(w->arena, sizeof(*x));
	struct err_note note;

	*x = *w;
	x->caches = NULL;
	x->asked = 1u << 30;
	assert_err(store_open(&o, &x->store, &note), ERR_OK);
	x->desk = new_desk(x, NULL, 0);
	return x;
}

static inline void other_gone(struct world *x)
{
	desk_free(x->desk);
	store_close(x->store);
}

#endif
