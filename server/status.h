/* AdminService.GetStatus: the one use case that is the server's own, because it tells about the server. */
#ifndef YZ_SERVER_STATUS_H
#define YZ_SERVER_STATUS_H

#include "desk/desk.h"
#include "server/wire.h"

extern const struct use_case use_status_get;
enum err decode_status_get(struct desk_call *call, const ProtobufCMessage *m);
enum err encode_status_get(struct desk_call *call, ProtobufCMessage **out);

#endif
