/* Where licences come from: the local store is one source, another repository another. */
#ifndef YZ_DESK_SOURCE_H
#define YZ_DESK_SOURCE_H

#include "desk/desk.h"

struct sourced_licence {
	struct licence_row row;
	struct span file;          /* the licence file, rebuilt byte for byte */
	int64_t as_of;             /* when the source answered */
	uint64_t seal_version;     /* of the local store's seal; 0: not known at this source */
	enum seal_state seal_then; /* the seal's state at row.issued, as recorded since; 0: not known */
};

struct source {
	const char *name; /* "local" or the repository's name */
	void *arg;
	/* One licence by identifier. ERR_NOT_FOUND; ERR_SOURCE_UNAVAILABLE when it could not be asked. */
	enum err (*get)(void *arg, struct store_tx *tx, struct arena *a, const char *id, struct sourced_licence *out);
	/* A holder's licences of a type ("" all), newest first, rows only. */
	enum err (*by_holder)(void *arg, struct store_tx *tx, struct arena *a, const struct holder_key *h,
	                      const char *type_code, size_t max, struct licence_row **out, size_t *n);
};

/* The local store. With a desk as its arg it keeps seals in that desk's caches. */
struct source source_local(void);

#endif
