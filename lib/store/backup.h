/*
 * What an operator does with a whole store: copy it while it is in use, put a copy back, look through it, wrap its keys
 * anew. The verbs of the service are in store.h.
 */
#ifndef YZ_STORE_BACKUP_H
#define YZ_STORE_BACKUP_H

#include "store/store.h"

/* How far a long work is; `total` is 0 when it is not known. Called about ten times a second at most. */
typedef void store_progress(void *arg, uint64_t done, uint64_t total);
struct store_watch {
	store_progress *progress; /* may be NULL */
	void *arg;
};

/* One moment of the store that `url` names, into a new file (mode 0600), while servers go on. The personal values in it
 * are as encrypted as in the store: it is of no use without the master key, which is not in it.
 * ERR_ALREADY_EXISTS when the file exists; ERR_FILE_UNWRITABLE, ERR_STORE_FULL, ERR_STORE_NOT_INIT, ERR_STORE_CORRUPT.
 */
enum err store_backup(const char *url, const char *path, struct store_watch watch, struct err_note *note) MUST_CHECK;

struct store_claim;
/* Such a file becomes the store. ERR_ALREADY_EXISTS when there is a store in this place: it is not touched.
 * Nothing is in the store's place before the copy is whole and on disk.
 * The restored store is behind what the lost one had answered: call store_cancel_codes() before it serves. It is marked
 * until then, so that whoever opens it after a stop in between knows by store_is_copy(). Until store_unclaim(*out) no
 * server can begin to serve it; open it without store_options.serves meanwhile.
 * ERR_ALREADY_EXISTS also when the log of a store that is gone lies there, which would be mixed with the copy.
 * ERR_STORE_SERVED when one does, even if somebody took its file away. *out is NULL where several may serve. */
enum err store_restore(const char *url, const char *path, struct store_watch watch, struct store_claim **out,
                       struct err_note *note) MUST_CHECK;
/* From here on others may serve the store. */
void store_unclaim(struct store_claim *c);

/* Whether the store was, when it was opened, a copy put in place whose codes were not cancelled. */
bool store_is_copy(const struct store *s);
/* After store_restore: takes away the mark, and cancels every code that is open, because the lost store may have seen
 * its use. *n: how many. */
enum err store_cancel_codes(struct store_tx *tx, uint64_t *n) MUST_CHECK;

/* Everything in the store, row by row: values decrypt in their place, hashes fit, references lead somewhere, histories
 * and audit indexes have no gap. Runs beside a serving store, on one snapshot per page of rows. */
struct store_check {
	struct store_watch watch;
	/* What is wrong, in words, without personal values; `row` names it by hash, id or index. Never NULL. */
	void (*fault)(void *arg, const char *table, const char *row, const char *what);
	void *arg;
	/* out */
	uint64_t seals, licences, codes, receipts, audit, faults;
};
/* ERR_OK also when faults were found: see c->faults. */
enum err store_check(struct store *s, struct store_check *c) MUST_CHECK;

/* Wrap the store's keys by another master key. The one before still opens the store until store_rewrap_finish(), so
 * that a stop between this and the change of the key's file, or another server with the old file, locks nobody out.
 * ERR_ALREADY_EXISTS when an earlier change was not finished. */
enum err store_rewrap(struct store_tx *tx, struct span master) MUST_CHECK;
/* ERR_NOT_FOUND when no change is under way. */
enum err store_rewrap_finish(struct store_tx *tx) MUST_CHECK;

#endif
