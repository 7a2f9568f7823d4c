/* What a phase of load is counted in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/online/bench.h"

struct bench_stats *stats_new(size_t seconds)
{
	struct bench_stats *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->n_seconds = seconds;
	s->seconds = calloc(seconds + 1, sizeof(*s->seconds));
	if (s->seconds == NULL) {
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void stats_free(struct bench_stats *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->seconds);
	free(s);
}

void stats_fault(struct bench_stats *s, enum bench_op op, int status, const char *reason)
{
	struct bench_fault *f;
	size_t i;

	for (i = 0; i < s->n_faults; i++) {
		f = &s->fault[i];
		if (f->op == op && f->status == status && strcmp(f->reason, reason) == 0)
			break;
	}
	if (i == s->n_faults && i < FAULTS_MAX) {
		f = &s->fault[s->n_faults++];
		*f = (struct bench_fault){.op = op, .status = status};
		snprintf(f->reason, sizeof(f->reason), "%s", i + 1 < FAULTS_MAX ? reason : "OTHER");
	}
	s->fault[i < FAULTS_MAX ? i : FAULTS_MAX - 1].n++;
}
