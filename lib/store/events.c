/* The history of seals and licences. Reasons are written by people and may name them: encrypted. */
#include "store/internal.h"

#include <stdio.h>

static struct cell cell_of(const char *row)
{
	return (struct cell){"events", row, "reason", 1};
}

enum { ROW_MAX = 320 };

static enum err row_of(const char *object, unsigned sequence, char row[ROW_MAX])
{
	int n = snprintf(row, ROW_MAX, "%s/%u", object, sequence);

	return n > 0 && n < ROW_MAX ? ERR_OK : ERR_FIELD_TOO_LONG;
}

enum err events_add(struct store_tx *tx, const char *object, struct state_event *ev)
{
	struct query q;
	char row[ROW_MAX];
	enum err e = row_of(object, ev->sequence, row);

	if (e != ERR_OK)
		return e;
	ev->recorded = tx->now;
	q_open(&q, tx,
	       "INSERT INTO events (object, sequence, state, reason, effective, recorded, principal)"
	       " VALUES ($1, $2, $3, $4, $5, $6, $7)");
	q_put_text(&q, object);
	q_put_int(&q, ev->sequence);
	q_put_int(&q, ev->state);
	q_put_sealed(&q, cell_of(row), span_str(ev->reason));
	q_put_int(&q, ev->effective);
	q_put_int(&q, ev->recorded);
	q_put_text(&q, ev->principal);
	return q_later(&q);
}

static void read_event(struct query *q, struct arena *a, const char *object, struct state_event *ev)
{
	char row[ROW_MAX];

	ev->sequence = (unsigned)q_enum(q, 1, INT32_MAX);
	ev->state = q_enum(q, 1, LICENCE_EXPIRED);
	if (row_of(object, ev->sequence, row) != ERR_OK)
		q_fail(q, ERR_INTERNAL);
	ev->reason = q_sealed_text(q, a, cell_of(row));
	ev->effective = q_int(q);
	ev->recorded = q_int(q);
	ev->principal = q_text(q, a);
}

enum err events_list(struct store_tx *tx, struct arena *a, const char *object, struct state_event **out, size_t *n)
{
	struct state_event *list = NULL;
	size_t count = 0;
	struct query q;
	enum err e;

	q_open(&q, tx,
	       "SELECT sequence, state, reason, effective, recorded, principal FROM events WHERE object = $1"
	       " ORDER BY sequence");
	q_put_text(&q, object);
	while (q_next(&q)) {
		list = q_grow(&q, a, list, count, sizeof(*list));
		if (list == NULL)
			break;
		read_event(&q, a, object, &list[count++]);
	}
	e = q_close(&q);
	if (e == ERR_OK) {
		*out = list;
		*n = count;
	}
	return e;
}
