/* Who is let in, in which order, and how long a wait is taken to be; hints for those who are not; what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/methods.h"
#include "server/metrics.h"
#include "server/pace.h"
#include "server/refusal.h"
#include "server/strain.h"
#include "server/workers.h"
#include "store/store.h"
#include "yinzheng/v1/common.pb-c.h"
#include <pthread.h>
#include <time.h>

/* ---- pace ----------------------------------------------------------------------------------- */

static void a_pace_is_learned_from_what_goes(void **state)
{
	struct pace p = {0};
	int64_t now = 1000;

	assert_int_equal(pace_wait(&p, 100), 0); /* nothing is known: nobody is refused for it */
	for (int i = 0; i < 200; i++)
		pace_enter(&p, now);
	for (int i = 0; i < 200; i++)
		pace_leave(&p, now += 500);
	assert_int_equal(p.n, 0);
	assert_int_equal(pace_wait(&p, 10), 5000);
}

static void a_quiet_hour_tells_nothing(void **state)
{
	struct pace p = {0};
	int64_t now = 1000;

	for (int i = 0; i < 100; i++) {
		pace_enter(&p, now += 3600000000); /* one an hour, which takes 100 microseconds */
		pace_leave(&p, now += 100);
	}
	assert_int_equal(pace_wait(&p, 1), 100);
}

static void a_pace_follows_what_changes(void **state)
{
	struct pace p = {0};
	int64_t now = 0;

	for (int i = 0; i < 500; i++) {
		pace_enter(&p, now);
		pace_leave(&p, now += 100);
	}
	assert_int_equal(pace_wait(&p, 1), 100);
	for (int i = 0; i < 500; i++) {
		pace_enter(&p, now);
		pace_leave(&p, now += 10000);
	}
	assert_in_range(pace_wait(&p, 1), 9000, 10000);
}

static void a_clock_that_stands_is_no_harm(void **state)
{
	struct pace p = {0};

	for (int i = 0; i < 500; i++) {
		pace_enter(&p, 5000);
		pace_leave(&p, 4000);
	}
	assert_in_range(pace_wait(&p, 1), 0, 1);
}

/* ---- strain --------------------------------------------------------------------------------- */

enum { WINDOW = 100000, FEW = 100 };

/* A window of a tenth of a second from `now` on, with so many of each. */
static int64_t window(struct strain *s, int64_t now, int taken, int refused)
{
	(void)strain_tight(s, now);
	for (int i = 0; i < taken; i++)
		strain_taken(s);
	for (int i = 0; i < refused; i++)
		strain_refused(s);
	return now + WINDOW;
}

static void strain_is_more_than_half_refused(void **state)
{
	struct strain s = {0};
	int64_t now = window(&s, 1000000, 150, 150);

	assert_false(strain_tight(&s, now));
	now = window(&s, now, 149, 150);
	assert_false(strain_tight(&s, now - 1)); /* not before the window is over */
	assert_true(strain_tight(&s, now));
	now = window(&s, now, 10, 990);
	assert_true(strain_tight(&s, now - 1));
	assert_true(strain_tight(&s, now));
	now = window(&s, now, 900, 100); /* it lets up */
	assert_false(strain_tight(&s, now));
}

static void few_refusals_are_no_strain(void **state)
{
	struct strain s = {0};
	int64_t now = window(&s, 1000000, 0, FEW - 1);

	assert_false(strain_tight(&s, now));
	now = window(&s, now, 0, FEW);
	assert_true(strain_tight(&s, now));
}

static void strain_does_not_outlast_a_pause(void **state)
{
	struct strain s = {0};
	int64_t now = window(&s, 1000000, 0, FEW);

	assert_true(strain_tight(&s, now));
	assert_false(strain_tight(&s, now + WINDOW)); /* nobody came */
	(void)window(&s, now + 2 * WINDOW, 0, FEW);
	assert_false(strain_tight(&s, 3600000000)); /* an hour ago */
}

/* Windows of too much, until the whole limits are tried; how many, at most 200. */
static int until_tried(struct strain *s, int64_t *now)
{
	int windows = 0;

	do
		*now = window(s, *now, 50, 500);
	while (strain_tight(s, *now) && ++windows < 200);
	return windows;
}

/* Those whom only the tightened limits turn away, and who come again at once, do not keep them tightened. */
static void what_is_tight_is_loosened_for_a_try(void **state)
{
	struct strain s = {0};
	int64_t now = 1000000;

	assert_in_range(until_tried(&s, &now), 40, 60);
	for (int i = 0; i < FEW / 4 - 1; i++)
		strain_refused(&s);
	assert_false(strain_tight(&s, now));
	strain_refused(&s); /* the whole limits turn many away */
	assert_true(strain_tight(&s, now));
	assert_in_range(until_tried(&s, &now), 40, 60);
	now = window(&s, now, 500, FEW / 4 - 1); /* hardly anybody */
	assert_false(strain_tight(&s, now));
	now = window(&s, now, 500, 0);
	assert_false(strain_tight(&s, now));
}

/* ---- what the store counts is shown with the same bounds -------------------------------------- */

static void the_stores_times_have_our_bounds(void **state)
{
	for (int i = 0; i < METRICS_BUCKETS - 1; i++) {
		assert_int_equal(store_time_bounds[i], metrics_bounds[i]);
		assert_true(i == 0 || store_batch_bounds[i] > store_batch_bounds[i - 1]);
	}
}

/* ---- workers -------------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool entered, open;
	char order[64];
	size_t n;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false, "", 0};

static void wait_at_gate(struct job *j)
{
	pthread_mutex_lock(&gate.lock);
	gate.entered = true;
	pthread_cond_broadcast(&gate.changed);
	while (!gate.open)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void note(char c)
{
	pthread_mutex_lock(&gate.lock);
	gate.order[gate.n++] = c;
	pthread_mutex_unlock(&gate.lock);
}

static void run_admin(struct job *j)
{
	note('a');
}
static void run_read(struct job *j)
{
	note('r');
}
static void run_write(struct job *j)
{
	note('w');
}
static void run_resumed(struct job *j)
{
	note('+');
}

/* One worker, which stands at the gate. */
static struct workers *stopped_worker(struct job *first, const struct workers_limits *limits)
{
	struct workers *w;

	gate.entered = gate.open = false;
	gate.n = 0;
	memset(gate.order, 0, sizeof(gate.order));
	assert_int_equal(workers_start(1, limits, &w), ERR_OK);
	*first = (struct job){wait_at_gate, NULL};
	assert_int_equal(workers_submit(w, first, CLASS_READ), ERR_OK);
	pthread_mutex_lock(&gate.lock);
	while (!gate.entered)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	return w;
}

static void let_go(struct workers *w)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = true;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
	workers_stop(w);
}

static void classes_have_their_order(void **state)
{
	struct workers_limits limits = {.queue = 32, .wait_ms = 1000, .commits = 8};
	struct job first, writes[3], reads[12], admin = {run_admin, NULL}, resumed = {run_resumed, NULL};
	struct workers *w = stopped_worker(&first, &limits);

	for (int i = 0; i < 3; i++) {
		writes[i] = (struct job){run_write, NULL};
		assert_int_equal(workers_submit(w, &writes[i], CLASS_WRITE), ERR_OK);
	}
	for (int i = 0; i < 12; i++) {
		reads[i] = (struct job){run_read, NULL};
		assert_int_equal(workers_submit(w, &reads[i], CLASS_READ), ERR_OK);
	}
	assert_int_equal(workers_submit(w, &admin, CLASS_ADMIN), ERR_OK);
	workers_resume(w, &resumed);
	let_go(w);
	/* What goes on, administration, reads; a write in between, so that it does not wait for ever. */
	assert_string_equal(gate.order, "+arrrrrrrwrrrrrww");
}

/* A stream's next share is not refused because calls fill the queue; what came before it goes before it. */
static void shares_of_what_was_let_in_are_not_refused(void **state)
{
	struct workers_limits limits = {.queue = 2, .wait_ms = 1000, .commits = 8};
	struct job first, reads[2], share = {run_admin, NULL};
	struct workers *w = stopped_worker(&first, &limits);

	for (int i = 0; i < 2; i++) {
		reads[i] = (struct job){run_read, NULL};
		assert_int_equal(workers_submit(w, &reads[i], CLASS_READ), ERR_OK);
	}
	assert_int_equal(workers_admit(w, CLASS_READ), ERR_OVERLOADED);
	assert_int_equal(workers_share(w, &share, CLASS_READ), ERR_OK);
	let_go(w);
	assert_string_equal(gate.order, "rra");
}

static void every_class_has_its_own_room(void **state)
{
	struct workers_limits limits = {.queue = 2, .wait_ms = 1000, .commits = 8};
	struct job first, jobs[6];
	struct workers *w = stopped_worker(&first, &limits);
	struct workers_figures f;

	for (int c = 0; c < CLASS_COUNT; c++) {
		for (int i = 0; i < 2; i++) {
			jobs[2 * c + i] = (struct job){run_read, NULL};
			assert_int_equal(workers_submit(w, &jobs[2 * c + i], (enum call_class)c), ERR_OK);
		}
		assert_int_equal(workers_admit(w, (enum call_class)c), ERR_OVERLOADED);
	}
	workers_figures(w, &f);
	for (int c = 0; c < CLASS_COUNT; c++) {
		assert_int_equal(f.queued[c], 2);
		assert_int_equal(f.refused[c], 1);
	}
	assert_int_equal(f.busy, 1);
	let_go(w);
	assert_int_equal(gate.n, 6);
}

static void writes_on_their_way_are_bounded(void **state)
{
	struct workers_limits limits = {.queue = 32, .wait_ms = 1000, .commits = 3};
	struct job first;
	struct workers *w = stopped_worker(&first, &limits);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(workers_admit(w, CLASS_WRITE), ERR_OK);
		workers_park(w);
	}
	assert_int_equal(workers_admit(w, CLASS_WRITE), ERR_OVERLOADED);
	assert_int_equal(workers_admit(w, CLASS_READ), ERR_OK);
	assert_int_equal(workers_admit(w, CLASS_ADMIN), ERR_OK);
	workers_unpark(w);
	assert_int_equal(workers_admit(w, CLASS_WRITE), ERR_OK);
	limits.commits = 2; /* a reload */
	workers_set_limits(w, &limits);
	assert_int_equal(workers_admit(w, CLASS_WRITE), ERR_OVERLOADED);
	workers_unpark(w);
	workers_unpark(w);
	let_go(w);
}

static bool is_strained(struct workers *w)
{
	struct workers_figures f;

	workers_figures(w, &f);
	assert_false(f.strained[CLASS_READ]);
	return f.strained[CLASS_WRITE];
}

/* Six are let in, the rest not; a window later three fifths of six. What was seen while the machine stood still (a
 * window is over before its time) does not count. */
static void under_strain_fewer_writes_are_let_in(void **state)
{
	struct workers_limits limits = {.queue = 32, .wait_ms = 1000, .commits = 6};
	struct job first;
	struct workers *w = stopped_worker(&first, &limits);
	bool seen = false;

	for (int i = 0; i < 6; i++) {
		assert_int_equal(workers_admit(w, CLASS_WRITE), ERR_OK); /* a burst has all of them */
		workers_park(w);
	}
	for (int turn = 0; turn < 50 && !seen; turn++) {
		for (int i = 0; i < 2 * FEW; i++)
			assert_int_equal(workers_admit(w, CLASS_WRITE), ERR_OVERLOADED);
		nanosleep(&(struct timespec){0, 110 * 1000 * 1000}, NULL);
		workers_unpark(w);
		workers_unpark(w);
		if (is_strained(w)) {
			enum err with_four = workers_admit(w, CLASS_WRITE);
			assert_int_equal(workers_admit(w, CLASS_READ), ERR_OK); /* reads are another matter */
			assert_int_equal(workers_admit(w, CLASS_ADMIN), ERR_OK);
			seen = is_strained(w);
			assert_true(!seen || with_four == ERR_OVERLOADED);
		}
		workers_park(w);
		workers_park(w);
	}
	assert_true(seen);
	nanosleep(&(struct timespec){0, 250 * 1000 * 1000}, NULL);
	workers_unpark(w);
	assert_int_equal(workers_admit(w, CLASS_WRITE), ERR_OK); /* beside five: it has let up */
	for (int i = 0; i < 5; i++)
		workers_unpark(w);
	let_go(w);
}

static void sleep_a_little(struct job *j)
{
	nanosleep(&(struct timespec){0, 2 * 1000 * 1000}, NULL);
}

/* Two milliseconds each: when the queue has become long, more are refused, but never administration. */
static void who_would_wait_too_long_is_refused(void **state)
{
	enum { N = 300 };
	static struct job jobs[N];
	struct workers_limits limits = {.queue = 1000, .wait_ms = 40, .commits = 8};
	struct workers *w;
	unsigned in = 0, out = 0;

	assert_int_equal(workers_start(1, &limits, &w), ERR_OK);
	for (int i = 0; i < N; i++) {
		jobs[i] = (struct job){sleep_a_little, NULL};
		enum err e = workers_submit(w, &jobs[i], CLASS_READ);
		in += e == ERR_OK;
		out += e == ERR_OVERLOADED;
		nanosleep(&(struct timespec){0, 500 * 1000}, NULL); /* four times as many as it can */
	}
	assert_int_equal(in + out, N);
	assert_true(out > N / 4);
	assert_true(in > N / 10);
	assert_int_equal(workers_admit(w, CLASS_ADMIN), ERR_OK);
	workers_stop(w);
}

/* ---- methods, hints, counters --------------------------------------------------------------- */

static void methods_have_classes(void **state)
{
	unsigned n[CLASS_COUNT] = {0};

	for (size_t i = 0; i < methods_count; i++) {
		if (methods[i].use == NULL)
			continue;
		enum call_class c = method_class(&methods[i]);
		n[c]++;
		if (strcmp(methods[i].name, "Pull") == 0 || strcmp(methods[i].name, "IssueCode") == 0)
			assert_int_equal(c, CLASS_WRITE);
		if (strcmp(methods[i].name, "Verify") == 0 || strcmp(methods[i].name, "ListItems") == 0)
			assert_int_equal(c, CLASS_READ);
		if (strcmp(methods[i].name, "GetStatus") == 0 || strcmp(methods[i].name, "PutPrincipal") == 0)
			assert_int_equal(c, CLASS_ADMIN);
	}
	assert_true(n[CLASS_ADMIN] >= 4 && n[CLASS_READ] >= 5 && n[CLASS_WRITE] >= 5);
	assert_true(methods_count < METRICS_METHODS);
}

static void only_what_passes_with_time_has_a_hint(void **state)
{
	unsigned first = refusal_retry_ms(ERR_OVERLOADED), again = 0;

	for (int i = 0; i < 100; i++) {
		unsigned ms = refusal_retry_ms(ERR_OVERLOADED);
		assert_in_range(ms, RETRY_AFTER_MS, RETRY_AFTER_MS + RETRY_SPREAD_MS - 1);
		again += ms == first;
	}
	assert_true(again < 10);
	assert_true(refusal_retry_ms(ERR_PRINCIPAL_LIMIT) != 0 && refusal_retry_ms(ERR_OPERATOR_LIMIT) != 0);
	assert_int_equal(refusal_retry_ms(ERR_TOO_LARGE), 0);
	assert_int_equal(refusal_retry_ms(ERR_CODE_USED), 0);
}

static void a_hint_goes_along_as_retry_info(void **state)
{
	static const uint8_t expected[] = {10, 7, 8, 1, 16, 0x80, 0xe5, 0x9a, 0x77}; /* 1 s and 250 million ns */
	uint8_t out[RPC_DETAILS_MAX];
	size_t n = refusal_pack(ERR_OVERLOADED, NULL, 1250, out, sizeof(out));
	Yinzheng__V1__Status *s = yinzheng__v1__status__unpack(NULL, n, out);

	assert_non_null(s);
	assert_int_equal(s->n_details, 2);
	assert_string_equal(s->details[1]->type_url, "type.googleapis.com/google.rpc.RetryInfo");
	assert_int_equal(s->details[1]->value.len, 9);
	assert_memory_equal(s->details[1]->value.data, expected, sizeof(expected));
	yinzheng__v1__status__free_unpacked(s, NULL);
	n = refusal_pack(ERR_CODE_USED, NULL, 0, out, sizeof(out));
	s = yinzheng__v1__status__unpack(NULL, n, out);
	assert_int_equal(s->n_details, 1);
	yinzheng__v1__status__free_unpacked(s, NULL);
}

static void calls_are_counted_where_they_belong(void **state)
{
	struct metrics_method m;

	metrics_call(3, 0, 99);
	metrics_call(3, 0, 100);
	metrics_call(3, 8, 101);
	metrics_call(3, 8, 60 * 1000 * 1000);
	metrics_call(3, 99, 0);
	metrics_call(3, -1, 0);
	metrics_call(METRICS_METHODS, 0, 1); /* nobody's: not counted */
	metrics_method_read(3, &m);
	assert_int_equal(m.code[0], 2);
	assert_int_equal(m.code[8], 2);
	assert_int_equal(m.code[2], 2); /* UNKNOWN */
	assert_int_equal(m.seconds.bucket[0], 4);
	assert_int_equal(m.seconds.bucket[1], 1);
	assert_int_equal(m.seconds.bucket[METRICS_BUCKETS - 1], 1);
	assert_int_equal(metrics_ok(), 2);
	metrics_refused(ERR_COUNT);
	metrics_verdict(-1);
	metrics_verdict(METRICS_VERDICTS);
	metrics_method_read(METRICS_METHODS, &m);
	assert_int_equal(m.code[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pace_is_learned_from_what_goes),
	    cmocka_unit_test(a_quiet_hour_tells_nothing),
	    cmocka_unit_test(a_pace_follows_what_changes),
	    cmocka_unit_test(a_clock_that_stands_is_no_harm),
	    cmocka_unit_test(strain_is_more_than_half_refused),
	    cmocka_unit_test(few_refusals_are_no_strain),
	    cmocka_unit_test(strain_does_not_outlast_a_pause),
	    cmocka_unit_test(what_is_tight_is_loosened_for_a_try),
	    cmocka_unit_test(the_stores_times_have_our_bounds),
	    cmocka_unit_test(shares_of_what_was_let_in_are_not_refused),
	    cmocka_unit_test(classes_have_their_order),
	    cmocka_unit_test(every_class_has_its_own_room),
	    cmocka_unit_test(writes_on_their_way_are_bounded),
	    cmocka_unit_test(under_strain_fewer_writes_are_let_in),
	    cmocka_unit_test(who_would_wait_too_long_is_refused),
	    cmocka_unit_test(methods_have_classes),
	    cmocka_unit_test(only_what_passes_with_time_has_a_hint),
	    cmocka_unit_test(a_hint_goes_along_as_retry_info),
	    cmocka_unit_test(calls_are_counted_where_they_belong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
