/*
 * Calls in flight. A slot is one call that goes on again and again: due, (a code fetched by the wallet when the stock
 * has none), sent, answered, counted. In a closed loop the thread that took the answer starts the next call of the
 * slot; in an open loop one thread starts calls when they are due, from a list of free slots.
 */
#include <errno.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "cli/online/bench.h"
#include "cli/online/client_grpc.h"

enum { NOTE_ARENA = 64 * 1024, POLL_MS = 50, REFRESH_SECONDS = 300, CONNECT_MS = 15 * 1000, TICK_NS = 500000 };

struct connection {
	grpc_channel *channel;
	void *call[BENCH_OPS]; /* methods known to the channel */
};

struct poller {
	struct drive *d;
	grpc_completion_queue *cq;
	pthread_t thread;
};

struct slot {
	struct poller *poller;
	struct slot *next; /* free ones */
	enum bench_op op;
	bool fetching;
	struct bench_code code;
	int64_t due, sent, fetched; /* ns; fetched: how long the code took */
	struct unary unary;
};

struct drive {
	struct bench *b;
	size_t n_connections;
	struct connection *connection[BENCH_ROLES];
	size_t n_pollers, n_slots;
	struct poller *poller;
	struct slot *slot;
	atomic_size_t next_connection[BENCH_ROLES];
	/* of the phase that runs */
	const struct drive_phase *phase;
	int64_t started, from, to; /* ns */
	atomic_uint_fast64_t next_call;
	atomic_size_t in_flight;
	atomic_bool stopping, all_started;
	atomic_int_fast64_t late;
	pthread_mutex_t lock; /* of `free` */
	pthread_cond_t freed;
	struct slot *free;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- counting ------------------------------------------------------------------------------- */

static void count(struct drive *d, const struct slot *s, int64_t now, const char *reason)
{
	struct bench_stats *stats = d->phase->stats;
	int64_t when = d->phase->rate != 0 ? s->due : now;
	size_t second;

	if (stats == NULL || when < d->from || when >= d->to)
		return;
	second = (size_t)((when - d->from) / 1000000000);
	pthread_mutex_lock(&stats->lock);
	if (reason == NULL) {
		hist_add(&stats->latency[s->op], now - s->due - s->fetched);
		hist_add(&stats->answer[s->op], now - s->sent);
		hist_add(&stats->recent, now - s->due - s->fetched);
		stats->codes_beside += s->fetched != 0;
	} else {
		stats_fault(stats, s->fetching ? BENCH_SHOW : s->op, (int)s->unary.status, reason);
	}
	if (second < stats->n_seconds && reason == NULL)
		stats->seconds[second].ok[s->op]++;
	else if (second < stats->n_seconds)
		stats->seconds[second].bad++;
	pthread_mutex_unlock(&stats->lock);
}

/* ---- one call ------------------------------------------------------------------------------- */

static grpc_byte_buffer *request_bytes(const struct bench *b, enum bench_op op, const struct bench_code *c)
{
	bool redeem = op == BENCH_PULL || op == BENCH_INSPECT;
	struct span body = work_body(b, op, c->request);
	uint8_t head[HEAD_MAX];
	size_t n = work_head(op, redeem ? c->text : NULL, head);
	grpc_slice part[2] = {grpc_slice_from_copied_buffer((const char *)head, n),
	                      grpc_slice_from_static_buffer(body.ptr, body.len)};
	grpc_byte_buffer *out = grpc_raw_byte_buffer_create(part, 2);

	grpc_slice_unref(part[0]);
	grpc_slice_unref(part[1]);
	return out;
}

static void slot_send(struct slot *s)
{
	struct drive *d = s->poller->d;
	enum bench_op op = s->fetching ? BENCH_SHOW : s->op;
	enum bench_role role = bench_method(op)->role;
	struct connection *c = &d->connection[role][atomic_fetch_add(&d->next_connection[role], 1) % d->n_connections];
	gpr_timespec deadline =
	    gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(d->b->o.timeout, GPR_TIMESPAN));
	grpc_call *call;

	s->sent = now_ns();
	call = grpc_channel_create_registered_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, s->poller->cq, c->call[op],
	                                           deadline, NULL);
	/* A server that is away is waited for, not asked a million times a second. */
	if (!unary_start(&s->unary, call, request_bytes(d->b, op, &s->code), GRPC_INITIAL_METADATA_WAIT_FOR_READY, s))
		abort(); /* a batch that is wrong is wrong every time */
}

static bool read_code(struct slot *s, struct bench_code *out)
{
	grpc_byte_buffer_reader reader;
	grpc_slice all;
	bool ok;

	if (s->unary.in == NULL || !grpc_byte_buffer_reader_init(&reader, s->unary.in))
		return false;
	all = grpc_byte_buffer_reader_readall(&reader);
	ok = work_read_code(span_of(GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all)), out->text);
	grpc_slice_unref(all);
	grpc_byte_buffer_reader_destroy(&reader);
	return ok;
}

static void explain(struct slot *s, char reason[48])
{
	struct refusal why = {.reason = "INTERNAL"};
	struct arena *a = arena_new(NOTE_ARENA);

	if (a != NULL)
		client_explain(a, s->unary.status, &s->unary.trailing, &s->unary.details, &why);
	arena_free(a);
	snprintf(reason, 48, "%s", why.reason);
}

/* ---- a slot's round ------------------------------------------------------------------------- */

/* What the slot does next, due at this time. */
static void slot_start(struct slot *s, int64_t due)
{
	struct drive *d = s->poller->d;
	const struct drive_phase *p = d->phase;
	struct bench *b = d->b;

	s->due = due;
	s->fetched = 0;
	s->fetching = false;
	s->op = p->mix != NULL ? mix_at(p->mix, atomic_fetch_add(&d->next_call, 1)) : BENCH_SHOW;
	if (s->op == BENCH_VERIFY)
		s->code.request = work_next_document(b);
	else if (s->op == BENCH_SHOW)
		s->code.request = work_next_issue(b, p->mix != NULL ? BENCH_OPS : p->fill);
	else if ((s->op == BENCH_PULL || s->op == BENCH_INSPECT) && !stock_take(&b->stock[s->op], &s->code)) {
		s->fetching = true;
		s->code.request = work_next_issue(b, s->op);
	}
	slot_send(s);
}

/* The answer is here. Returns true when the slot goes on with the call that its code was fetched for. */
static bool slot_answered(struct slot *s, int64_t now)
{
	struct drive *d = s->poller->d;
	bool issued = s->fetching || s->op == BENCH_SHOW, ok = s->unary.status == GRPC_STATUS_OK;
	char reason[48] = "REPLY_INVALID";

	if (ok && issued)
		ok = read_code(s, &s->code);
	else if (!ok)
		explain(s, reason);
	if (ok && s->fetching) {
		s->fetched = now - s->sent;
		s->fetching = false;
		unary_release(&s->unary);
		slot_send(s);
		return true;
	}
	count(d, s, now, ok ? NULL : reason);
	if (ok && issued)
		stock_put(&d->b->stock[d->b->requests[s->code.request].redeemed_by], &s->code);
	unary_release(&s->unary);
	return false;
}

static bool wants_more(struct drive *d)
{
	const struct drive_phase *p = d->phase;

	if (atomic_load(&d->stopping) || p->rate != 0)
		return false;
	if (p->mix == NULL) /* one more may be under way for each call in flight: what comes too much finds no room */
		return stock_count(&d->b->stock[p->fill]) + atomic_load(&d->in_flight) <= p->wanted;
	return now_ns() < d->to;
}

static void slot_free(struct slot *s)
{
	struct drive *d = s->poller->d;

	pthread_mutex_lock(&d->lock);
	s->next = d->free;
	d->free = s;
	pthread_cond_signal(&d->freed);
	pthread_mutex_unlock(&d->lock);
}

static void *poll_loop(void *arg)
{
	struct poller *p = arg;
	struct drive *d = p->d;
	grpc_event e;

	while (!atomic_load(&d->all_started) || atomic_load(&d->in_flight) != 0) {
		e = grpc_completion_queue_next(
		    p->cq, gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(POLL_MS, GPR_TIMESPAN)), NULL);
		if (e.type != GRPC_OP_COMPLETE)
			continue;
		TAG_ACQUIRE(e.tag);
		if (slot_answered(e.tag, now_ns()))
			continue;
		if (wants_more(d)) {
			slot_start(e.tag, now_ns());
			continue;
		}
		slot_free(e.tag);
		atomic_fetch_sub(&d->in_flight, 1);
	}
	return NULL;
}

/* ---- starting calls ------------------------------------------------------------------------- */

static struct slot *take_slot(struct drive *d, int64_t until)
{
	struct timespec t = {until / 1000000000, until % 1000000000};
	struct slot *s;
	int rc = 0;

	pthread_mutex_lock(&d->lock);
	while (d->free == NULL && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&d->freed, &d->lock, &t);
	s = d->free;
	if (s != NULL)
		d->free = s->next;
	pthread_mutex_unlock(&d->lock);
	return s;
}

static void start_slot(struct drive *d, struct slot *s, int64_t due)
{
	atomic_fetch_add(&d->in_flight, 1);
	slot_start(s, due);
}

static void wait_until(int64_t ns)
{
	struct timespec t = {ns / 1000000000, ns % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* A timer for each of many calls takes more of the processor than the calls: of those that are due within half a
 * millisecond the first waits for the last. What they wait counts as latency. */
static int64_t tick_of(const struct drive *d, int64_t due)
{
	int64_t into = (due - d->started) % TICK_NS;

	return (double)d->phase->rate * (TICK_NS / 1e9) <= 1 || into == 0 ? due : due + TICK_NS - into;
}

static void *open_loop(void *arg)
{
	struct drive *d = arg;
	int64_t due, late;
	struct slot *s;

	prctl(PR_SET_TIMERSLACK, 1000); /* ns */
	for (uint64_t i = 0; !atomic_load(&d->stopping); i++) {
		due = pace_due(d->started, d->phase->rate, i);
		if (due >= d->to)
			break;
		if (now_ns() < tick_of(d, due))
			wait_until(tick_of(d, due));
		s = take_slot(d, d->to);
		if (s == NULL)
			break;
		late = now_ns() - due;
		if (due >= d->from && late > atomic_load(&d->late))
			atomic_store(&d->late, late);
		start_slot(d, s, due);
	}
	atomic_store(&d->all_started, true);
	return NULL;
}

static void closed_loop(struct drive *d)
{
	for (size_t i = 0; i < d->phase->in_flight; i++) {
		if (d->phase->mix == NULL && i >= d->phase->wanted)
			break;
		start_slot(d, take_slot(d, INT64_MAX), now_ns());
	}
	atomic_store(&d->all_started, true);
}

/* ---- a phase -------------------------------------------------------------------------------- */

static enum err make_slots(struct drive *d, size_t n)
{
	struct slot *all = calloc(n, sizeof(*all));

	if (all == NULL)
		return ERR_NO_MEMORY;
	free(d->slot);
	d->slot = all;
	d->n_slots = n;
	d->free = NULL;
	for (size_t i = 0; i < n; i++) {
		all[i].poller = &d->poller[i % d->n_pollers];
		all[i].next = d->free;
		d->free = &all[i];
	}
	return ERR_OK;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Waits for a signal for at most so long. */
static bool signalled(int64_t ns)
{
	struct timespec t = {ns / 1000000000, ns % 1000000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return sigtimedwait(&set, NULL, &t) > 0;
}

static int64_t next_step(const struct drive *d, int64_t now)
{
	int64_t step = now + 1000000000;

	if (now < d->from && step > d->from)
		step = d->from;
	return step < d->to ? step : d->to;
}

/* The leading thread: progress, the wallet's clock, the end. */
static void watch(struct drive *d, struct drive_result *out)
{
	int64_t now = now_ns(), refreshed = now;
	double cpu = cpu_seconds();
	bool measuring = now >= d->from;

	while (now < d->to && !out->interrupted && !(d->phase->mix == NULL && atomic_load(&d->in_flight) == 0)) {
		out->interrupted = signalled(d->phase->mix == NULL ? 20000000 : next_step(d, now) - now);
		now = now_ns();
		if (!measuring && now >= d->from) {
			measuring = true;
			cpu = cpu_seconds();
		}
		if (d->phase->stats != NULL)
			report_progress(d->phase, d->phase->stats, (double)(now - d->from) / 1e9);
		if (now - refreshed > (int64_t)REFRESH_SECONDS * 1000000000) {
			refreshed = now;
			if (work_refresh(d->b) != ERR_OK)
				break;
		}
	}
	out->seconds = (double)((now < d->to ? now : d->to) - d->from) / 1e9;
	out->cpu_seconds = cpu_seconds() - cpu;
}

static void phase_begin(struct drive *d, const struct drive_phase *p)
{
	d->phase = p;
	d->started = now_ns();
	d->from = d->started + (int64_t)(p->warm_up * 1e9);
	d->to = p->mix != NULL ? d->from + (int64_t)(p->duration * 1e9) : INT64_MAX;
	atomic_store(&d->next_call, 0);
	atomic_store(&d->in_flight, 0);
	atomic_store(&d->stopping, false);
	atomic_store(&d->all_started, false);
	atomic_store(&d->late, 0);
}

enum err drive_run(struct drive *d, const struct drive_phase *p, struct drive_result *out)
{
	pthread_t pacer;
	bool paced = false;
	size_t n = 0;
	enum err e = make_slots(d, p->in_flight);

	*out = (struct drive_result){0};
	if (e != ERR_OK)
		return e;
	phase_begin(d, p);
	if (p->rate == 0)
		closed_loop(d);
	else if (!(paced = pthread_create(&pacer, NULL, open_loop, d) == 0))
		return ERR_NO_MEMORY;
	for (; n < d->n_pollers; n++)
		if (pthread_create(&d->poller[n].thread, NULL, poll_loop, &d->poller[n]) != 0)
			break;
	if (n == d->n_pollers)
		watch(d, out);
	atomic_store(&d->stopping, true);
	if (paced)
		pthread_join(pacer, NULL);
	for (size_t i = 0; i < n; i++)
		pthread_join(d->poller[i].thread, NULL);
	out->late_ms = (double)atomic_load(&d->late) / 1e6;
	return n == d->n_pollers ? ERR_OK : ERR_NO_MEMORY;
}

/* ---- connections ---------------------------------------------------------------------------- */

static enum err connect_one(struct drive *d, struct connection *c, struct refusal *why)
{
	grpc_completion_queue *cq = d->poller[0].cq;
	gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(CONNECT_MS, GPR_TIMESPAN));
	grpc_connectivity_state state;

	while ((state = grpc_channel_check_connectivity_state(c->channel, 1)) != GRPC_CHANNEL_READY) {
		if (gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), until) >= 0) {
			snprintf(why->reason, sizeof(why->reason), "SERVER_UNREACHABLE");
			snprintf(why->help, sizeof(why->help), "A connection was not made within %d seconds.", CONNECT_MS / 1000);
			return ERR_SERVER_UNREACHABLE;
		}
		grpc_channel_watch_connectivity_state(c->channel, state, until, cq, c);
		(void)grpc_completion_queue_next(cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	}
	return ERR_OK;
}

static enum err open_role(struct drive *d, enum bench_role role, struct refusal *why)
{
	struct client_options o = d->b->as[role].connection;
	enum err e = ERR_OK;
	char path[160];

	d->connection[role] = calloc(d->n_connections, sizeof(**d->connection));
	if (d->connection[role] == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < d->n_connections; i++) {
		struct connection *c = &d->connection[role][i];

		if (d->b->o.servers.count != 0)
			o.server = d->b->o.servers.item[i % d->b->o.servers.count];
		c->channel = client_channel(&o, true);
		if (c->channel == NULL)
			return ERR_NO_MEMORY;
		for (int op = 0; op < BENCH_OPS; op++) {
			const struct bench_method *m = bench_method((enum bench_op)op);

			snprintf(path, sizeof(path), "/%s/%s", m->service->name, m->name);
			c->call[op] = grpc_channel_register_call(c->channel, path, NULL, NULL);
		}
		e = connect_one(d, c, why);
	}
	return e;
}

enum err drive_open(struct bench *b, struct drive **out, struct refusal *why)
{
	struct drive *d = calloc(1, sizeof(*d));
	pthread_condattr_t steady;
	enum err e = ERR_OK;

	*out = d;
	if (d == NULL)
		return ERR_NO_MEMORY;
	grpc_init();
	d->b = b;
	d->n_connections = (size_t)b->o.connections;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&d->freed, &steady);
	pthread_condattr_destroy(&steady);
	d->poller = calloc((size_t)b->o.threads, sizeof(*d->poller));
	if (d->poller == NULL)
		return ERR_NO_MEMORY;
	for (; d->n_pollers < (size_t)b->o.threads; d->n_pollers++)
		d->poller[d->n_pollers] = (struct poller){.d = d, .cq = grpc_completion_queue_create_for_next(NULL)};
	for (int role = 0; e == ERR_OK && role < BENCH_ROLES; role++)
		if (b->used[role])
			e = open_role(d, (enum bench_role)role, why);
	return e;
}

void drive_close(struct drive *d)
{
	if (d == NULL)
		return;
	for (int role = 0; role < BENCH_ROLES; role++) {
		for (size_t i = 0; d->connection[role] != NULL && i < d->n_connections; i++)
			if (d->connection[role][i].channel != NULL)
				grpc_channel_destroy(d->connection[role][i].channel);
		free(d->connection[role]);
	}
	for (size_t i = 0; i < d->n_pollers; i++) {
		grpc_completion_queue_shutdown(d->poller[i].cq);
		while (grpc_completion_queue_next(d->poller[i].cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
		       GRPC_QUEUE_SHUTDOWN)
			;
		grpc_completion_queue_destroy(d->poller[i].cq);
	}
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->freed);
	free(d->poller);
	free(d->slot);
	free(d);
	grpc_shutdown();
}
