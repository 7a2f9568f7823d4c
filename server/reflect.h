/* grpc.reflection v1 and v1alpha (the same messages) over the descriptor set of the contract, which is embedded in the
 * program. Answers list_services, file_by_filename and file_containing_symbol; NOT_FOUND for the rest. */
#ifndef YZ_SERVER_REFLECT_H
#define YZ_SERVER_REFLECT_H

#include "base/arena.h"
#include "base/err.h"
#include "server/rpc.h"

enum { REFLECT_MESSAGES_MAX = 256, REFLECT_REQUEST_MAX = 4096 };

extern const struct rpc_handler reflect_handler;
/* Does the embedded set hold exactly the services of methods.c? ERR_INTERNAL with a note: refuse to start. */
enum err reflect_check(struct err_note *note) MUST_CHECK;
/* One packed ServerReflectionRequest -> one packed response in the arena. ERR_MESSAGE_INVALID, ERR_TEXT_INVALID,
 * ERR_BUDGET. */
enum err reflect_answer(struct arena *a, struct span request, struct span *response) MUST_CHECK;

#endif
