#include "store/sqlite_gather.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* SQLite's VFS for Unix writes at most 0x1ffff octets at once, and does not say so. */
enum { ROOM = 124 * 1024 };
_Static_assert(ROOM <= 0x1ffff, "see above");

static const char name[] = "yinzheng-gather";

/* Behind it stands the real file. */
struct gathered {
	sqlite3_file base;
	uint8_t *held;
	int n;
	sqlite3_int64 at; /* where they belong */
	sqlite3_file real[];
};

static struct gathered *of(sqlite3_file *f)
{
	return (struct gathered *)f;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return of(f)->real;
}

static int let_go(struct gathered *g)
{
	int n = g->n;

	g->n = 0;
	return n == 0 ? SQLITE_OK : g->real->pMethods->xWrite(g->real, g->held, n, g->at);
}

static int file_close(sqlite3_file *f)
{
	int rc = let_go(of(f)), closed = real_of(f)->pMethods->xClose(real_of(f));

	free(of(f)->held);
	return rc != SQLITE_OK ? rc : closed;
}

static int file_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
	int rc = let_go(of(f));

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xRead(real_of(f), out, n, at);
}

static int file_write(sqlite3_file *f, const void *in, int n, sqlite3_int64 at)
{
	struct gathered *g = of(f);
	int rc = SQLITE_OK;

	if (at != g->at + g->n || n > ROOM - g->n)
		rc = let_go(g);
	if (rc != SQLITE_OK)
		return rc;
	if (n > ROOM)
		return g->real->pMethods->xWrite(g->real, in, n, at);
	if (g->n == 0)
		g->at = at;
	memcpy(g->held + g->n, in, (size_t)n);
	g->n += n;
	return SQLITE_OK;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = let_go(of(f));

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	int rc = let_go(of(f));

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *out)
{
	int rc = let_go(of(f));

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xFileSize(real_of(f), out);
}

static int file_lock(sqlite3_file *f, int kind)
{
	return real_of(f)->pMethods->xLock(real_of(f), kind);
}

static int file_unlock(sqlite3_file *f, int kind)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), kind);
}

static int file_reserved(sqlite3_file *f, int *out)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	int rc = let_go(of(f));

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int file_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int file_traits(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
};

/* Files that are no log are the real ones. */
static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out_flags)
{
	sqlite3_vfs *below = vfs->pAppData;
	struct gathered *g = of(f);
	int rc;

	if ((flags & SQLITE_OPEN_WAL) == 0)
		return below->xOpen(below, path, f, flags, out_flags);
	*g = (struct gathered){.held = malloc(ROOM)};
	if (g->held == NULL)
		return SQLITE_NOMEM;
	rc = below->xOpen(below, path, g->real, flags, out_flags);
	if (rc == SQLITE_OK)
		g->base.pMethods = &methods;
	else
		free(g->held);
	return rc;
}

/* SQLite keeps what is registered for as long as the process lives. */
static void make(void)
{
	static sqlite3_vfs gather;
	sqlite3_vfs *below = sqlite3_vfs_find(NULL);

	if (below == NULL)
		return;
	gather = *below;
	gather.pNext = NULL;
	gather.pAppData = below;
	gather.zName = name;
	gather.szOsFile = (int)sizeof(struct gathered) + below->szOsFile;
	gather.xOpen = open_file;
	(void)sqlite3_vfs_register(&gather, 0);
}

const char *sqlite_gather(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make);
	return sqlite3_vfs_find(name) != NULL ? name : NULL;
}
