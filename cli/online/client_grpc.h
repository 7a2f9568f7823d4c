/* Private to the files that call gRPC: what single calls and the load generator share. */
#ifndef YZ_CLI_CLIENT_GRPC_H
#define YZ_CLI_CLIENT_GRPC_H

#include <grpc/grpc.h>
#include <grpc/status.h>
#include <stdbool.h>

#include "base/tsan.h"
#include "cli/online/client.h"

/* A channel by mutual TLS; `alone`: with a connection of its own, also when others go to the same server. NULL when
 * out of memory. After grpc_init(). */
grpc_channel *client_channel(const struct client_options *o, bool alone);
/* A call with one request and one answer. */
struct unary {
	grpc_call *call;
	grpc_byte_buffer *out, *in; /* in: NULL when there is no answer */
	grpc_metadata_array initial, trailing;
	grpc_status_code status;
	grpc_slice details;
};
/* Starts it with `call` and `out`, which it takes; `tag` comes back from the call's queue when it is over. After a
 * failure (a batch that gRPC does not take) nothing comes; unary_release() either way. */
bool unary_start(struct unary *u, grpc_call *call, grpc_byte_buffer *out, uint32_t flags, void *tag);
void unary_release(struct unary *u);
/* Why a call ended with this status (not OK): the server's own words, or what stands for them when the transport
 * failed. The arena takes what is unpacked. */
void client_explain(struct arena *a, grpc_status_code status, const grpc_metadata_array *trailing,
                    const grpc_slice *text, struct refusal *why);

#endif
