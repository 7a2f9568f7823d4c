/* How a refusal goes over the wire: gRPC status by the error's class, and the trailer grpc-status-details-bin with a
 * yinzheng.v1.Status that holds a yinzheng.v1.Refusal {reason, field, help}. docs/api.md has the table. */
#ifndef YZ_SERVER_REFUSAL_H
#define YZ_SERVER_REFUSAL_H

#include "base/err.h"
#include "base/span.h"
#include "server/rpc.h"

enum { RETRY_AFTER_MS = 250, RETRY_SPREAD_MS = 500, RETRY_STEP_MS = 37, RETRY_LIMIT_MS = 1000 };

/* gRPC's status number; of ERR_OK 0. One status per class, but for UNIMPLEMENTED, which has its own. */
int refusal_status(enum err e);
/* "FAILED_PRECONDITION", … */
const char *refusal_status_name(int status);
/* When to ask again: goes along as the trailer retry-after-ms and as google.rpc.RetryInfo. 0: not because of the time.
 */
unsigned refusal_retry_ms(enum err e);
/* Packed Status; the bytes written, at most `max`; 0 when it does not fit. note may be NULL. */
size_t refusal_pack(enum err e, const struct err_note *note, unsigned retry_ms, uint8_t *out, size_t max);
/* Finish the call with it. */
void refuse_call(struct rpc_call *c, enum err e, const struct err_note *note);

#endif
