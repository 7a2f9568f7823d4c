/* SM3 over many entries of a package, read side by side. */
#include <stdlib.h>
#include <zip.h>

#include "crypto/sm3_many.h"
#include "form/ofd_package.h"

/* As many as AVX-512 has lanes; a package of one large entry and many small ones is read no slower than by turns. */
enum { OPEN_MAX = 16, CHUNK = 16 * 1024 };

struct reading {
	struct ofd_entry *entry;
	zip_file_t *file;
	uint64_t done;
	struct sm3_ctx sm3;
	uint8_t chunk[CHUNK];
};

struct readings {
	struct ofd_package *p;
	struct ofd_entry *const *waiting;
	size_t n_waiting, n_open;
	struct reading *open[OPEN_MAX];
	/* What the open ones gave this time. */
	struct sm3_ctx *sm3[OPEN_MAX];
	struct span piece[OPEN_MAX];
};

static void open_next(struct readings *r)
{
	while (r->n_open < OPEN_MAX && r->n_waiting > 0) {
		struct reading *o = r->open[r->n_open];

		o->entry = *r->waiting++;
		o->done = 0;
		r->n_waiting--;
		sm3_start(&o->sm3);
		o->file = zip_fopen_index(r->p->zip, o->entry->index, 0);
		r->n_open += o->file != NULL;
	}
}

/* The end, with a right checksum (libzip compares it there) and all that the directory announced. */
static void keep(struct reading *o)
{
	sm3_end(&o->sm3, o->entry->digests.value[RUN_SM3]);
	o->entry->digested |= RUN_BIT(RUN_SM3);
}

/* The next piece of every open entry. Those that end here give their place to the last one. */
static size_t read_pieces(struct readings *r)
{
	size_t i = 0;

	while (i < r->n_open) {
		struct reading *o = r->open[i];
		zip_int64_t n = zip_fread(o->file, o->chunk, sizeof(o->chunk));

		if (n > 0 && (uint64_t)n <= o->entry->size - o->done) {
			o->done += (uint64_t)n;
			r->sm3[i] = &o->sm3;
			r->piece[i++] = span_of(o->chunk, (size_t)n);
			continue;
		}
		if (n == 0 && o->done == o->entry->size)
			keep(o);
		zip_fclose(o->file);
		r->n_open--;
		r->open[i] = r->open[r->n_open];
		r->open[r->n_open] = o;
	}
	return i;
}

/* The largest first, so that it does not run alone at the end; the same entry side by side. */
static int by_size(const void *x, const void *y)
{
	const struct ofd_entry *a = *(struct ofd_entry *const *)x, *b = *(struct ofd_entry *const *)y;

	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	return (a > b) - (a < b);
}

/* Each entry that is to be read, once. */
static size_t sort_out(struct ofd_entry **entries, size_t n)
{
	size_t left = 0;

	qsort(entries, n, sizeof(*entries), by_size);
	for (size_t i = 0; i < n; i++) {
		struct ofd_entry *e = entries[i];

		if (!e->broken && (e->digested & RUN_BIT(RUN_SM3)) == 0 && (left == 0 || entries[left - 1] != e))
			entries[left++] = e;
	}
	return left;
}

enum err ofd_digest_ahead(struct ofd_package *p, struct ofd_entry **entries, size_t n)
{
	struct readings r = {.p = p, .waiting = entries, .n_waiting = sort_out(entries, n)};
	struct reading *room;

	if (r.n_waiting < 2)
		return ERR_OK;
	room = malloc(OPEN_MAX * sizeof(*room));
	if (room == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < OPEN_MAX; i++)
		r.open[i] = &room[i];
	for (open_next(&r); r.n_open > 0; open_next(&r))
		sm3_add_many(r.sm3, r.piece, read_pieces(&r));
	free(room);
	return ERR_OK;
}
