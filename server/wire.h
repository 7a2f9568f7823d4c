/* Messages as received, before and while protobuf-c takes them: it has no limits of its own, does not check UTF-8, and
 * cuts strings at NUL. */
#ifndef YZ_SERVER_WIRE_H
#define YZ_SERVER_WIRE_H

#include "base/arena.h"
#include "base/err.h"
#include <protobuf-c/protobuf-c.h>

enum { WIRE_TEXT_MAX = 8 * 1024, WIRE_DEPTH_MAX = 8 };

/*
 * Walk the raw message along its descriptor:
 *   ERR_MESSAGE_INVALID  not well-formed, or deeper than the contract can be
 *   ERR_TEXT_INVALID     a string that is not clean text (base/text.h); what was scanned (the field `code` of a
 *                        request) may end in CR or LF, as scan guns do
 *   ERR_FIELD_TOO_LONG   a string above WIRE_TEXT_MAX
 *   ERR_FIELD_INVALID    a number that its enum does not have
 * The note names the field by its path, e.g. "principal.keys[2].not_before". Unknown fields are skipped.
 */
enum err wire_check(const ProtobufCMessageDescriptor *d, struct span raw, struct err_note *note) MUST_CHECK;

/* Check, then unpack into the arena. ERR_BUDGET when it does not fit into it. */
enum err wire_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, struct span raw, ProtobufCMessage **out,
                     struct err_note *note) MUST_CHECK;
/* Without the check: what we packed ourselves. ERR_MESSAGE_INVALID, ERR_BUDGET. */
enum err wire_unpack_own(struct arena *a, const ProtobufCMessageDescriptor *d, struct span raw,
                         ProtobufCMessage **out) MUST_CHECK;
enum err wire_pack(struct arena *a, const ProtobufCMessage *m, struct span *out) MUST_CHECK;

/* One element of a raw message. */
struct wire_element {
	uint32_t id;
	unsigned type;    /* ProtobufCWireType */
	uint64_t number;  /* of a varint */
	struct span body; /* of the others */
};
/* Takes the next one off `in`; false when it is not well-formed. */
bool wire_next(struct span *in, struct wire_element *e);

/* A message's field by name and type; NULL when it has none. */
const ProtobufCFieldDescriptor *wire_field(const ProtobufCMessageDescriptor *d, const char *name, ProtobufCType type);
/* Does a message type contain itself? */
bool wire_recursive(const ProtobufCMessageDescriptor *d);

#endif
