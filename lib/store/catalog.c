#include "store/internal.h"

enum err store_catalog_put(struct store_tx *tx, enum catalog_kind k, struct catalog_row *r)
{
	int64_t version = 0;
	struct query q;
	enum err e = touch(tx, STORE_CATALOGUE, 0);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx,
	       "INSERT INTO catalog (kind, code, json, version) VALUES ($1, $2, $3, 1) ON CONFLICT (kind, code)"
	       " DO UPDATE SET json = excluded.json, version = catalog.version + 1 RETURNING version");
	q_put_int(&q, k);
	q_put_text(&q, r->code);
	q_put_blob(&q, r->json);
	while (q_next(&q)) /* to the end, so that the row is written */
		version = q_int(&q);
	e = q_close(&q);
	if (e == ERR_OK)
		r->version = (uint64_t)version;
	return e;
}

static void read_row(struct query *q, struct arena *a, struct catalog_row *r)
{
	r->code = q_text(q, a);
	r->json = q_blob(q, a);
	r->version = (uint64_t)q_int(q);
}

enum err store_catalog_get(struct store_tx *tx, struct arena *a, enum catalog_kind k, const char *code,
                           struct catalog_row *out)
{
	struct catalog_row r = {0};
	struct query q;
	bool found;
	enum err e;

	q_open(&q, tx, "SELECT code, json, version FROM catalog WHERE kind = $1 AND code = $2");
	q_put_int(&q, k);
	q_put_text(&q, code);
	found = q_next(&q);
	if (found)
		read_row(&q, a, &r);
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*out = r;
	return e;
}

enum err store_catalog_list(struct store_tx *tx, struct arena *a, enum catalog_kind k, const char *after, size_t max,
                            struct catalog_row **out, size_t *n)
{
	struct catalog_row *list = NULL;
	size_t count = 0;
	struct query q;
	enum err e;

	q_open(&q, tx, "SELECT code, json, version FROM catalog WHERE kind = $1 AND code > $2 ORDER BY code LIMIT $3");
	q_put_int(&q, k);
	q_put_text(&q, after);
	q_put_int(&q, (int64_t)page_of(max));
	while (q_next(&q)) {
		list = q_grow(&q, a, list, count, sizeof(*list));
		if (list == NULL)
			break;
		read_row(&q, a, &list[count++]);
	}
	e = q_close(&q);
	if (e == ERR_OK) {
		*out = list;
		*n = count;
	}
	return e;
}
