#include "server/pace.h"

enum { SAMPLE_MICROS = 50 * 1000, SAMPLE_DONE = 64, SMOOTH = 4 };

void pace_enter(struct pace *p, int64_t now)
{
	if (p->n++ == 0)
		p->since = now;
}

static void take_sample(struct pace *p)
{
	uint64_t sample = p->busy / p->done;

	if (sample == 0)
		sample = 1;
	p->interval = p->interval == 0 ? sample : (p->interval * (SMOOTH - 1) + sample) / SMOOTH;
	p->busy = p->done = 0;
}

void pace_leave(struct pace *p, int64_t now)
{
	if (now > p->since)
		p->busy += (uint64_t)(now - p->since);
	p->since = now;
	p->n--;
	p->done++;
	if (p->busy >= SAMPLE_MICROS || p->done >= SAMPLE_DONE)
		take_sample(p);
}

uint64_t pace_wait(const struct pace *p, unsigned ahead)
{
	return p->interval * ahead;
}
