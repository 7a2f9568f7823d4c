/* Making and opening a store: what is refused, and with which reason. What stands in the file. */
#include "test_store.h"

#include "base/file.h"
#include "store/internal.h"

#include <fcntl.h>

static void put_file(const char *path, const char *bytes, size_t n)
{
	assert_int_equal(file_write(path, span_of(bytes, n), 0644, NULL), ERR_OK);
}

static enum err try_open(struct box *b)
{
	struct err_note note;
	enum err e = store_open(&b->options, &b->store, &note);

	box_close(b);
	return e;
}

static enum err try_create(struct box *b)
{
	struct err_note note;

	return store_create(&b->options, &note);
}

static void not_initialised(void **state)
{
	struct box *b = box_empty("/tmp");
	char url[256];

	(void)state;
	assert_int_equal(try_open(b), ERR_STORE_NOT_INIT);
	put_file(b->path, "", 0);
	assert_int_equal(try_open(b), ERR_STORE_NOT_INIT);
	lite_sql(b->path, "VACUUM"); /* a database with nothing in it */
	assert_int_equal(try_open(b), ERR_STORE_NOT_INIT);
	snprintf(url, sizeof(url), "sqlite:%s/no/such/folder.db", b->dir);
	b->options.url = url;
	assert_int_equal(try_open(b), ERR_STORE_NOT_INIT);
	assert_int_equal(try_create(b), ERR_STORE_IO);
	box_free(b);
}

static void addresses(void **state)
{
	static const char *const bad[] = {
	    "",          "sqlite:",     "/tmp/store.db",     "mysql:/tmp/x",  "SQLITE:/tmp/x",
	    "postgres:", "postgres://", "postgres://[::1/d", "postgresql:/d", "postgres://h/d?nonsense=1"};
	struct box *b = box_empty("/tmp");

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		b->options.url = bad[i];
		assert_int_equal(try_create(b), ERR_CONFIG_INVALID);
		assert_int_equal(try_open(b), ERR_CONFIG_INVALID);
	}
	box_free(b);
}

static void garbage(void **state)
{
	struct box *b = box_empty("/tmp");
	char junk[8192];

	(void)state;
	memset(junk, 'x', sizeof(junk));
	put_file(b->path, junk, sizeof(junk));
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	assert_int_equal(try_create(b), ERR_ALREADY_EXISTS);
	put_file(b->path, "short", 5);
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	b->options.url = "sqlite:/tmp";
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	box_free(b);
}

static void foreign_database(void **state)
{
	struct box *b = box_empty("/tmp");
	struct arena *a = arena_new(1 << 20);
	struct span before, after;

	(void)state;
	lite_sql(b->path, "CREATE TABLE meta (key TEXT PRIMARY KEY, num INTEGER); INSERT INTO meta VALUES ('schema', 1)");
	assert_int_equal(file_read(a, b->path, 1 << 20, &before, NULL), ERR_OK);
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	assert_int_equal(try_create(b), ERR_ALREADY_EXISTS);
	assert_int_equal(file_read(a, b->path, 1 << 20, &after, NULL), ERR_OK);
	assert_true(span_eq(before, after)); /* and it was not touched */
	arena_free(a);
	box_free(b);
}

static void created(void **state)
{
	struct box *b = box_empty("/tmp");
	char path[128];
	struct stat st;

	(void)state;
	umask(0);
	assert_int_equal(try_create(b), ERR_OK);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(try_create(b), ERR_ALREADY_EXISTS);
	box_open(b);
	assert_int_equal(store_ping(b->store), ERR_OK);
	assert_int_equal(store_now(b->store), NOW);
	assert_int_equal(try_create(b), ERR_ALREADY_EXISTS); /* also while it is in use */
	snprintf(path, sizeof(path), "%s-wal", b->path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	box_free(b);
}

/* What a stop in the middle of making a store leaves behind can be made into one. */
static void create_again(void **state)
{
	struct box *b = box_empty("/tmp");
	struct stat st;

	(void)state;
	put_file(b->path, "", 0);
	assert_int_equal(try_create(b), ERR_OK);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(try_open(b), ERR_OK);
	box_free(b);
}

static void newer(void **state)
{
	struct box *b = *state;

	box_close(b);
	box_sql(b, "UPDATE meta SET num = 1000000 WHERE key = 'schema'");
	assert_int_equal(try_open(b), ERR_STORE_NEWER);
	box_sql(b, "UPDATE meta SET num = 0 WHERE key = 'schema'");
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	box_sql(b, "UPDATE meta SET num = -1 WHERE key = 'schema'");
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	box_sql(b, "DELETE FROM meta WHERE key = 'schema'");
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	box_sql(b, "DROP TABLE meta");
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
}

static void master_key(void **state)
{
	struct box *b = *state;

	box_close(b);
	b->master[31] ^= 1;
	assert_int_equal(try_open(b), ERR_MASTER_KEY_WRONG);
	b->master[31] ^= 1;
	b->options.master_key.len = 31;
	assert_int_equal(try_open(b), ERR_MASTER_KEY_WRONG);
	b->options.master_key.len = 32;
	assert_int_equal(try_open(b), ERR_OK);
	box_sql(b, "UPDATE meta SET bytes = (SELECT bytes FROM meta WHERE key = 'key.data') WHERE key = 'key.lookup'");
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT); /* one of the two was exchanged: not the master key's fault */
	box_sql(b, "DELETE FROM meta WHERE key = 'key.data'");
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
}

static void truncated(void **state)
{
	struct box *b = *state;

	box_close(b);
	assert_int_equal(truncate(b->path, 4096), 0);
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	assert_int_equal(truncate(b->path, 60), 0);
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
}

static enum err any_write(struct store_tx *tx, void *arg)
{
	struct receipt_row r = {.id = (char *)"R1", .principal = (char *)"w1"};

	(void)arg;
	return store_receipt_insert(tx, &r);
}

/* The mark of time outlives the process. */
static void time_is_kept(void **state)
{
	struct box *b = *state;

	b->clock = NOW + 5000;
	box_write(b, any_write);
	box_close(b);
	b->clock = NOW - 1000;
	box_open(b);
	assert_int_equal(store_now(b->store), NOW + 5000);
	assert_int_equal(store_clock_behind(b->store), 6000);
	b->clock = NOW + 6000;
	assert_int_equal(store_now(b->store), NOW + 6000);
	assert_int_equal(store_clock_behind(b->store), 0);
}

static int64_t moved_steady(void *arg)
{
	return *(const int64_t *)arg;
}

static int64_t an_hour_behind(void *arg)
{
	return NOW - 3600000;
}

/* Behind a clock that was set back, time goes on all the same: codes made now still expire. */
static void time_goes_on(void **state)
{
	struct box *b = *state;
	int64_t steady = 77;
	struct clock behind = {.now = an_hour_behind, .steady = moved_steady, .arg = &steady};

	box_write(b, any_write);
	box_close(b);
	b->options.clock = behind;
	box_open(b);
	assert_int_equal(store_now(b->store), NOW);
	steady += 60000;
	assert_int_equal(store_now(b->store), NOW + 60000);
	assert_int_equal(store_clock_behind(b->store), 3660000);
}

/* ---- at rest -------------------------------------------------------------------------------- */

static const char *const secrets[] = {
    "SECRET-IDENTIFIER", "SECRET-NUMBER", "SECRET-HOLDER",  "SECRET-RECORD", "SECRET-HEAD",
    "SECRET-TAIL",       "SECRET-BODY",   "SECRET-REPLY",   "SECRET-VALUE",  "SECRET-NAME",
    "SECRET-REASON",     "SECRET-APPLIC", "SECRET-APPROVE",
};

static enum err write_codes(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct code_row c = {
	    .kind = CODE_SHOW, .audience = AUDIENCE_WINDOWS, .body = span_str("SECRET-BODY"), .expires = NOW + 9};
	struct replay r = {.reply = span_str("SECRET-REPLY")};
	struct principal p = {.id = (char *)"w1", .name = (char *)"SECRET-NAME"};
	struct audit_value v = {.name = (char *)"holder", .value = (char *)"SECRET-VALUE", .salt = "SECRET-SALT"};
	struct audit_row e = {.action = (char *)"pull", .principal = (char *)"w1", .n_values = 1, .values = &v};

	CHECK_OK(store_code_insert(tx, &c));
	CHECK_OK(store_replay_put(tx, "w1", c.hash, &r));
	CHECK_OK(store_principal_put(tx, &p));
	CHECK_OK(store_audit_append(tx, &e));
	return ERR_OK;
}

static enum err write_licence(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct holder_key h = {"111", "SECRET-HOLDER"};
	struct licence_row l = {.id = (char *)"SECRET-IDENTIFIER",
	                        .record = span_str("SECRET-RECORD"),
	                        .sig_head = span_str("SECRET-HEAD"),
	                        .sig_tail = span_str("SECRET-TAIL")};
	struct seal_row s = {.id = (char *)"S1",
	                     .state = SEAL_ACTIVE,
	                     .application = (char *)"SECRET-APPLIC",
	                     .approver = (char *)"SECRET-APPROVE",
	                     .der = span_str("PUBLIC-SEAL")};
	struct state_event e = {.state = LICENCE_REVOKED, .reason = (char *)"SECRET-REASON", .principal = (char *)"i"};

	CHECK_OK(store_licence_insert(tx, &l, "SECRET-NUMBER", &h, 1, "i"));
	CHECK_OK(store_licence_change(tx, "SECRET-IDENTIFIER", 1, &e));
	CHECK_OK(store_seal_insert(tx, &s));
	return ERR_OK;
}

static bool file_has(const char *path, const char *needle)
{
	struct arena *a = arena_new(64 << 20);
	struct span s = {0};
	bool found;

	assert_int_equal(file_read(a, path, 32 << 20, &s, NULL), ERR_OK);
	found = memmem(s.ptr, s.len, needle, strlen(needle)) != NULL;
	arena_free(a);
	return found;
}

/* In any column of any table: as text, or as the bytes of a value. */
static bool database_has(struct box *b, const char *needle)
{
	char hex[128], query[512], *p = hex;
	PGconn *c = PQconnectdb(b->url);
	PGresult *tables, *r;
	bool found = false;

	for (size_t i = 0; i < strlen(needle); i++)
		p += sprintf(p, "%02x", (unsigned char)needle[i]);
	tables =
	    PQexec(c, "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'");
	assert_true(PQntuples(tables) > 10);
	for (int i = 0; i < PQntuples(tables) && !found; i++) {
		snprintf(query, sizeof(query), "SELECT 1 FROM %s t WHERE t::text LIKE '%%%s%%' OR t::text LIKE '%%%s%%'",
		         PQgetvalue(tables, i, 0), needle, hex);
		r = PQexec(c, query);
		assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
		found = PQntuples(r) != 0;
		PQclear(r);
	}
	PQclear(tables);
	PQfinish(c);
	return found;
}

static void at_rest_database(void **state)
{
	struct box *b = *state;

	box_write(b, write_codes);
	box_write(b, write_licence);
	box_settle(b);
	assert_true(database_has(b, "PUBLIC-SEAL"));
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_false(database_has(b, secrets[i]));
	assert_false(database_has(b, "SECRET-SALT"));
	assert_false(database_has(b, (const char[]){7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0}));
}

static void at_rest(void **state)
{
	struct box *b = *state;
	char wal[128];

	snprintf(wal, sizeof(wal), "%s-wal", b->path);
	box_write(b, write_codes);
	box_write(b, write_licence);
	assert_true(file_has(wal, "PUBLIC-SEAL")); /* the search itself works */
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_false(file_has(wal, secrets[i]));
	assert_false(file_has(wal, "SECRET-SALT"));
	assert_false(file_has(wal, (const char[]){7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0})); /* the master key */
	box_close(b);
	assert_true(file_has(b->path, "PUBLIC-SEAL"));
	assert_false(file_has(b->path, "SECRET-"));
	assert_false(file_has(b->path, (const char[]){7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0}));
}

/* ---- values that were moved or changed by somebody else ------------------------------------- */

static enum err two_licences(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct holder_key h = {"111", "h"};
	struct licence_row l = {.id = (char *)"A", .record = span_str("record of A"), .sig_head = span_str("head of A")};

	CHECK_OK(store_licence_insert(tx, &l, NULL, &h, 1, "i"));
	l = (struct licence_row){.id = (char *)"B", .record = span_str("record of B")};
	CHECK_OK(store_licence_insert(tx, &l, NULL, &h, 1, "i"));
	return ERR_OK;
}

static enum err get_a(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct licence_row l;

	return store_licence_get(tx, b->arena, "A", &l);
}

static void moved(void **state)
{
	static const char *const changes[] = {
	    "UPDATE licences SET record = (SELECT record FROM licences WHERE seq = 2) WHERE seq = 1", /* another row */
	    "UPDATE licences SET record = sig_head WHERE seq = 1",                                    /* another column */
	    "UPDATE licences SET record = substr(record, 1, 0) WHERE seq = 1",
	    "UPDATE licences SET record = substr(record, 1, length(record) - 1) WHERE seq = 1",
	    "UPDATE licences SET id = (SELECT id FROM licences WHERE seq = 2) WHERE seq = 1",
	    "UPDATE licences SET state = 9 WHERE seq = 1",
	    "UPDATE licences SET seal_hash = substr(seal_hash, 1, 1) WHERE seq = 1",
	};
	struct box *b = *state;

	box_write(b, two_licences);
	box_sql(b, "CREATE TABLE kept AS SELECT * FROM licences WHERE seq = 1");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(store_read(b->store, get_a, b), ERR_OK);
		box_sql(b, changes[i]);
		assert_int_equal(store_read(b->store, get_a, b), ERR_STORE_CORRUPT);
		box_sql(b, "UPDATE licences SET (record, id, state, seal_hash) ="
		           " (SELECT record, id, state, seal_hash FROM kept) WHERE seq = 1");
	}
	assert_int_equal(store_read(b->store, get_a, b), ERR_OK);
}

static enum err put_twice(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct principal p = {.id = (char *)"w1", .name = (char *)"old name"};

	CHECK_OK(store_principal_put(tx, &p));
	return ERR_OK;
}

static enum err get_name(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct principal p;

	return store_principal_get(tx, b->arena, "w1", &p);
}

/* An older value of the same cell does not pass for the present one. */
static void rolled_back(void **state)
{
	struct box *b = *state;

	box_write(b, put_twice);
	box_sql(b, "CREATE TABLE kept AS SELECT name FROM principals");
	box_write(b, put_twice);
	assert_int_equal(store_read(b->store, get_name, b), ERR_OK);
	box_sql(b, "UPDATE principals SET name = (SELECT name FROM kept)");
	assert_int_equal(store_read(b->store, get_name, b), ERR_STORE_CORRUPT);
}

/* ---- a store of version 1 -------------------------------------------------------------------- */

static enum err put_old_value(struct store_tx *tx, int64_t index, int64_t pos, const char *name, const char *both)
{
	char row[16];
	struct query q;

	snprintf(row, sizeof(row), "%d/%d", (int)index, (int)pos);
	q_open(&q, tx, "INSERT INTO audit_values (idx, pos, name, value) VALUES ($1, $2, $3, $4)");
	q_put_int(&q, index);
	q_put_int(&q, pos);
	q_put_text(&q, name);
	if (both == NULL)
		q_put_null(&q);
	else
		q_put_sealed(&q, (struct cell){"audit_values", row, "value", 1}, span_str(both));
	return q_run(&q, NULL);
}

/* Four entries: with two values, with none, with erased ones, with one. */
static enum err make_old(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct audit_row r = {.action = (char *)"a", .principal = (char *)"p", .record = span_str("rec")};

	for (uint8_t i = 0; i < 4; i++) {
		r.leaf[0] = i;
		CHECK_OK(store_audit_append(tx, &r));
	}
	CHECK_OK(put_old_value(tx, 0, 0, "holder",
	                       "salt of 16 bytes"
	                       "Zhang"));
	CHECK_OK(put_old_value(tx, 0, 1, "empty", "SALT OF 16 BYTES"));
	CHECK_OK(put_old_value(tx, 2, 0, "gone", NULL));
	CHECK_OK(put_old_value(tx, 2, 1, "gone too", NULL));
	CHECK_OK(put_old_value(tx, 3, 0, "case",
	                       "0123456789abcdef"
	                       "B-1"));
	return ERR_OK;
}

static enum err see_new(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct audit_row *r;
	size_t n;

	CHECK_OK(store_audit_list(tx, b->arena, 0, 10, "", "", &r, &n));
	CHECK(n == 4 && r[0].n_values == 2 && r[1].n_values == 0 && r[2].n_values == 2 && r[3].n_values == 1);
	CHECK(same_text(r[0].values[0].name, "holder") && same_text(r[0].values[0].value, "Zhang"));
	CHECK(memcmp(r[0].values[0].salt, "salt of 16 bytes", 16) == 0 && !r[0].values[0].erased);
	CHECK(same_text(r[0].values[1].value, "") && memcmp(r[0].values[1].salt, "SALT OF 16 BYTES", 16) == 0);
	CHECK(r[2].values[0].erased && r[2].values[1].erased && same_text(r[2].values[1].name, "gone too"));
	CHECK(same_text(r[3].values[0].value, "B-1") && r[3].leaf[0] == 3);
	return ERR_OK;
}

static void from_version_1(void **state)
{
	struct box *b = *state;

	lite_sql(b->path, "CREATE TABLE audit_values (idx INTEGER NOT NULL REFERENCES audit(idx), pos INTEGER NOT NULL,"
	                  " name TEXT NOT NULL, value BLOB, PRIMARY KEY (idx, pos)) STRICT");
	box_write(b, make_old);
	box_close(b);
	lite_sql(b->path, "ALTER TABLE audit DROP COLUMN names; ALTER TABLE audit DROP COLUMN vals; DROP TABLE versions;"
	                  "UPDATE meta SET num = 1 WHERE key = 'schema'");
	box_open(b);
	box_read(b, see_new);
	box_close(b);
	box_open(b); /* and once more, as it is now */
	box_read(b, see_new);
}

/* ---- PostgreSQL ----------------------------------------------------------------------------- */

static void created_database(void **state)
{
	struct box *b = box_empty("/tmp");

	(void)state;
	assert_int_equal(try_open(b), ERR_STORE_NOT_INIT);
	assert_int_equal(store_vacant(&b->options, NULL), ERR_OK);
	assert_int_equal(try_create(b), ERR_OK);
	assert_int_equal(try_create(b), ERR_ALREADY_EXISTS);
	assert_int_equal(store_vacant(&b->options, NULL), ERR_ALREADY_EXISTS);
	box_open(b);
	assert_int_equal(store_ping(b->store), ERR_OK);
	assert_int_equal(store_now(b->store), NOW);
	assert_int_equal(try_create(b), ERR_ALREADY_EXISTS); /* also while it is in use */
	box_free(b);
}

static void other_tables(void **state)
{
	struct box *b = box_empty("/tmp");

	(void)state;
	box_sql(b, "CREATE TABLE meta (key TEXT PRIMARY KEY, num INTEGER); INSERT INTO meta VALUES ('schema', 2)");
	assert_int_equal(try_open(b), ERR_STORE_CORRUPT);
	assert_int_equal(store_vacant(&b->options, NULL), ERR_ALREADY_EXISTS);
	assert_int_equal(try_create(b), ERR_ALREADY_EXISTS);
	box_free(b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

static int64_t moving_steady(void *arg)
{
	return *(const int64_t *)arg;
}

/* A shared database's clock is known as well as the quickest answer told it: a slow one neither puts the store behind
 * the other servers nor before them. */
static void slow_answers_tell_little(void **state)
{
	int64_t steady = 1000;
	struct store s = {.clock = {.steady = moving_steady, .arg = &steady}, .db_time = true};

	time_follow(&s, NOW, 999);
	assert_int_equal(store_now(&s), NOW);
	steady = 2000;
	time_follow(&s, NOW + 500, 1400); /* read when half of a second had passed, told half a second later */
	assert_int_equal(store_now(&s), NOW + 1000);
	steady = 3000;
	time_follow(&s, NOW + 2010, 2990); /* it is later there than we thought */
	assert_int_equal(store_now(&s), NOW + 2010);
	steady = 4000;
	time_follow(&s, NOW + 3000, 3999); /* and earlier: time waits, but never goes back */
	assert_int_equal(store_now(&s), NOW + 3001);
	time_follow(&s, NOW + 2900, 3990);
	assert_int_equal(store_now(&s), NOW + 3001);
	steady = 4200;
	assert_int_equal(store_now(&s), NOW + 3110);
}

int main(void)
{
	const struct CMUnitTest in_file[] = {
	    cmocka_unit_test(not_initialised),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(garbage),
	    cmocka_unit_test(foreign_database),
	    cmocka_unit_test(created),
	    cmocka_unit_test(create_again),
	    T(newer),
	    T(master_key),
	    T(truncated),
	    T(time_is_kept),
	    T(time_goes_on),
	    cmocka_unit_test(slow_answers_tell_little),
	    T(at_rest),
	    T(moved),
	    T(rolled_back),
	    T(from_version_1),
	};
	const struct CMUnitTest in_database[] = {
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(created_database),
	    cmocka_unit_test(other_tables),
	    T(newer),
	    T(master_key),
	    T(time_is_kept),
	    T(time_goes_on),
	    T(at_rest_database),
	    T(moved),
	    T(rolled_back),
	};

	return on_postgres() ? cmocka_run_group_tests(in_database, NULL, NULL)
	                     : cmocka_run_group_tests(in_file, NULL, NULL);
}
