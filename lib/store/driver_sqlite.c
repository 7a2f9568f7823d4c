/* SQLite: WAL, every commit on disk before it is answered. */
#include "store/claim.h"
#include "store/driver.h"
#include "store/sqlite_gather.h"
#include "store/sqlite_log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CACHE = 256, /* prepared statements; a power of two, well above the number of queries in lib/store */
	SQL_MAX = 2048,
	BUSY_MS = 3000,
	VALUE_MAX = 64 << 20,
	CROWDED = 48 << 20,
	APPLICATION = 0x595a5354 /* "YZST", as in schema_sqlite.c */
};

struct db_stmt {
	struct lite *lite;
	const char *sql;
	sqlite3_stmt *st;
	bool in_use;
};

struct lite {
	struct db db;
	sqlite3 *handle;
	struct sqlite_log *log; /* of one that writes */
	struct db_stmt cache[CACHE];
};

static struct lite *lite_of(struct db *db)
{
	return (struct lite *)db;
}

static enum err constraint_err(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return ERR_ALREADY_EXISTS;
	default:
		return ERR_INTERNAL;
	}
}

/* A quota and a file size limit are full disks too; SQLite itself only knows ENOSPC. errno is what the failed call
 * left (set to 0 before every step): sqlite3_system_errno() is not filled in on the way through a commit. */
static enum err io_err(int extended)
{
	if (extended == SQLITE_IOERR_NOMEM)
		return ERR_NO_MEMORY;
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_STORE_FULL : ERR_STORE_IO;
}

static enum err classify(struct lite *l, int rc)
{
	int extended = l->handle != NULL ? sqlite3_extended_errcode(l->handle) : rc;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ERR_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_STORE_BUSY;
	case SQLITE_FULL:
		return ERR_STORE_FULL;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return io_err(extended);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return ERR_STORE_IO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_STORE_CORRUPT;
	case SQLITE_NOMEM:
		return ERR_NO_MEMORY;
	case SQLITE_TOOBIG:
		return ERR_TOO_LARGE;
	case SQLITE_CONSTRAINT:
		return constraint_err(extended);
	default:
		return ERR_INTERNAL;
	}
}

static enum err script(struct db *db, const char *sql)
{
	struct lite *l = lite_of(db);

	errno = 0;
	return classify(l, sqlite3_exec(l->handle, sql, NULL, NULL, NULL));
}

static void close_db(struct db *db)
{
	struct lite *l = lite_of(db);

	if (l == NULL)
		return;
	for (size_t i = 0; i < CACHE; i++)
		sqlite3_finalize(l->cache[i].st);
	sqlite_log_free(l->log);
	sqlite3_close(l->handle);
	free(l);
}

/* No mapped memory (a failing disk must give an error, not a signal), deleted bytes overwritten, nothing run that
 * the file itself defines, temporary tables never on disk. */
static enum err set_up(struct lite *l, enum db_use use)
{
	static const char pragmas[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
	                              "PRAGMA secure_delete=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
	                              "PRAGMA cell_size_check=ON";
	enum err e;

	sqlite3_extended_result_codes(l->handle, 1);
	sqlite3_busy_timeout(l->handle, BUSY_MS);
	sqlite3_limit(l->handle, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	sqlite3_db_config(l->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	e = script(&l->db, pragmas);
	/* Readers begin anew after every commit; the writer knows the pages that it wrote, and random keys come back to
	 * them. What is not committed stays in memory (sqlite_gather.h relies on it); crowded() says when that is much. */
	if (e == ERR_OK)
		e = script(&l->db,
		           use == DB_READ ? "PRAGMA query_only=ON" : "PRAGMA cache_size=-16384; PRAGMA cache_spill=OFF");
	return e;
}

/* SQLite counts what it allocates under one lock for all threads, and nobody asks for the sum. Where SQLite is in use
 * already this is refused, and all goes on as before. */
static void spare_counting(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum err connect_to(const char *where, enum db_use use, struct db **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct lite *l = calloc(1, sizeof(*l));
	enum err e;

	if (l == NULL)
		return ERR_NO_MEMORY;
	pthread_once(&once, spare_counting);
	l->db.driver = &driver_sqlite;
	e = classify(l, sqlite3_open_v2(where, &l->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                                use == DB_WRITE ? sqlite_gather() : NULL));
	if (e == ERR_OK)
		e = set_up(l, use);
	if (e == ERR_OK && use == DB_WRITE)
		e = sqlite_log_new(where, l->handle, &l->log);
	if (e != ERR_OK) {
		close_db(&l->db);
		return e;
	}
	*out = &l->db;
	return ERR_OK;
}

/* So that the name of a new file survives a power cut as its contents do. */
static enum err sync_folder(const char *where)
{
	char *copy = strdup(where);
	int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	enum err e = fd >= 0 && fsync(fd) == 0 ? ERR_OK : ERR_STORE_IO;

	if (fd >= 0)
		close(fd);
	free(copy);
	return e;
}

static enum err make_file(const char *where, struct err_note *note)
{
	if (sqlite_log_left(where))
		return err_note_set(note, ERR_ALREADY_EXISTS, NULL, SQLITE_LOG_LEFT, where);
	int fd = open(where, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	enum err e = ERR_OK;

	if (fd < 0)
		return err_note_set(note, errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL : ERR_STORE_IO, NULL,
		                    "The store's file cannot be made: %s.", strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = err_note_set(note, ERR_STORE_IO, NULL, "The store's path names something that is not a file.");
	else if (st.st_size == 0 && fchmod(fd, 0600) != 0)
		e = err_note_set(note, ERR_STORE_IO, NULL, "The store's file cannot be protected: %s.", strerror(errno));
	close(fd);
	return e;
}

static enum err create(const char *where, struct db **out, struct err_note *note)
{
	struct db *db = NULL;
	enum db_contents contents;
	enum err e = make_file(where, note);

	if (e == ERR_OK)
		e = sync_folder(where);
	if (e == ERR_OK)
		e = connect_to(where, DB_WRITE, &db);
	if (e == ERR_OK)
		e = db->driver->contents(db, &contents);
	/* The journal mode stays in the file, so that another program's database must not be touched. */
	if (e == ERR_OK && contents == DB_EMPTY)
		e = script(db, "PRAGMA journal_mode=WAL");
	if (e == ERR_STORE_CORRUPT)
		e = err_note_set(note, ERR_ALREADY_EXISTS, NULL, "There is another file in the store's place.");
	if (e != ERR_OK) {
		close_db(db);
		return e;
	}
	*out = db;
	return ERR_OK;
}

static enum err look_at_file(const char *where, struct err_note *note)
{
	struct stat st;

	if (stat(where, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR
		           ? err_note_set(note, ERR_STORE_NOT_INIT, NULL, NULL)
		           : err_note_set(note, ERR_STORE_IO, NULL, "The store's file cannot be read: %s.", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_note_set(note, ERR_STORE_CORRUPT, NULL, "The store's path names something that is not a file.");
	return st.st_size == 0 ? err_note_set(note, ERR_STORE_NOT_INIT, NULL, NULL) : ERR_OK;
}

static enum err open_db(const char *where, enum db_use use, struct db **out, struct err_note *note)
{
	struct db *db = NULL;
	enum db_contents contents = DB_EMPTY;
	enum err e = look_at_file(where, note);

	if (e != ERR_OK)
		return e;
	e = connect_to(where, use, &db);
	if (e == ERR_OK)
		e = db->driver->contents(db, &contents);
	if (e == ERR_OK && contents == DB_OURS && use == DB_WRITE)
		e = script(db, "PRAGMA journal_mode=WAL"); /* a copy made with SQLite's tools may have lost it */
	if (e == ERR_OK && contents != DB_OURS)
		e = contents == DB_EMPTY ? ERR_STORE_NOT_INIT : ERR_STORE_CORRUPT;
	if (e != ERR_OK) {
		close_db(db);
		return err_note_set(note, e, NULL, contents == DB_FOREIGN ? "The file is another program's database." : NULL);
	}
	*out = db;
	return ERR_OK;
}

static enum err one_number(struct lite *l, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(l->handle, sql, -1, &st, NULL);
	enum err e;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	e = classify(l, rc);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return e;
}

static enum err contents_of(struct db *db, enum db_contents *out)
{
	int64_t application = 0, tables = 0;
	enum err e = one_number(lite_of(db), "PRAGMA application_id", &application);

	if (e == ERR_OK)
		e = one_number(lite_of(db), "SELECT count(*) FROM sqlite_schema", &tables);
	if (e == ERR_OK)
		*out = tables == 0 ? DB_EMPTY : application == APPLICATION ? DB_OURS : DB_FOREIGN;
	return e;
}

/* ---- statements ----------------------------------------------------------------------------- */

/* $1 is a name to SQLite, numbered by first appearance; ?1 is the number itself. */
static enum err translate(const char *sql, char out[SQL_MAX])
{
	size_t n = strlen(sql);

	if (n >= SQL_MAX)
		return ERR_INTERNAL;
	for (size_t i = 0; i <= n; i++)
		out[i] = sql[i] == '$' ? '?' : sql[i];
	return ERR_OK;
}

static struct db_stmt *slot_of(struct lite *l, const char *sql)
{
	size_t at = ((uintptr_t)sql >> 3) * 2654435761u;

	for (size_t i = 0; i < CACHE; i++) {
		struct db_stmt *s = &l->cache[(at + i) & (CACHE - 1)];

		if (s->sql == sql || s->sql == NULL)
			return s;
	}
	return NULL;
}

static enum err prepare(struct db *db, const char *sql, struct db_stmt **out)
{
	struct lite *l = lite_of(db);
	struct db_stmt *s = slot_of(l, sql);
	char text[SQL_MAX];
	enum err e;

	if (s == NULL || s->in_use)
		return ERR_INTERNAL;
	if (s->sql == NULL) {
		e = translate(sql, text);
		if (e == ERR_OK)
			e = classify(l, sqlite3_prepare_v3(l->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &s->st, NULL));
		if (e != ERR_OK)
			return e;
		s->lite = l;
		s->sql = sql;
	}
	s->in_use = true;
	*out = s;
	return ERR_OK;
}

static enum err bind(struct db_stmt *s, unsigned n, const struct db_value *v)
{
	const void *bytes = v->bytes.ptr != NULL ? (const void *)v->bytes.ptr : "";
	int rc = SQLITE_MISUSE;

	switch (v->type) {
	case DB_NULL:
		rc = sqlite3_bind_null(s->st, (int)n);
		break;
	case DB_INT:
		rc = sqlite3_bind_int64(s->st, (int)n, v->num);
		break;
	case DB_TEXT:
		rc = sqlite3_bind_text64(s->st, (int)n, bytes, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case DB_BLOB:
		rc = sqlite3_bind_blob64(s->st, (int)n, bytes, v->bytes.len, SQLITE_STATIC);
		break;
	}
	return classify(s->lite, rc);
}

static enum err step(struct db_stmt *s, bool *row)
{
	enum err e;
	int rc;

	errno = 0;
	rc = sqlite3_step(s->st);
	e = classify(s->lite, rc);
	*row = rc == SQLITE_ROW;
	return e;
}

static void finish(struct db_stmt *s)
{
	if (s == NULL)
		return;
	sqlite3_reset(s->st);
	sqlite3_clear_bindings(s->st);
	s->in_use = false;
}

static bool is_null(struct db_stmt *s, unsigned column)
{
	return sqlite3_column_type(s->st, (int)column) == SQLITE_NULL;
}

static int64_t column_int(struct db_stmt *s, unsigned column)
{
	return sqlite3_column_int64(s->st, (int)column);
}

static struct span column_bytes(struct db_stmt *s, unsigned column)
{
	const void *p = sqlite3_column_blob(s->st, (int)column);

	return span_of(p, (size_t)sqlite3_column_bytes(s->st, (int)column));
}

static int64_t changes(struct db *db)
{
	return sqlite3_changes64(lite_of(db)->handle);
}

static bool crowded(struct db *db)
{
	int used = 0, most = 0;

	return sqlite3_db_status(lite_of(db)->handle, SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0) == SQLITE_OK &&
	       used > CROWDED;
}

static int64_t written(struct db *db)
{
	return sqlite3_total_changes64(lite_of(db)->handle);
}

static enum err others(struct db *db, int64_t *out)
{
	struct db_stmt *s = NULL;
	bool row = false;
	enum err e = prepare(db, "PRAGMA data_version", &s);

	if (e == ERR_OK)
		e = step(s, &row);
	if (e == ERR_OK && row)
		*out = column_int(s, 0);
	finish(s);
	return e;
}

/* ---- transactions --------------------------------------------------------------------------- */

static enum err run(struct db *db, const char *sql)
{
	struct db_stmt *s = NULL;
	bool row;
	enum err e = prepare(db, sql, &s);

	if (e == ERR_OK)
		e = step(s, &row);
	finish(s);
	return e;
}

static enum err begin(struct db *db, enum db_use use)
{
	return run(db, use == DB_READ ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE");
}

static bool in_transaction(struct db *db)
{
	return sqlite3_get_autocommit(lite_of(db)->handle) == 0;
}

static void rollback(struct db *db)
{
	if (in_transaction(db) && run(db, "ROLLBACK") != ERR_OK)
		return; /* SQLite then has ended it already, or refuses every later use of the connection */
}

static enum err commit(struct db *db)
{
	return run(db, "COMMIT");
}

static enum err savepoint(struct db *db)
{
	return run(db, "SAVEPOINT job");
}

static enum err release(struct db *db)
{
	return run(db, "RELEASE job");
}

static enum err rollback_to(struct db *db)
{
	enum err e = run(db, "ROLLBACK TO job");

	return e == ERR_OK ? release(db) : e;
}

const struct db_driver driver_sqlite = {
    .migrations = schema_sqlite,
    .create = create,
    .open = open_db,
    .close = close_db,
    .contents = contents_of,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .savepoint = savepoint,
    .release = release,
    .rollback_to = rollback_to,
    .in_transaction = in_transaction,
    .script = script,
    .prepare = prepare,
    .bind = bind,
    .step = step,
    .is_null = is_null,
    .column_int = column_int,
    .column_bytes = column_bytes,
    .finish = finish,
    .changes = changes,
    .marked = "SELECT count(*) FROM sqlite_schema WHERE name = '" DB_COPY_MARK "'",
    .crowded = crowded,
    .written = written,
    .others = others,
    .claim = claim_file,
    .backup = backup_sqlite,
    .restore = restore_sqlite,
};
