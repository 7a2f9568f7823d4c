#include "server/strain.h"

enum { WINDOW_MICROS = 100 * 1000 };

void strain_taken(struct strain *s)
{
	s->taken++;
}

void strain_refused(struct strain *s)
{
	s->refused++;
}

bool strain_high(struct strain *s, int64_t now)
{
	if (now - s->since < WINDOW_MICROS)
		return s->high;
	/* What was counted long ago, before a pause, says nothing. */
	s->high = now - s->since < 2 * WINDOW_MICROS && s->refused > s->taken;
	s->since = now;
	s->taken = s->refused = 0;
	return s->high;
}
