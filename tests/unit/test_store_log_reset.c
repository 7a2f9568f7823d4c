/* Nothing is lost when the log is about to be begun anew while the thread is about to put it back: the thread is held
 * at the two places where SQLite before 3.51.3 loses commits ("WAL-reset bug"), by a VFS that only waits there. */
#include "test_store.h"

#include "store/sqlite_log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { BIG = 400 << 10, SMALL = 4 << 10, PATIENCE_MS = 1000, CHECKPOINT_LOCK = 1 };
/* The log is filled; it is full, and the thread may lock; the thread has read the log's head; the writer has gone on.
 */
enum phase { FILLING, FULL, HEAD_READ, WRITTEN };

static sqlite3_vfs *real, held;
static const sqlite3_io_methods *theirs;
static sqlite3_io_methods ours;
static pthread_t writer;
static atomic_int phase;

static bool await(enum phase p)
{
	for (int ms = 0; atomic_load(&phase) < (int)p && ms < PATIENCE_MS; ms++)
		usleep(1000);
	return atomic_load(&phase) >= (int)p;
}

static bool is_beside(void)
{
	return !pthread_equal(pthread_self(), writer);
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	if (is_beside() && offset == CHECKPOINT_LOCK && n == 1 && (flags & SQLITE_SHM_LOCK) != 0)
		(void)await(FULL);
	return theirs->xShmLock(f, offset, n, flags);
}

/* Called between reading the log's head and what follows from it. */
static int unfetch(sqlite3_file *f, sqlite3_int64 offset, void *page)
{
	int full = FULL;

	if (is_beside() && atomic_compare_exchange_strong(&phase, &full, HEAD_READ))
		(void)await(WRITTEN);
	return theirs->xUnfetch(f, offset, page);
}

static int open_held(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	int rc = real->xOpen(real, name, f, flags, out);

	(void)v;
	if (rc != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0)
		return rc;
	theirs = f->pMethods;
	ours = *theirs;
	ours.xShmLock = shm_lock;
	ours.xUnfetch = unfetch;
	f->pMethods = &ours;
	return rc;
}

/* Of SQLite's index of its log: pages in it, and how many of them are in the file (walformat.html). */
static bool is_long_and_put_back(const char *path)
{
	enum { IN_LOG = 16, PUT_BACK = 96 };
	uint32_t in_log = 0, put_back = 0;
	char shm[80];
	FILE *f;

	snprintf(shm, sizeof(shm), "%s-shm", path);
	f = fopen(shm, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, IN_LOG, SEEK_SET) + (int)fread(&in_log, sizeof(in_log), 1, f), 1);
	assert_int_equal(fseek(f, PUT_BACK, SEEK_SET) + (int)fread(&put_back, sizeof(put_back), 1, f), 1);
	fclose(f);
	return in_log >= LOG_MOST && put_back == in_log;
}

static void commit_row(sqlite3 *db, int id, int octets)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; INSERT INTO t VALUES (%d, randomblob(%d)); COMMIT", id, octets);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t rows(const char *path)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void nothing_is_lost(void **state)
{
	char dir[] = "/tmp/yz-log.XXXXXX", path[64];
	struct sqlite_log *log = NULL;
	sqlite3 *db = NULL;
	int id = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/store.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite_log_new(path, db, &log), ERR_OK);
	while (id * (BIG / 4096) < LOG_MOST + LOG_PART && (id == 0 || !is_long_and_put_back(path)))
		commit_row(db, id++, BIG);
	atomic_store(&phase, FULL);
	assert_true(await(HEAD_READ)); /* else the thread was not held where it matters */
	for (int i = 0; i < 3; i++)
		commit_row(db, id++, SMALL);
	atomic_store(&phase, WRITTEN);
	usleep(300000);
	for (int i = 0; i < 3; i++)
		commit_row(db, id++, SMALL);
	assert_int_equal(rows(path), id);
	sqlite_log_free(log);
	sqlite3_close(db);
	assert_int_equal(rows(path), id);
	unlink(path);
	rmdir(dir);
}

static int hold(void **state)
{
	(void)state;
	writer = pthread_self();
	real = sqlite3_vfs_find(NULL);
	held = *real;
	held.zName = "held";
	held.xOpen = open_held;
	return sqlite3_vfs_register(&held, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost)};

	return cmocka_run_group_tests(tests, hold, NULL);
}
