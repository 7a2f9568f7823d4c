#include "server/metrics_http.h"

#include "server/accept.h"
#include "server/metrics_text.h"
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 8, TIMEOUT_S = 5, MEMORY = 16 * 1024, HOST_MAX = 64, PORT_MAX = 8, BACKLOG = 8 };

struct metrics_http {
	struct service *service;
	struct MHD_Daemon *daemon;
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type, struct span body)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	enum MHD_Result sent = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return sent;
}

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned status, const char *text)
{
	return answer(c, status, "text/plain; charset=utf-8", span_str(text));
}

static enum MHD_Result answer_metrics(struct service *s, struct MHD_Connection *c)
{
	struct arena *a = arena_new(METRICS_TEXT_BUDGET);
	struct span text;
	enum MHD_Result sent;

	if (a != NULL && metrics_text(s, a, &text) == ERR_OK)
		sent = answer(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text);
	else
		sent = answer_text(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	arena_free(a);
	return sent;
}

/* Whoever sends a body gets its answer before it is read, and the connection is closed. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *body, size_t *body_len, void **state)
{
	struct metrics_http *m = arg;

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET /metrics\n");
	if (strcmp(url, "/metrics") != 0)
		return answer_text(c, MHD_HTTP_NOT_FOUND, "GET /metrics\n");
	return answer_metrics(m->service, c);
}

static enum err split(const char *listen, char *host, char *port, struct err_note *note)
{
	const char *colon = strrchr(listen, ':');
	size_t n = colon != NULL ? (size_t)(colon - listen) : 0;

	if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']') {
		listen++;
		n -= 2;
	}
	if (n == 0 || n >= HOST_MAX || strlen(colon + 1) == 0 || strlen(colon + 1) >= PORT_MAX ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return err_note_set(note, ERR_CONFIG_INVALID, "metrics.listen", "write host:port");
	memcpy(host, listen, n);
	host[n] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	if (strcmp(host, "localhost") == 0)
		memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
	return ERR_OK;
}

static int bound_port(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char port[PORT_MAX];

	if (getsockname(fd, (struct sockaddr *)&a, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&a, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV) != 0)
		return 0;
	return atoi(port);
}

static int listen_on(const struct addrinfo *a)
{
	int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static enum err open_listener(const char *listen, int *fd, struct err_note *note)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	                               .ai_socktype = SOCK_STREAM};
	char host[HOST_MAX], port[PORT_MAX];
	struct addrinfo *found = NULL;
	enum err e = split(listen, host, port, note);

	if (e != ERR_OK)
		return e;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return err_note_set(note, ERR_CONFIG_INVALID, "metrics.listen", "%.60s is no address", host);
	*fd = listen_on(found);
	freeaddrinfo(found);
	if (*fd < 0)
		return err_note_set(note, ERR_PORT_TAKEN, "metrics.listen", "cannot listen on %.100s: taken, or not ours",
		                    listen);
	return ERR_OK;
}

enum err metrics_http_start(struct service *s, const char *listen, struct metrics_http **out, int *port,
                            struct err_note *note)
{
	struct metrics_http *m;
	int fd = -1;
	enum err e;

	*out = NULL;
	if (*listen == '\0')
		return ERR_OK;
	if ((e = open_listener(listen, &fd, note)) != ERR_OK)
		return e;
	*port = bound_port(fd);
	accept_exempt(fd);
	m = calloc(1, sizeof(*m));
	if (m != NULL) {
		m->service = s;
		m->daemon =
		    MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, m, MHD_OPTION_LISTEN_SOCKET, fd,
		                     MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		                     (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_END);
	}
	if (m == NULL || m->daemon == NULL) {
		close(fd);
		free(m);
		return ERR_NO_MEMORY;
	}
	*out = m;
	return ERR_OK;
}

void metrics_http_stop(struct metrics_http *m)
{
	if (m == NULL)
		return;
	MHD_stop_daemon(m->daemon);
	free(m);
}
