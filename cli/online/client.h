/* One unary call at a time over mutual TLS. Besides this only the load generator (bench_drive.c) calls gRPC. */
#ifndef YZ_CLI_CLIENT_H
#define YZ_CLI_CLIENT_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/err.h"

struct client;

struct client_options {
	const char *server;        /* host:port */
	struct span ca, cert, key; /* PEM */
	int64_t timeout_ms;        /* of one call */
};

enum { CLIENT_MESSAGE_MAX = 64 * 1024 * 1024, CLIENT_ATTEMPTS = 3 };

/* Does not connect yet. ERR_NO_MEMORY. The PEM bytes are not needed afterwards. */
enum err client_open(const struct client_options *o, struct client **out) MUST_CHECK;
void client_close(struct client *c);

/* Why a call was refused, as the server said it (or what stands for it when the server was not reached). */
struct refusal {
	char reason[48];
	char field[64];
	char help[400];
	unsigned retry_ms; /* when to come back, by the server's word; 0: it said none */
};

/* Calls /SERVICE/METHOD and unpacks the reply into the arena. Any refusal or failure is an error other
 * than ERR_OK, with *why filled; the reason in *why is what counts. A call whose reply was lost (UNAVAILABLE) is made
 * again, with the same bytes and so the same request_id, up to CLIENT_ATTEMPTS times. */
enum err client_call(struct client *c, struct arena *a, const ProtobufCServiceDescriptor *service, const char *method,
                     const ProtobufCMessage *request, ProtobufCMessage **reply, struct refusal *why) MUST_CHECK;

#endif
