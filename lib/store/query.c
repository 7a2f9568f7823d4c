#include "store/internal.h"

#include "crypto/aead.h"
#include "store/cells.h"

struct arena *tx_scratch(struct store_tx *tx)
{
	if (tx->scratch == NULL)
		tx->scratch = arena_new(SCRATCH_BUDGET);
	return tx->scratch;
}

void tx_end(struct store_tx *tx)
{
	arena_free(tx->scratch);
	tx->scratch = NULL;
}

enum err tx_serial(struct store_tx *tx)
{
	if (!tx->fast)
		return ERR_OK;
	tx->assumed = true;
	return ERR_STORE_CHANGED;
}

int64_t store_tx_now(const struct store_tx *tx)
{
	return tx->now;
}

void q_fail(struct query *q, enum err e)
{
	if (q->err != ERR_OK)
		return;
	q->err = e;
	if (e == ERR_STORE_FULL || e == ERR_STORE_IO)
		q->tx->broken = e;
}

static void check(struct query *q, enum err e)
{
	if (e != ERR_OK)
		q_fail(q, e);
}

void q_open(struct query *q, struct store_tx *tx, const char *sql)
{
	*q = (struct query){.tx = tx};
	if (tx->db == NULL)
		check(q, tx_connect(tx));
	if (q->err != ERR_OK)
		return;
	/* When the database has given up the transaction, a statement would be committed on its own. */
	if (!tx->db->driver->in_transaction(tx->db))
		check(q, tx->broken != ERR_OK ? tx->broken : ERR_STORE_IO);
	else
		check(q, tx->db->driver->prepare(tx->db, sql, &q->st));
}

static void put(struct query *q, struct db_value v)
{
	if (q->err == ERR_OK)
		check(q, q->tx->db->driver->bind(q->st, ++q->put, &v));
}

void q_put_int(struct query *q, int64_t v)
{
	put(q, (struct db_value){.type = DB_INT, .num = v});
}

void q_put_text(struct query *q, const char *s)
{
	put(q, (struct db_value){.type = DB_TEXT, .bytes = span_str(s)});
}

void q_put_blob(struct query *q, struct span s)
{
	put(q, (struct db_value){.type = DB_BLOB, .bytes = s});
}

void q_put_null(struct query *q)
{
	put(q, (struct db_value){.type = DB_NULL});
}

enum { VERSION_MAX = 20 }; /* digits of a version */

static char *put_part(char *p, struct span s)
{
	if (s.len != 0)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '|';
	return p + s.len + 1;
}

static char *put_version(char *p, uint64_t v)
{
	char digits[VERSION_MAX];
	size_t at = VERSION_MAX;

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	memcpy(p, digits + at, VERSION_MAX - at);
	return p + (VERSION_MAX - at);
}

/* table|row|column|version. Written by hand: every value that is read or written asks for it. */
static enum err context_of(struct store_tx *tx, struct cell at, struct span *out)
{
	const struct span table = span_str(at.table), row = span_str(at.row), column = span_str(at.column);
	const size_t n = table.len + row.len + column.len + 3 + VERSION_MAX;
	struct arena *a = tx_scratch(tx);
	char *s = a != NULL ? arena_alloc(a, n) : NULL, *p = s;

	if (s == NULL)
		return ERR_BUDGET;
	p = put_part(p, table);
	p = put_part(p, row);
	p = put_part(p, column);
	p = put_version(p, at.version);
	*out = span_of(s, (size_t)(p - s));
	return ERR_OK;
}

void q_put_sealed(struct query *q, struct cell at, struct span plain)
{
	struct store *s = q->tx->store;
	struct span context, sealed = {0};

	if (q->err == ERR_OK)
		check(q, context_of(q->tx, at, &context));
	if (q->err == ERR_OK)
		check(q, aead_seal(q->tx->scratch, &s->rand, span_of(s->keys.data, STORE_KEY), context, plain, &sealed));
	q_put_blob(q, sealed);
}

bool q_next(struct query *q)
{
	bool row = false;

	q->column = 0;
	if (q->err == ERR_OK)
		check(q, q->tx->db->driver->step(q->st, &row));
	return row && q->err == ERR_OK;
}

bool q_is_null(struct query *q)
{
	return q->err != ERR_OK || q->tx->db->driver->is_null(q->st, q->column);
}

int64_t q_int(struct query *q)
{
	return q->err == ERR_OK ? q->tx->db->driver->column_int(q->st, q->column++) : 0;
}

int q_enum(struct query *q, int lo, int hi)
{
	int64_t v = q_int(q);

	if (v < lo || v > hi) {
		q_fail(q, ERR_STORE_CORRUPT);
		return lo;
	}
	return (int)v;
}

static struct span bytes(struct query *q)
{
	return q->err == ERR_OK ? q->tx->db->driver->column_bytes(q->st, q->column++) : span_of(NULL, 0);
}

char *q_text(struct query *q, struct arena *a)
{
	struct span s = bytes(q);
	char *copy = arena_strndup(a, s.ptr, s.len);

	if (copy == NULL)
		q_fail(q, ERR_BUDGET);
	return copy;
}

struct span q_blob(struct query *q, struct arena *a)
{
	struct span s = arena_dup(a, bytes(q));

	if (s.ptr == NULL)
		q_fail(q, ERR_BUDGET);
	return s;
}

void q_fixed(struct query *q, uint8_t *out, size_t n)
{
	struct span s = bytes(q);

	if (s.len != n)
		q_fail(q, ERR_STORE_CORRUPT);
	else
		memcpy(out, s.ptr, n);
}

/* Identifiers of licences never change once they are written, and stand in every list of a holder's. */
static enum err open_sealed(struct store *s, struct arena *a, struct cell at, struct span context, struct span sealed,
                            struct span *plain)
{
	struct cells *kept = strcmp(at.table, "licences") == 0 && strcmp(at.column, "id") == 0 ? s->cells : NULL;
	uint8_t name[CELL_NAME];
	bool named = cells_name(kept, context, sealed, name);
	enum err e;

	if (named && cells_get(kept, name, a, plain))
		return ERR_OK;
	e = aead_open(a, span_of(s->keys.data, STORE_KEY), context, sealed, plain);
	if (e == ERR_OK && named)
		cells_put(kept, name, *plain);
	return e;
}

struct span q_sealed(struct query *q, struct arena *a, struct cell at)
{
	struct span context, plain = {0}, sealed = bytes(q);

	if (q->err == ERR_OK)
		check(q, context_of(q->tx, at, &context));
	if (q->err == ERR_OK)
		check(q, open_sealed(q->tx->store, a, at, context, sealed, &plain));
	return plain;
}

char *q_sealed_text(struct query *q, struct arena *a, struct cell at)
{
	struct span s = q_sealed(q, a, at);
	char *copy = arena_strndup(a, s.ptr, s.len);

	if (copy == NULL)
		q_fail(q, ERR_BUDGET);
	return copy;
}

void *q_grow(struct query *q, struct arena *a, void *list, size_t n, size_t size)
{
	void *more;

	if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
		return list;
	more = arena_array(a, n == 0 ? 8 : 2 * n, size);
	if (more == NULL)
		q_fail(q, ERR_BUDGET);
	else if (n != 0)
		memcpy(more, list, n * size);
	return more;
}

enum err q_close(struct query *q)
{
	if (q->st != NULL)
		q->tx->db->driver->finish(q->st);
	q->st = NULL;
	return q->err;
}

enum err q_close_found(struct query *q, bool found)
{
	enum err e = q_close(q);

	return e == ERR_OK && !found ? ERR_NOT_FOUND : e;
}

enum err q_later(struct query *q)
{
	return q_must(q, DB_ANY, ERR_OK);
}

static enum err must_now(struct query *q, enum db_expect expected, enum err otherwise)
{
	int64_t n = 0;
	enum err e;

	while (q_next(q))
		n++;
	e = q_close(q);
	if (e == ERR_OK && expected == DB_CHANGED)
		n = q->tx->db->driver->changes(q->tx->db);
	return e == ERR_OK && expected != DB_ANY && n == 0 ? otherwise : e;
}

enum err q_must(struct query *q, enum db_expect expected, enum err otherwise)
{
	if (!q->tx->fast)
		return must_now(q, expected, otherwise);
	q->tx->assumed = true;
	if (q->err == ERR_OK)
		check(q, q->tx->db->driver->later(q->st, expected));
	return q_close(q);
}

enum err q_run(struct query *q, int64_t *changed)
{
	enum err e;

	while (q_next(q))
		;
	e = q_close(q);
	if (e == ERR_OK && changed != NULL)
		*changed = q->tx->db->driver->changes(q->tx->db);
	return e;
}
