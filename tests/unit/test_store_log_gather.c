/* What is written to SQLite's log in pieces goes out together, in order, and nothing of it is lost or told too late. */
#include "test_store.h"

#include "store/sqlite_gather.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { PIECE = 4096, HEAD = 24 };

struct log_file {
	char dir[32], db[64], wal[64];
	sqlite3_file *f;
	int seen; /* the same file, as others have it */
};

static sqlite3_file *open_as(const char *path, int kind)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(sqlite_gather());
	sqlite3_file *f;
	int got;

	assert_non_null(vfs);
	f = calloc(1, (size_t)vfs->szOsFile);
	assert_int_equal(vfs->xOpen(vfs, path, f, kind | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &got), SQLITE_OK);
	return f;
}

static int set_up(void **state)
{
	struct log_file *l = calloc(1, sizeof(*l));

	strcpy(l->dir, "/tmp/yzgather.XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	snprintf(l->db, sizeof(l->db), "%s/s.db", l->dir);
	snprintf(l->wal, sizeof(l->wal), "%s/s.db-wal", l->dir);
	close(open(l->db, O_CREAT | O_RDWR, 0600));
	l->f = open_as(l->wal, SQLITE_OPEN_WAL);
	l->seen = open(l->wal, O_RDONLY);
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	struct log_file *l = *state;

	if (l->f != NULL)
		l->f->pMethods->xClose(l->f);
	free(l->f);
	close(l->seen);
	unlink(l->wal);
	unlink(l->db);
	rmdir(l->dir);
	free(l);
	return 0;
}

static off_t size_of(const struct log_file *l)
{
	struct stat st;

	assert_int_equal(fstat(l->seen, &st), 0);
	return st.st_size;
}

static void put(struct log_file *l, int n, sqlite3_int64 at, int with)
{
	uint8_t *p = malloc((size_t)n + 1);

	memset(p, with, (size_t)n);
	assert_int_equal(l->f->pMethods->xWrite(l->f, p, n, at), SQLITE_OK);
	free(p);
}

static void has(const struct log_file *l, off_t at, int n, int with)
{
	uint8_t *p = malloc((size_t)n);

	assert_int_equal(pread(l->seen, p, (size_t)n, at), n);
	for (int i = 0; i < n; i++)
		assert_int_equal(p[i], with);
	free(p);
}

static void frames_go_out_with_the_sync(void **state)
{
	struct log_file *l = *state;
	sqlite3_int64 at = 0;

	for (int i = 1; i <= 5; i++) {
		put(l, HEAD, at, 100 + i);
		put(l, PIECE, at + HEAD, i);
		at += HEAD + PIECE;
	}
	put(l, 0, at, 0); /* SQLite does that, too */
	assert_int_equal(size_of(l), 0);
	assert_int_equal(l->f->pMethods->xSync(l->f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(size_of(l), at);
	for (int i = 1; i <= 5; i++) {
		has(l, (i - 1) * (HEAD + PIECE), HEAD, 100 + i);
		has(l, (i - 1) * (HEAD + PIECE) + HEAD, PIECE, i);
	}
	put(l, HEAD, 0, 9); /* begun anew */
	assert_int_equal(l->f->pMethods->xSync(l->f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	has(l, 0, HEAD, 9);
	has(l, HEAD, PIECE, 1);
}

static void who_asks_sees_all(void **state)
{
	struct log_file *l = *state;
	sqlite3_int64 size;
	uint8_t got[PIECE];

	put(l, PIECE, 0, 1);
	assert_int_equal(l->f->pMethods->xRead(l->f, got, PIECE, 0), SQLITE_OK);
	assert_int_equal(got[PIECE - 1], 1);
	put(l, PIECE, PIECE, 2);
	assert_int_equal(l->f->pMethods->xFileSize(l->f, &size), SQLITE_OK);
	assert_int_equal(size, 2 * PIECE);
	put(l, PIECE, 2 * PIECE, 3);
	assert_int_equal(l->f->pMethods->xTruncate(l->f, PIECE), SQLITE_OK);
	assert_int_equal(size_of(l), PIECE);
	put(l, PIECE, PIECE, 4);
	put(l, PIECE, 0, 5); /* elsewhere: what was held goes first */
	has(l, PIECE, PIECE, 4);
	put(l, HEAD, HEAD, 6); /* within what is held */
	l->f->pMethods->xClose(l->f);
	free(l->f);
	l->f = NULL;
	has(l, 0, HEAD, 5);
	has(l, HEAD, HEAD, 6);
	has(l, 2 * HEAD, PIECE - 2 * HEAD, 5);
}

static void more_than_there_is_room_for(void **state)
{
	struct log_file *l = *state;

	for (int i = 0; i < 100; i++)
		put(l, PIECE, (sqlite3_int64)i * PIECE, i);
	assert_true(size_of(l) > 2 * 124 * 1024 - 2 * PIECE && size_of(l) < 100 * PIECE);
	assert_int_equal(l->f->pMethods->xSync(l->f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	for (int i = 0; i < 100; i++)
		has(l, (off_t)i * PIECE, PIECE, i);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes < r.rlim_max ? bytes : r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void what_fails_is_told(void **state)
{
	struct log_file *l = *state;

	signal(SIGXFSZ, SIG_IGN);
	put(l, PIECE, 0, 1);
	put(l, PIECE, PIECE, 2);
	limit_files(PIECE);
	assert_int_not_equal(l->f->pMethods->xSync(l->f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	limit_files(RLIM_INFINITY);
	put(l, PIECE, 0, 3); /* what did not go out is not held any longer */
	assert_int_equal(l->f->pMethods->xSync(l->f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(size_of(l), PIECE);
	has(l, 0, PIECE, 3);
}

static void other_files_are_as_they_were(void **state)
{
	struct log_file *l = *state;
	sqlite3_file *f = open_as(l->db, SQLITE_OPEN_MAIN_DB);
	uint8_t one = 1, got = 0;
	int fd = open(l->db, O_RDONLY);

	assert_int_equal(f->pMethods->xWrite(f, &one, 1, 0), SQLITE_OK);
	assert_int_equal(read(fd, &got, 1), 1);
	assert_int_equal(got, 1);
	close(fd);
	f->pMethods->xClose(f);
	free(f);
}

/* ---- two writers ---------------------------------------------------------------------------- */

enum { PART = 1 << 20 };
struct load {
	unsigned parts;
	size_t octets;
	const char *name;
	enum err then;
};

static enum err put_load(struct store_tx *tx, void *arg)
{
	static uint8_t filler[PART];
	const struct load *l = arg;
	enum err e = ERR_OK;
	char id[32];

	memset(filler, 0xab, sizeof(filler));
	for (unsigned i = 0; e == ERR_OK && i < l->parts; i++) {
		struct receipt_row r = {.id = id, .principal = (char *)"p", .body = span_of(filler, l->octets)};

		snprintf(id, sizeof(id), "%s%u", l->name, i);
		e = store_receipt_insert(tx, &r);
	}
	return e == ERR_OK ? l->then : e;
}

static enum err put_one(struct store *s, const char *name)
{
	struct load l = {1, 4000, name, ERR_OK};

	return store_write(s, put_load, &l);
}

static enum err is_there(struct store_tx *tx, void *arg)
{
	struct arena *a = arena_new(1 << 16);
	struct receipt_row r;
	enum err e = store_receipt_get(tx, a, arg, &r);

	arena_free(a);
	return e;
}

static enum err is_big(struct store_tx *tx, void *arg)
{
	struct arena *a = arena_new(2 * PART);
	struct receipt_row r;
	enum err e = store_receipt_get(tx, a, arg, &r);

	if (e == ERR_OK && r.body.len != PART)
		e = ERR_STORE_CORRUPT;
	arena_free(a);
	return e;
}

static void all_there(struct store *s, unsigned round, unsigned n)
{
	char id[16];

	for (unsigned k = 0; k < n; k++) {
		snprintf(id, sizeof(id), "b%u.%u.0", round, k);
		assert_int_equal(store_read(s, is_there, id), ERR_OK);
	}
}

/* What one took back must not come out of its hands later, over what another wrote there. */
static void taken_back_is_forgotten(void **state)
{
	enum { ROUNDS = 2 };
	static const unsigned n[ROUNDS] = {200, 400};
	struct box *b = *state;
	struct store *other;
	struct err_note note;
	char name[16];

	if (b->postgres)
		return;
	assert_int_equal(store_open(&b->options, &other, &note), ERR_OK);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct load l = {17, PART, "gone", ERR_STORE_CHANGED};

		assert_int_equal(store_write(b->store, put_load, &l), ERR_STORE_CHANGED);
		for (unsigned k = 0; k < n[i]; k++) {
			snprintf(name, sizeof(name), "b%u.%u.", i, k);
			assert_int_equal(put_one(other, name), ERR_OK);
		}
		snprintf(name, sizeof(name), "a%u.", i);
		assert_int_equal(put_one(b->store, name), ERR_OK);
		all_there(b->store, i, n[i]);
		all_there(other, i, n[i]);
		assert_int_equal(store_read(other, is_there, (char *)"gone0"), ERR_NOT_FOUND);
	}
	store_close(other);
	box_close(b);
	box_open(b);
	for (unsigned i = 0; i < ROUNDS; i++)
		all_there(b->store, i, n[i]);
}

/* ---- much at once --------------------------------------------------------------------------- */

struct late {
	struct load load;
	enum err got;
	atomic_int answers;
	char name[8];
};

static enum err put_late(struct store_tx *tx, void *arg)
{
	struct late *l = arg;

	if (l->name[1] == '0')
		usleep(50000); /* the others gather meanwhile */
	return put_load(tx, &l->load);
}

static void late_done(void *arg, enum err result)
{
	struct late *l = arg;

	l->got = result;
	l->answers++;
}

/* More than is kept in memory until a commit, with some among them that are refused after they have written. */
static void much_goes_in_parts(void **state)
{
	enum { JOBS = 9 };
	struct box *b = *state;
	struct late all[JOBS] = {0};
	char id[16];

	if (b->postgres)
		return;
	for (unsigned i = 0; i < JOBS; i++) {
		snprintf(all[i].name, sizeof(all[i].name), "m%u.", i);
		all[i].load = (struct load){20, PART, all[i].name, i % 4 == 2 ? ERR_STORE_CHANGED : ERR_OK};
		assert_int_equal(store_submit(b->store, put_late, &all[i], late_done), ERR_OK);
	}
	for (unsigned i = 0; i < JOBS; i++)
		while (all[i].answers == 0)
			usleep(1000);
	for (unsigned i = 0; i < JOBS; i++) {
		assert_int_equal(all[i].answers, 1);
		assert_int_equal(all[i].got, all[i].load.then);
		snprintf(id, sizeof(id), "m%u.19", i);
		assert_int_equal(store_read(b->store, is_big, id), all[i].load.then == ERR_OK ? ERR_OK : ERR_NOT_FOUND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(frames_go_out_with_the_sync, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(who_asks_sees_all, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(more_than_there_is_room_for, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_fails_is_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(other_files_are_as_they_were, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(taken_back_is_forgotten, box_setup, box_teardown),
	    cmocka_unit_test_setup_teardown(much_goes_in_parts, box_setup, box_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
