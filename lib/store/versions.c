/* What caches hang on: how often something of a kind was changed, counted in the transaction that changes it. */
#include "store/internal.h"

enum { SHARDS = 16 };

enum err touch(struct store_tx *tx, enum store_kind kind, unsigned shard)
{
	struct query q;

	tx->touched |= 1u << kind;
	q_open(&q, tx,
	       "INSERT INTO versions (kind, shard, version) VALUES ($1, $2, 1)"
	       " ON CONFLICT (kind, shard) DO UPDATE SET version = versions.version + 1");
	q_put_int(&q, kind);
	q_put_int(&q, shard % SHARDS);
	return q_later(&q);
}

void touched(struct store *s, unsigned bits)
{
	for (unsigned kind = 0; kind < STORE_KINDS; kind++)
		if ((bits & 1u << kind) != 0)
			atomic_fetch_add(&s->epochs[kind], 1);
}

void changed(struct store *s, unsigned bits)
{
	touched(s, bits);
	if (bits != 0)
		keeper_tell(s->keeper);
}

enum err others_follow(struct store_tx *tx)
{
	struct store *s = tx->store;
	int64_t now = 0;
	enum err e = tx->db->driver->others(tx->db, &now);

	if (e == ERR_OK && now != s->others) {
		touched(s, ~0u);
		s->others = now;
	}
	return e;
}

bool store_unchanged(const struct store_tx *tx, enum store_kind kind, uint64_t epoch)
{
	return !tx->store->driver->shared && (tx->touched & 1u << kind) == 0 && store_epoch(tx->store, kind) == epoch;
}

uint64_t store_epoch(struct store *s, enum store_kind kind)
{
	return atomic_load(&s->epochs[kind]);
}

uint64_t store_tx_epoch(const struct store_tx *tx, enum store_kind kind)
{
	return tx->epochs[kind];
}

enum err versions_read(struct store_tx *tx, int64_t out[STORE_KINDS])
{
	struct query q;

	memset(out, 0, STORE_KINDS * sizeof(*out));
	q_open(&q, tx, "SELECT kind, version FROM versions");
	while (q_next(&q)) {
		int kind = q_enum(&q, 0, INT32_MAX);

		if (kind < STORE_KINDS) /* a newer version may count more */
			out[kind] += q_int(&q);
	}
	return q_close(&q);
}
