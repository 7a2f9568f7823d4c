#include "server/health.h"

#include "base/arena.h"
#include "base/clock.h"
#include "grpc/health/v1/health.pb-c.h"
#include "server/accept.h"
#include "server/house.h"
#include "server/log.h"
#include "server/methods.h"
#include "server/notify.h"
#include "server/refusal.h"
#include "server/service.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVING         GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

enum { REQUEST_BUDGET = 64 * 1024, BACKLOG = 8, WATCHERS_MAX = 512, PART_ALL = -1, PART_UNKNOWN = -2 };

static const char *const part_names[HEALTH_PARTS] = {"store", "writer", "receipt-key", "sequencer"};

/* A parked Watch call. */
struct watcher {
	struct rpc_call *call;
	int part; /* enum health_part, or PART_… */
	int sent; /* last status sent; -1 none */
	struct watcher *prev, *next;
};

/* A write that changes nothing, on its way through the writer. Two hold it: the thread, and the store until done. */
struct probe {
	atomic_uint refs;
	atomic_bool back;
	enum err result;
	int64_t sent;
};

struct health {
	struct service *service;
	char *socket_path;
	pthread_mutex_t lock;
	const char *faults[HEALTH_PARTS];   /* of the last check; NULL: well */
	int64_t checked;                    /* clock_monotonic_ms() of it */
	atomic_int_least64_t commit_failed; /* the same of the last commit that failed for want of disk; 0: never */
	bool leaving;
	struct watcher *watchers;
	unsigned n_watchers;
	/* the thread's */
	pthread_t thread;
	int wake, listener;
	int64_t next_check;
	struct house *house;
	struct probe *probe;
	uint64_t shed; /* connections closed, as last told */
};

/* ---- the verdict ---------------------------------------------------------------------------- */

const char *health_part_name(enum health_part part)
{
	return part_names[part];
}

static const char *fault_locked(const struct health *h, int part)
{
	if (h->leaving)
		return "stopping";
	/* A check that hangs is a fault too. */
	if (clock_monotonic_ms() - h->checked > HEALTH_STALE_MS)
		return "the last check is too old";
	if (part >= 0)
		return h->faults[part];
	for (int i = 0; i < HEALTH_PARTS; i++)
		if (h->faults[i] != NULL)
			return h->faults[i];
	return NULL;
}

static const char *fault_of(struct health *h, int part)
{
	pthread_mutex_lock(&h->lock);
	const char *fault = fault_locked(h, part);
	pthread_mutex_unlock(&h->lock);
	return fault;
}

const char *health_fault(struct health *h)
{
	return fault_of(h, PART_ALL);
}

const char *health_part_fault(struct health *h, enum health_part part)
{
	return fault_of(h, (int)part);
}

void health_committed(struct health *h, enum err result)
{
	if (result == ERR_STORE_FULL || result == ERR_STORE_IO)
		atomic_store(&h->commit_failed, clock_monotonic_ms());
}

static void probe_unref(struct probe *p)
{
	if (p != NULL && atomic_fetch_sub(&p->refs, 1) == 1)
		free(p);
}

/* Refused on purpose: the transaction is undone, and nothing goes to the disk. */
static enum err probe_nothing(struct store_tx *tx, void *arg)
{
	return ERR_NOT_FOUND;
}

static void probe_done(void *arg, enum err result)
{
	struct probe *p = arg;

	p->result = result;
	atomic_store(&p->back, true);
	probe_unref(p);
}

static void probe_send(struct health *h)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return;
	atomic_init(&p->refs, 2);
	p->sent = clock_monotonic_ms();
	enum err e = store_submit(h->service->store, probe_nothing, p, probe_done);
	if (e != ERR_OK) {
		p->result = e;
		atomic_store(&p->back, true);
		probe_unref(p);
	}
	h->probe = p;
}

/* What became of the probe of last time; and the next one. */
static const char *examine_writer(struct health *h)
{
	int64_t failed = atomic_load(&h->commit_failed);
	const char *fault = h->faults[HEALTH_WRITER];

	if (h->probe != NULL && atomic_load(&h->probe->back)) {
		fault = h->probe->result == ERR_NOT_FOUND ? NULL : "the store takes no writes";
		probe_unref(h->probe);
		h->probe = NULL;
	} else if (h->probe != NULL && clock_monotonic_ms() - h->probe->sent > COMMIT_FAULT_MS) {
		fault = "the writer does not come back";
	}
	if (h->probe == NULL)
		probe_send(h);
	if (failed != 0 && clock_monotonic_ms() - failed < COMMIT_FAULT_MS)
		fault = "commits fail for want of disk";
	return fault;
}

static const char *examine_receipt_key(struct health *h)
{
	static const char probe[] = "yinzheng health";
	struct app *app = service_app(h->service);
	uint8_t sig[SM2_SIG_MAX];
	size_t n;
	enum err e = signer_sign(app->receipt.signer, span_str(probe), sig, &n);

	app_unref(app);
	return e == ERR_OK ? NULL : "the receipt key does not sign";
}

/* Another server takes over within a few seconds when the one that numbers dies. */
static const char *examine_sequencer(struct health *h)
{
	struct store_figures f;

	store_figures(h->service->store, &f);
	return f.unnumbered_ms <= SEQUENCER_FAULT_MS ? NULL : "audit entries wait for their numbers";
}

/* ---- watchers ------------------------------------------------------------------------------- */

static struct span pack_status(int status, uint8_t out[16])
{
	Grpc__Health__V1__HealthCheckResponse r = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	r.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
	return span_of(out, grpc__health__v1__health_check_response__pack(&r, out));
}

/* h->lock is held. A message that is still on its way is followed up from sent(). */
static void tell(struct health *h, struct watcher *w)
{
	uint8_t buf[16];
	int status = SERVICE_UNKNOWN;

	if (w->part != PART_UNKNOWN)
		status = fault_locked(h, w->part) == NULL ? SERVING : NOT_SERVING;

	if (status != w->sent && rpc_send(w->call, pack_status(status, buf)))
		w->sent = status;
}

static void tell_all(struct health *h)
{
	pthread_mutex_lock(&h->lock);
	for (struct watcher *w = h->watchers; w != NULL; w = w->next)
		tell(h, w);
	pthread_mutex_unlock(&h->lock);
}

static int part_of(const char *name)
{
	if (*name == '\0')
		return PART_ALL;
	for (int i = 0; i < HEALTH_PARTS; i++)
		if (strcmp(part_names[i], name) == 0)
			return i;
	for (size_t i = 0; i < services_count; i++)
		if (strcmp(services[i]->name, name) == 0)
			return PART_ALL;
	return PART_UNKNOWN;
}

/* What was asked for, or PART_UNKNOWN; ERR_MESSAGE_INVALID etc. */
static enum err read_request(struct rpc_call *c, int *part, struct err_note *note)
{
	const struct method *m = rpc_route_of(c)->row;
	ProtobufCMessage *msg = NULL;
	struct span raw;
	enum err e;

	if (!rpc_request(c, &raw))
		return ERR_MESSAGE_INVALID;
	if (raw.len > m->max_request)
		return ERR_TOO_LARGE;
	*part = PART_ALL;
	if (raw.len == 0) /* what is asked most */
		return ERR_OK;
	struct arena *a = arena_new(REQUEST_BUDGET);
	if (a == NULL)
		return ERR_NO_MEMORY;
	e = wire_unpack(a, &grpc__health__v1__health_check_request__descriptor, raw, &msg, note);
	if (e == ERR_OK)
		*part = part_of(((Grpc__Health__V1__HealthCheckRequest *)msg)->service);
	arena_free(a);
	return e;
}

static void check_start(struct rpc_call *c)
{
	struct service *s = rpc_env(c);
	struct err_note note = {0};
	int part = PART_ALL;
	uint8_t buf[16];
	enum err e = read_request(c, &part, &note);

	if (e == ERR_OK && part == PART_UNKNOWN)
		e = err_note_set(&note, ERR_NOT_FOUND, "service", "This server has no such service.");
	if (e != ERR_OK) {
		refuse_call(c, e, &note);
		return;
	}
	struct span reply = pack_status(fault_of(s->health, part) == NULL ? SERVING : NOT_SERVING, buf);
	memcpy(rpc_reply_room(c, reply.len), buf, reply.len);
	rpc_reply(c);
}

static void watch_start(struct rpc_call *c)
{
	struct health *h = ((struct service *)rpc_env(c))->health;
	struct watcher *w = calloc(1, sizeof(*w));
	struct err_note note = {0};
	enum err e = w != NULL ? read_request(c, &w->part, &note) : ERR_NO_MEMORY;

	if (e != ERR_OK) {
		free(w);
		refuse_call(c, e, &note);
		return;
	}
	w->call = c;
	w->sent = -1;
	pthread_mutex_lock(&h->lock);
	if (h->n_watchers == WATCHERS_MAX) { /* each is kept for as long as its client likes */
		pthread_mutex_unlock(&h->lock);
		free(w);
		refuse_call(c, ERR_OVERLOADED, NULL);
		return;
	}
	h->n_watchers++;
	rpc_set_user(c, w);
	w->next = h->watchers;
	if (w->next != NULL)
		w->next->prev = w;
	h->watchers = w;
	tell(h, w);
	pthread_mutex_unlock(&h->lock);
}

static void watch_sent(struct rpc_call *c)
{
	struct health *h = ((struct service *)rpc_env(c))->health;

	pthread_mutex_lock(&h->lock);
	struct watcher *w = rpc_user(c);
	if (w != NULL) /* else closed() was faster */
		tell(h, w);
	pthread_mutex_unlock(&h->lock);
}

static void watch_closed(struct rpc_call *c)
{
	struct health *h = ((struct service *)rpc_env(c))->health;

	pthread_mutex_lock(&h->lock);
	struct watcher *w = rpc_user(c);
	if (w != NULL) {
		if (w->prev != NULL)
			w->prev->next = w->next;
		else
			h->watchers = w->next;
		if (w->next != NULL)
			w->next->prev = w->prev;
		h->n_watchers--;
		rpc_set_user(c, NULL);
	}
	pthread_mutex_unlock(&h->lock);
	free(w);
}

const struct rpc_handler health_check_handler = {.start = check_start};
const struct rpc_handler health_watch_handler = {.start = watch_start, .sent = watch_sent, .closed = watch_closed};

/* ---- the thread ----------------------------------------------------------------------------- */

static void judge(struct health *h)
{
	const char *now[HEALTH_PARTS], *before[HEALTH_PARTS];

	now[HEALTH_STORE] = store_ping(h->service->store) == ERR_OK ? NULL : "the store does not answer";
	now[HEALTH_WRITER] = examine_writer(h);
	now[HEALTH_SEQUENCER] = examine_sequencer(h);
	now[HEALTH_RECEIPT_KEY] = examine_receipt_key(h);
	pthread_mutex_lock(&h->lock);
	memcpy(before, h->faults, sizeof(before));
	memcpy(h->faults, now, sizeof(now));
	h->checked = clock_monotonic_ms();
	pthread_mutex_unlock(&h->lock);
	for (int i = 0; i < HEALTH_PARTS; i++)
		if (now[i] != before[i])
			log_event(now[i] != NULL ? LOG_ERROR : LOG_INFO, "health", LOG_TEXT("part", part_names[i]),
			          LOG_TEXT("status", now[i] == NULL ? "serving" : "not serving"),
			          LOG_TEXT("why", now[i] != NULL ? now[i] : ""));
	tell_all(h);
	notify_health(health_fault(h));
}

/* Connections are closed faster than lines should be written: told once a period. */
static void tell_shed(struct health *h)
{
	uint64_t shed = accept_shed();

	if (shed != h->shed)
		log_event(LOG_WARN, "connections", LOG_TEXT("reason", err_name(ERR_OVERLOADED)),
		          LOG_INT("closed", shed - h->shed));
	h->shed = shed;
}

/* What is due now, and in how many ms something will be. */
static int keep_house(struct health *h)
{
	int64_t now = clock_monotonic_ms();

	if (now >= h->next_check) {
		judge(h);
		tell_shed(h);
		desk_caches_age(h->service->caches, now);
		now = clock_monotonic_ms();
		h->next_check = now + HEALTH_PERIOD_MS;
	}
	int64_t next_house = house_keep(h->house, now);
	return (int)((h->next_check < next_house ? h->next_check : next_house) - now);
}

static void greet(struct health *h)
{
	char line[128];
	int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	const char *fault = health_fault(h);
	int n = fault == NULL ? snprintf(line, sizeof(line), "ok yinzhengd %s\n", YZ_VERSION)
	                      : snprintf(line, sizeof(line), "not serving: %s\n", fault);
	ssize_t ignored = send(fd, line, (size_t)n, MSG_NOSIGNAL);
	(void)ignored;
	close(fd);
}

static void *health_loop(void *arg)
{
	struct health *h = arg;

	pthread_setname_np(pthread_self(), "yz-health");
	for (;;) {
		struct pollfd fds[] = {{h->wake, POLLIN, 0}, {h->listener, POLLIN, 0}};
		int wait = keep_house(h);
		if (poll(fds, h->listener >= 0 ? 2 : 1, wait) < 0 && errno != EINTR)
			return NULL;
		if ((fds[0].revents & POLLIN) != 0)
			return NULL;
		if ((fds[1].revents & POLLIN) != 0)
			greet(h);
	}
}

/* A socket left over by a server that was killed is replaced; one that lives keeps its own. */
static bool is_answered(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 && (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

static enum err listen_unix(struct health *h, struct err_note *note)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;

	if (*h->socket_path == '\0')
		return ERR_OK;
	if (strlen(h->socket_path) >= sizeof(addr.sun_path))
		return err_note_set(note, ERR_CONFIG_INVALID, "server.health_socket", "the path is too long for a socket");
	memcpy(addr.sun_path, h->socket_path, strlen(h->socket_path));
	if (is_answered(&addr))
		return err_note_set(note, ERR_PORT_TAKEN, "server.health_socket", "another server answers on %.100s",
		                    h->socket_path);
	if (lstat(h->socket_path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(h->socket_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, BACKLOG) != 0) {
		int why = errno;
		if (fd >= 0)
			close(fd);
		return err_note_set(note, ERR_FILE_UNWRITABLE, "server.health_socket", "%.100s: %.60s", h->socket_path,
		                    strerrordesc_np(why));
	}
	h->listener = fd; /* from here on the file is ours to remove */
	accept_exempt(fd);
	return ERR_OK;
}

static void health_free(struct health *h)
{
	if (h->listener >= 0) {
		close(h->listener);
		unlink(h->socket_path);
	}
	if (h->wake >= 0)
		close(h->wake);
	probe_unref(h->probe);
	house_free(h->house);
	free(h->socket_path);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

enum err health_start(struct service *s, const char *socket_path, struct health **out, struct err_note *note)
{
	struct health *h = calloc(1, sizeof(*h));
	enum err e;

	if (h == NULL)
		return ERR_NO_MEMORY;
	h->service = s;
	h->socket_path = strdup(socket_path); /* the configuration may be exchanged */
	h->listener = -1;
	h->wake = eventfd(0, EFD_CLOEXEC);
	h->house = house_new(s);
	pthread_mutex_init(&h->lock, NULL);
	if ((e = h->wake >= 0 && h->socket_path != NULL && h->house != NULL ? listen_unix(h, note) : ERR_NO_MEMORY) !=
	    ERR_OK)
		goto out;
	judge(h);
	h->next_check = clock_monotonic_ms() + HEALTH_PERIOD_MS;
	if (pthread_create(&h->thread, NULL, health_loop, h) != 0) {
		e = ERR_NO_MEMORY;
		goto out;
	}
	*out = h;
out:
	if (e != ERR_OK)
		health_free(h);
	return e;
}

void health_leave(struct health *h)
{
	pthread_mutex_lock(&h->lock);
	h->leaving = true;
	pthread_mutex_unlock(&h->lock);
	tell_all(h);
}

void health_stop(struct health *h)
{
	uint64_t one = 1;

	if (h == NULL)
		return;
	ssize_t ignored = write(h->wake, &one, sizeof(one));
	(void)ignored;
	pthread_join(h->thread, NULL);
	health_free(h);
}
