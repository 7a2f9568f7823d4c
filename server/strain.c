#include "server/strain.h"

/* 100 refusals in a tenth of a second take some five of a hundred parts of a processor. */
enum { WINDOW_MICROS = 100 * 1000, REFUSED_FEW = 100, TRY_AFTER = 50, TRIED_ENOUGH = 25 };

void strain_taken(struct strain *s)
{
	s->taken++;
}

void strain_refused(struct strain *s)
{
	s->refused++;
	if (s->refused >= TRIED_ENOUGH)
		s->trying = false;
}

static void next_window(struct strain *s, int64_t now)
{
	/* What was counted long ago, before a pause, says nothing. */
	bool fresh = now - s->since < 2 * WINDOW_MICROS;

	s->windows = fresh && s->refused >= REFUSED_FEW && s->refused > s->taken ? s->windows + 1 : 0;
	s->trying = s->windows != 0 && s->windows % TRY_AFTER == 0;
	s->since = now;
	s->taken = s->refused = 0;
}

bool strain_tight(struct strain *s, int64_t now)
{
	if (now - s->since >= WINDOW_MICROS)
		next_window(s, now);
	return s->windows != 0 && !s->trying;
}
