/* What whoever runs the host does to the store, told in the audit log as the principal "host". */
#include "base/text.h"
#include "desk/internal.h"
#include "store/backup.h"

#include <stdio.h>

struct deed {
	const char *action;
	struct arena *arena;
	struct rand rand;
	enum err (*fn)(struct store_tx *tx, struct deed *d);
	struct span master;
	uint64_t count;
};

static enum err do_and_tell(struct store_tx *tx, void *arg)
{
	struct deed *d = arg;
	char count[24];
	struct desk_fact facts[] = {{"count", count, false}};
	struct audit_head head = {
	    .time = store_tx_now(tx), .action = d->action, .principal = "host", .org_code = "", .result = "ok"};
	uint8_t leaf[SHA256_LEN];
	enum err e = d->fn(tx, d);

	if (e != ERR_OK)
		return e;
	snprintf(count, sizeof(count), "%llu", (unsigned long long)d->count);
	return audit_append(d->arena, &d->rand, tx, &head, facts, d->count != 0 ? 1 : 0, leaf);
}

static enum err deed(struct store *s, struct deed *d, struct err_note *note)
{
	enum err e;

	d->rand = rand_system();
	d->arena = arena_new(1024 * 1024);
	e = d->arena != NULL ? store_write(s, do_and_tell, d) : ERR_NO_MEMORY;
	arena_free(d->arena);
	if (note != NULL && e != ERR_OK)
		(void)err_note_set(note, e, NULL, NULL);
	return e;
}

static enum err cancel_codes(struct store_tx *tx, struct deed *d)
{
	return store_cancel_codes(tx, &d->count);
}

static enum err rewrap(struct store_tx *tx, struct deed *d)
{
	return store_rewrap(tx, d->master);
}

static enum err rewrap_finish(struct store_tx *tx, struct deed *d)
{
	(void)d;
	return store_rewrap_finish(tx);
}

enum err desk_restored(struct store *s, uint64_t *cancelled, struct err_note *note)
{
	struct deed d = {.action = "store.restore", .fn = cancel_codes};
	enum err e = deed(s, &d, note);

	if (e == ERR_OK)
		*cancelled = d.count;
	return e;
}

enum err desk_rewrap(struct store *s, struct span master, struct err_note *note)
{
	struct deed d = {.action = "key.change", .fn = rewrap, .master = master};
	enum err e = deed(s, &d, note);

	if (e == ERR_ALREADY_EXISTS)
		return err_note_set(note, e, NULL, "The change before this one is not finished: yinzhengd rotate-key --finish");
	return e;
}

enum err desk_rewrap_finish(struct store *s, struct err_note *note)
{
	struct deed d = {.action = "key.finish", .fn = rewrap_finish};
	enum err e = deed(s, &d, note);

	if (e == ERR_NOT_FOUND)
		return err_note_set(note, e, NULL, "No change of the master key is under way.");
	return e;
}
