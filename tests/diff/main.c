/*
 * Our SM2 beside OpenSSL's on random and ill-natured inputs.
 *
 *	diff_sm2 [cases] [processes] [seed] [part]
 *
 * Each process does its share of every part with its own numbers and prints its progress; the same arguments give the
 * same run. The exit status is 0 when nothing differed.
 */
#include "tests/diff/diff.h"
#include "tests/diff/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SHOWN = 20, PROCESSES_MAX = 64 };

/* Rounds of a part for one signature verified. A round of field or scalar is some hundred comparisons. */
static const struct part {
	const char *name;
	void (*run)(struct diff *d);
	uint64_t times, per;
} parts[] = {
    {"field", diff_field, 1, 4}, {"scalar", diff_scalar, 1, 8}, {"lanes", diff_lanes, 1, 16},
    {"point", diff_point, 1, 8}, {"sign", diff_sign, 1, 40},    {"verify", diff_verify, 1, 1},
};

void diff_check(struct diff *d, bool same, const char *what, const uint64_t *const *inputs, int n_inputs)
{
	if (same)
		return;
	if (d->wrong++ >= SHOWN)
		return;
	printf("DIFFERS: %s\n", what);
	for (int i = 0; i < n_inputs; i++)
		printf("  %016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "\n", inputs[i][3], inputs[i][2], inputs[i][1],
		       inputs[i][0]);
	fflush(stdout); /* seen even when the run is stopped */
}

void diff_step(struct diff *d)
{
	d->done++;
	if (d->quiet || d->done % (d->rounds / 10 + 1) != 0)
		return;
	printf("%7s: %" PRIu64 " of %" PRIu64 "\n", d->part, d->done, d->rounds);
	fflush(stdout);
}

const char *diff_path(unsigned i)
{
	return judge_path(i);
}

/* All parts, or the one that is named. */
static int run(uint64_t cases, uint64_t seed, const char *only, bool quiet)
{
	uint64_t wrong = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct diff d = {{seed * 1000 + i}, cases * parts[i].times / parts[i].per, 0, 0, 0, quiet, parts[i].name};
		time_t start = time(NULL);

		if (only != NULL && strcmp(only, parts[i].name) != 0)
			continue;
		parts[i].run(&d);
		printf("%7s: %" PRIu64 " rounds, %" PRIu64 " good signatures, %" PRIu64 " differences, %ld s\n", d.part, d.done,
		       d.valid, d.wrong, (long)(time(NULL) - start));
		fflush(stdout);
		wrong += d.wrong;
	}
	return wrong == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	unsigned long processes = argc > 2 ? strtoul(argv[2], NULL, 10) : 2;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	int status, bad = 0;

	if (cases == 0 || processes == 0 || processes > PROCESSES_MAX) {
		fprintf(stderr, "usage: diff_sm2 [cases] [processes] [seed] [field, scalar, lanes, point, sign or verify]\n");
		return 2;
	}
	for (unsigned path = 0; judge_path(path) != NULL; path++)
		printf("path: %s\n", judge_path(path));
	fflush(stdout);
	for (unsigned long i = 0; i < processes; i++) {
		pid_t child = fork();

		if (child < 0)
			return 2;
		if (child == 0)
			exit(run((cases + processes - 1) / processes, seed * PROCESSES_MAX + i, argc > 4 ? argv[4] : NULL, i != 0));
	}
	while (wait(&status) > 0)
		bad |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	printf("%s\n", bad ? "diff-sm2: DIFFERENCES" : "diff-sm2: no difference");
	return bad;
}
