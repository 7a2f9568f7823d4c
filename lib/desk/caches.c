#include "desk/caches.h"

#include <stdatomic.h>
#include <stdlib.h>

struct desk_caches {
	struct memo *memo;        /* NULL: nothing is kept */
	struct kept *kept;        /* likewise */
	struct kept *licences;    /* likewise */
	struct fresh *codes;      /* likewise */
	struct sm2_cache *tables; /* likewise */
	struct seal_memo *seals;  /* likewise */
	atomic_bool used;         /* by a trust list */
	_Atomic uint64_t desks, doubts;
};

/* A key's table has 256 KiB, a judged licence and what was read up to 13, a code less than one. */
static enum err make_all(struct desk_caches *c, size_t part, const struct rand *r)
{
	enum err e = memo_new(6 * part, r, &c->memo);

	if (e == ERR_OK)
		e = kept_new(2 * part, &c->kept);
	if (e == ERR_OK)
		e = kept_new(10 * part, &c->licences);
	if (e == ERR_OK)
		e = fresh_new(15 * part, &c->codes);
	if (e == ERR_OK)
		e = sm2_cache_new(10 * part, r, &c->tables);
	if (e == ERR_OK)
		e = seal_memo_new(2 * part, r, &c->seals);
	return e;
}

enum err desk_caches_new(size_t limit, const struct rand *r, struct desk_caches **out)
{
	struct desk_caches *c;
	enum err e = ERR_OK;

	if (limit != 0 && limit < CACHES_LIMIT_MIN)
		return ERR_FIELD_INVALID;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ERR_NO_MEMORY;
	if (limit != 0)
		e = make_all(c, limit / 45, r);
	if (e != ERR_OK) {
		desk_caches_free(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

void desk_caches_free(struct desk_caches *c)
{
	if (c == NULL)
		return;
	memo_free(c->memo);
	kept_free(c->kept);
	kept_free(c->licences);
	fresh_free(c->codes);
	sm2_cache_free(c->tables);
	seal_memo_free(c->seals);
	free(c);
}

void desk_caches_use(struct desk_caches *c, struct cert_store *trust)
{
	struct sm2_means by = cert_store_means(trust);

	if (c->memo == NULL)
		return;
	if (atomic_exchange(&c->used, true)) {
		memo_next_epoch(c->memo);
		seal_memo_next_epoch(c->seals);
	}
	by.tables = c->tables;
	by.memo = c->memo;
	by.seals = c->seals;
	cert_store_use(trust, by);
}

struct kept *desk_caches_kept(struct desk_caches *c)
{
	return c != NULL ? c->kept : NULL;
}

struct kept *desk_caches_licences(struct desk_caches *c)
{
	return c != NULL ? c->licences : NULL;
}

struct fresh *desk_caches_codes(struct desk_caches *c)
{
	return c != NULL ? c->codes : NULL;
}

void desk_caches_doubt(struct desk_caches *c)
{
	if (c == NULL)
		return;
	kept_clear(c->kept);
	atomic_fetch_add(&c->doubts, 1);
}

uint64_t desk_caches_doubts(struct desk_caches *c)
{
	return c != NULL ? atomic_load(&c->doubts) : 0;
}

uint64_t desk_caches_number(struct desk_caches *c)
{
	return c != NULL ? atomic_fetch_add(&c->desks, 1) + 1 : 0;
}

void desk_caches_age(struct desk_caches *c, int64_t now)
{
	if (c == NULL)
		return;
	kept_age(c->licences, now, PERSONAL_KEPT_MS);
	fresh_age(c->codes, now, PERSONAL_KEPT_MS);
}

void desk_caches_figures(struct desk_caches *c, struct desk_cache_figures *out)
{
	*out = (struct desk_cache_figures){0};
	if (c == NULL || c->memo == NULL)
		return;
	memo_figures(c->memo, &out->memo);
	kept_figures(c->kept, &out->kept);
	kept_figures(c->licences, &out->licences);
	fresh_figures(c->codes, &out->codes);
	sm2_cache_figures(c->tables, &out->tables);
	seal_memo_figures(c->seals, &out->seals);
}
