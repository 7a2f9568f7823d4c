/* Protobuf messages <-> JSON by descriptor: names as in the contract, enums by name, bytes in base64. */
#ifndef YZ_CLI_PBJSON_H
#define YZ_CLI_PBJSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/err.h"

/* Empty texts, zeros and empty lists are written too, so that programs find every field. NULL when out of memory. */
json_t *pb_to_json(const ProtobufCMessage *m);
/* A message in the arena. Unknown keys, wrong kinds and numbers out of range are ERR_FIELD_INVALID, with the key in the
 * note. Enum values are taken by full name, or by the part after the enum's prefix in any case ("use"). */
enum err pb_from_json(struct arena *a, const ProtobufCMessageDescriptor *d, const json_t *json, ProtobufCMessage **out,
                      struct err_note *note) MUST_CHECK;
/* For people: "name: value" lines, indented, without what is empty. */
void pb_print(const ProtobufCMessage *m, int indent);

#endif
