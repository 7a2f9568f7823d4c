/* One `yinzheng verify` as a person starts it: a new process, its files in the page cache. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench_verify.h"

enum { RUNS = 15, VERIFY_STATUS_MAX = 3 /* passed, failed, indeterminate, unsigned: judged */ };

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void become(const char *yinzheng, const struct bench_doc *doc, const char *trust, const char *at)
{
	int null = open("/dev/null", O_WRONLY);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(127);
	execl(yinzheng, yinzheng, "verify", "--json", "--trust", trust, "--at", at, doc->path, (char *)NULL);
	_exit(127);
}

struct cold cold_run(const char *yinzheng, const struct bench_doc *doc, const char *trust, const char *at)
{
	double ms[RUNS];
	long peak = 0;

	for (size_t i = 0; i < RUNS; i++) {
		struct rusage used;
		double start = now_ms();
		int status;
		pid_t child = fork();

		if (child == 0)
			become(yinzheng, doc, trust, at);
		if (child < 0 || wait4(child, &status, 0, &used) != child || !WIFEXITED(status) ||
		    WEXITSTATUS(status) > VERIFY_STATUS_MAX)
			give_up("bench: yinzheng verify cannot be run");
		ms[i] = now_ms() - start;
		peak = used.ru_maxrss > peak ? used.ru_maxrss : peak;
	}
	return (struct cold){median(ms, RUNS), (double)peak / 1024};
}
