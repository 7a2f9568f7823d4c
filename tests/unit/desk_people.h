/* Principals with keys of their own, for the tests of the desk's core. */
#ifndef YZ_TESTS_DESK_PEOPLE_H
#define YZ_TESTS_DESK_PEOPLE_H

#include "desk_help.h"

enum { KEYS_KEPT = 64 };

static inline struct principal with_key(struct principal p, uint8_t n)
{
	static struct principal_key keep[KEYS_KEPT]; /* more than one test needs */
	static size_t used;
	struct principal_key *k = &keep[used++ % KEYS_KEPT];

	memset(k, 0, sizeof(*k));
	memset(k->fingerprint, n, FINGERPRINT_LEN);
	p.keys = k;
	p.n_keys = 1;
	p.n_types = p.n_items = 0;
	return p;
}

static inline struct principal security(const char *id, uint8_t n)
{
	return with_key(someone(id, CENTRE, ROLE_SECURITY), n);
}

static inline struct principal the_system(struct world *w)
{
	return enrolled(w, with_key(someone("system", CENTRE, ROLE_SYSTEM), 60));
}

static inline struct principal the_auditor(struct world *w)
{
	return enrolled(w, with_key(someone("auditor", CENTRE, ROLE_AUDIT), 61));
}

static inline struct principal the_sealer(struct world *w)
{
	return enrolled(w, with_key(someone("sealer", CENTRE, ROLE_SEALER), 62));
}

#endif
