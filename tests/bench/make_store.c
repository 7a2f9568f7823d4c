/*
 * A large store for measuring: puts N licences with their holders and first events into a store that is there already.
 * usage: make_store STORE.db N
 *
 * The rows have the shape, the lengths and the indexes of real ones; what is encrypted in real ones is random here and
 * opens nowhere, so these licences are ballast: no call can read them, and `yinzhengd check --store` would name every
 * one. Each holder has three. They go in by order of their hashes, all B-trees growing at their ends, without a
 * journal: fast, and denser than a store that has grown over years. Not shipped.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HASH = 32,
	NOISE = 1 << 20,
	PER_HOLDER = 3,
	BATCH = 100000,
	ID_LEN = 131,
	RECORD_LEN = 569,
	HEAD_LEN = 60,
	TAIL_LEN = 823,
	REASON_LEN = 49
};

struct maker {
	sqlite3 *db;
	sqlite3_stmt *licence, *holder, *event;
	uint8_t noise[NOISE];
	uint64_t state, n;
	int64_t now;
};

static void stop(struct maker *m, const char *what)
{
	fprintf(stderr, "make_store: %s: %s\n", what, sqlite3_errmsg(m->db));
	exit(1);
}

static void run(struct maker *m, const char *sql)
{
	if (sqlite3_exec(m->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		stop(m, sql);
}

static sqlite3_stmt *prepare(struct maker *m, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(m->db, sql, -1, &s, NULL) != SQLITE_OK)
		stop(m, sql);
	return s;
}

static void step(struct maker *m, sqlite3_stmt *s)
{
	if (sqlite3_step(s) != SQLITE_DONE)
		stop(m, sqlite3_sql(s));
	sqlite3_reset(s);
}

/* xorshift64*: noise, no secret. */
static uint64_t next(struct maker *m)
{
	m->state ^= m->state >> 12;
	m->state ^= m->state << 25;
	m->state ^= m->state >> 27;
	return m->state * 2685821657736338717u;
}

/* Bytes that no two rows share, from a stock of noise. */
static void bind_noise(struct maker *m, sqlite3_stmt *s, int at, int len)
{
	size_t from = (size_t)(next(m) % (uint64_t)(NOISE - len));

	sqlite3_bind_blob(s, at, m->noise + from, len, SQLITE_STATIC);
}

/* The i-th of n hashes in ascending order; `salt` sets kinds of hashes apart. */
static void hash_at(struct maker *m, uint64_t i, uint64_t n, uint64_t salt, uint8_t out[HASH])
{
	uint64_t high = UINT64_MAX / n * i + salt % 1024;

	for (int k = 0; k < 8; k++)
		out[k] = (uint8_t)(high >> (56 - 8 * k));
	for (int k = 8; k < HASH; k += 8) {
		uint64_t v = (i + 1) * 0x9e3779b97f4a7c15u ^ salt << 32 ^ (uint64_t)k * 0xbf58476d1ce4e5b9u;

		v ^= v >> 29;
		memcpy(out + k, &v, 8);
	}
}

static void put_licence(struct maker *m, uint64_t i, const uint8_t hash[HASH])
{
	static const char *const types[][2] = {{"11110000000013338W002", "11990100MB00001073"},
	                                       {"11100000000013127D001", "11990100MB00001073"},
	                                       {"11100000000019953W001", "11990100MB0000203C"}};
	uint8_t number[HASH], seal[HASH] = {1};
	sqlite3_stmt *s = m->licence;
	int64_t issued = m->now - (int64_t)(next(m) % (5ull * 365 * 86400 * 1000));

	hash_at(m, i, m->n, 2, number);
	sqlite3_bind_blob(s, 1, hash, HASH, SQLITE_STATIC);
	sqlite3_bind_blob(s, 2, number, HASH, SQLITE_STATIC);
	bind_noise(m, s, 3, ID_LEN);
	sqlite3_bind_text(s, 4, types[i % 3][0], -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, types[i % 3][1], -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 6, issued);
	sqlite3_bind_int64(s, 7, i % 2 == 0 ? 0 : issued + 10ll * 365 * 86400 * 1000);
	sqlite3_bind_blob(s, 8, seal, HASH, SQLITE_STATIC);
	bind_noise(m, s, 9, RECORD_LEN);
	bind_noise(m, s, 10, HEAD_LEN);
	bind_noise(m, s, 11, TAIL_LEN);
	step(m, s);
}

static void put_holder(struct maker *m, uint64_t i, const uint8_t hash[HASH])
{
	uint8_t holder[HASH];

	hash_at(m, i / PER_HOLDER, m->n / PER_HOLDER + 1, 3, holder);
	sqlite3_bind_blob(m->holder, 1, holder, HASH, SQLITE_STATIC);
	sqlite3_bind_blob(m->holder, 2, hash, HASH, SQLITE_STATIC);
	step(m, m->holder);
}

static void put_event(struct maker *m, const uint8_t hash[HASH])
{
	char object[8 + 2 * HASH + 1] = "licence/";

	for (size_t k = 0; k < HASH; k++)
		snprintf(object + 8 + 2 * k, 3, "%02x", hash[k]);
	sqlite3_bind_text(m->event, 1, object, -1, SQLITE_STATIC);
	bind_noise(m, m->event, 2, REASON_LEN);
	sqlite3_bind_int64(m->event, 3, m->now);
	step(m, m->event);
}

static void fill(struct maker *m)
{
	uint8_t hash[HASH];

	for (uint64_t i = 0; i < m->n; i++) {
		if (i % BATCH == 0)
			run(m, "BEGIN");
		hash_at(m, i, m->n, 1, hash);
		put_licence(m, i, hash);
		put_holder(m, i, hash);
		put_event(m, hash);
		if (i % BATCH == BATCH - 1 || i + 1 == m->n)
			run(m, "COMMIT");
	}
}

static void open_store(struct maker *m, const char *path)
{
	sqlite3_stmt *s;

	if (sqlite3_open_v2(path, &m->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		stop(m, path);
	run(m, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
	       "PRAGMA cache_size = -262144; PRAGMA foreign_keys = OFF;");
	m->licence =
	    prepare(m, "INSERT INTO licences (id_hash, number_hash, id, type_code, issuer_code, seal_id, state,"
	               " state_since, issued, valid_from, valid_to, seal_hash, version, record, sig_head, sig_tail)"
	               " VALUES (?1, ?2, ?3, ?4, ?5, 'SEAL0000000000000000', 1, ?6, ?6, ?6, ?7, ?8, 1, ?9, ?10, ?11)");
	m->holder = prepare(m, "INSERT INTO holders (holder_hash, licence) VALUES (?1, ?2)");
	m->event = prepare(m, "INSERT INTO events (object, sequence, state, reason, effective, recorded, principal)"
	                      " VALUES (?1, 1, 1, ?2, ?3, ?3, 'issuer-samr')");
	s = prepare(m, "SELECT CAST(strftime('%s') AS INTEGER) * 1000");
	if (sqlite3_step(s) != SQLITE_ROW)
		stop(m, "clock");
	m->now = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
}

int main(int argc, char **argv)
{
	struct maker *m = calloc(1, sizeof(*m));

	if (argc != 3 || m == NULL || strtoull(argv[2], NULL, 10) == 0) {
		fprintf(stderr, "usage: make_store STORE.db N\n");
		return 64;
	}
	m->n = strtoull(argv[2], NULL, 10);
	m->state = 88172645463325252u;
	for (size_t i = 0; i < NOISE; i += 8)
		memcpy(m->noise + i, &(uint64_t){next(m)}, 8);
	open_store(m, argv[1]);
	fill(m);
	sqlite3_finalize(m->licence);
	sqlite3_finalize(m->holder);
	sqlite3_finalize(m->event);
	run(m, "PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL;");
	if (sqlite3_close(m->db) != SQLITE_OK)
		stop(m, "close");
	free(m);
	return 0;
}
