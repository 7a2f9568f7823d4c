/* The store's two keys: made at random once, kept wrapped by the master key. While the master key is being changed
 * they are wrapped by both: the rows of the one before end in ".old". */
#include "store/backup.h"
#include "store/internal.h"

#include "crypto/aead.h"

enum { LOOKUP_PARTS = 8 };

static const struct {
	const char *row;
	size_t offset;
} wrapped[] = {
    {"key.data", offsetof(struct store_keys, data)},
    {"key.lookup", offsetof(struct store_keys, lookup)},
};

static struct span context_of(struct store_tx *tx, const char *row)
{
	struct arena *a = tx_scratch(tx);

	return span_str(a != NULL ? arena_printf(a, "meta|%s|bytes|1", row) : NULL);
}

static enum err wrap(struct store_tx *tx, struct span master, const char *row, struct span key)
{
	struct span context = context_of(tx, row), sealed;
	struct query q;
	enum err e = context.ptr != NULL ? ERR_OK : ERR_NO_MEMORY;

	if (e == ERR_OK)
		e = aead_seal(tx->scratch, &tx->store->rand, master, context, key, &sealed);
	if (e != ERR_OK)
		return e;
	q_open(
	    &q, tx,
	    "INSERT INTO meta (key, num, bytes) VALUES ($1, 1, $2) ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes");
	q_put_text(&q, row);
	q_put_blob(&q, sealed);
	return q_run(&q, NULL);
}

enum err keys_make(struct store_tx *tx, struct span master)
{
	struct store_keys keys;
	enum err e = rand_fill(&tx->store->rand, (uint8_t *)&keys, sizeof(keys));

	for (size_t i = 0; i < 2 && e == ERR_OK; i++)
		e = wrap(tx, master, wrapped[i].row, span_of((uint8_t *)&keys + wrapped[i].offset, STORE_KEY));
	secret_wipe(&keys, sizeof(keys));
	return e;
}

/* ERR_MASTER_KEY_WRONG when the wrapping does not open. */
static enum err unwrap(struct store_tx *tx, struct span master, const char *row, bool old, uint8_t out[STORE_KEY])
{
	struct span context = context_of(tx, row), sealed, key = {0};
	struct query q;
	bool found;
	enum err e;

	if (context.ptr == NULL)
		return ERR_NO_MEMORY;
	q_open(&q, tx, "SELECT bytes FROM meta WHERE key = $1");
	q_put_text(&q, old ? arena_printf(tx->scratch, "%s.old", row) : row);
	found = q_next(&q);
	if (found)
		sealed = q_blob(&q, tx->scratch);
	e = q_close(&q);
	if (e == ERR_OK && !found)
		e = old ? ERR_MASTER_KEY_WRONG : ERR_STORE_CORRUPT;
	if (e != ERR_OK)
		return e;
	e = aead_open(tx->scratch, master, context, sealed, &key);
	if (e == ERR_STORE_CORRUPT)
		return ERR_MASTER_KEY_WRONG;
	if (e == ERR_OK && key.len != STORE_KEY)
		e = ERR_STORE_CORRUPT;
	if (e == ERR_OK)
		memcpy(out, key.ptr, STORE_KEY);
	return e;
}

/* A wrong master key opens neither; when it opens one of them, the other one is damaged. */
static enum err unwrap_both(struct store_tx *tx, struct span master, bool old, struct store_keys *keys)
{
	enum err first = unwrap(tx, master, wrapped[0].row, old, keys->data);
	enum err second = unwrap(tx, master, wrapped[1].row, old, keys->lookup);
	enum err e = first != ERR_OK ? first : second;

	return e == ERR_MASTER_KEY_WRONG && first != second ? ERR_STORE_CORRUPT : e;
}

enum err keys_load(struct store_tx *tx, struct span master)
{
	struct store_keys keys;
	enum err e = unwrap_both(tx, master, false, &keys);

	if (e == ERR_MASTER_KEY_WRONG)
		e = unwrap_both(tx, master, true, &keys);
	if (e == ERR_OK)
		tx->store->keys = keys;
	secret_wipe(&keys, sizeof(keys));
	return e;
}

/* ---- another master key --------------------------------------------------------------------- */

static enum err keep_old(struct store_tx *tx)
{
	struct query q;

	q_open(&q, tx,
	       "INSERT INTO meta (key, num, bytes)"
	       " SELECT key || '.old', num, bytes FROM meta WHERE key IN ('key.data', 'key.lookup')");
	return q_run(&q, NULL); /* ERR_ALREADY_EXISTS: an earlier change was not finished */
}

enum err store_rewrap(struct store_tx *tx, struct span master)
{
	const uint8_t *keys = (const uint8_t *)&tx->store->keys;
	enum err e = master.len == STORE_KEY ? keep_old(tx) : ERR_MASTER_KEY_WRONG;

	for (size_t i = 0; i < 2 && e == ERR_OK; i++)
		e = wrap(tx, master, wrapped[i].row, span_of(keys + wrapped[i].offset, STORE_KEY));
	return e;
}

enum err store_rewrap_finish(struct store_tx *tx)
{
	int64_t changed = 0;
	struct query q;
	enum err e;

	q_open(&q, tx, "DELETE FROM meta WHERE key IN ('key.data.old', 'key.lookup.old')");
	e = q_run(&q, &changed);
	return e == ERR_OK && changed == 0 ? ERR_NOT_FOUND : e;
}

enum err lookup_hash(struct store_tx *tx, const char *domain, const char *const *parts, size_t n, uint8_t out[SM3_LEN])
{
	struct span spans[2 * LOOKUP_PARTS];
	size_t used = 0;

	if (n >= LOOKUP_PARTS)
		return ERR_INTERNAL;
	spans[used++] = span_str(domain);
	for (size_t i = 0; i < n; i++) {
		spans[used++] = span_of("", 1);
		spans[used++] = span_str(parts[i]);
	}
	return sm3_hmac(span_of(tx->store->keys.lookup, STORE_KEY), spans, used, out);
}
