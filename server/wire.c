#include "server/wire.h"

#include "base/text.h"
#include <stdio.h>

enum { FIELD_PATH = 64 };

/* Where we are: the path is only needed for a refusal. */
struct place {
	const struct place *up;
	const ProtobufCFieldDescriptor *field;
	unsigned index; /* among the same field's occurrences so far */
};

static size_t path_write(const struct place *p, char *out, size_t n)
{
	if (p == NULL)
		return 0;
	size_t at = path_write(p->up, out, n);
	int len;

	if (at >= n)
		return n;
	if (p->field->label == PROTOBUF_C_LABEL_REPEATED)
		len = snprintf(out + at, n - at, "%s%s[%u]", at != 0 ? "." : "", p->field->name, p->index);
	else
		len = snprintf(out + at, n - at, "%s%s", at != 0 ? "." : "", p->field->name);
	return len < 0 ? at : at + (size_t)len;
}

static enum err refuse(struct err_note *note, enum err e, const struct place *p, const char *help)
{
	char path[FIELD_PATH] = "";

	path_write(p, path, sizeof(path));
	return err_note_set(note, e, path, "%s", help);
}

static enum err refuse_plain(struct err_note *note, enum err e, const struct place *p)
{
	return refuse(note, e, p, err_help(e));
}

/* At most ten bytes, as protobuf-c reads them. */
static bool read_varint(struct span *in, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < in->len && i < 10; i++) {
		v |= (uint64_t)(in->ptr[i] & 0x7f) << (7 * i);
		if ((in->ptr[i] & 0x80) == 0) {
			*in = span_sub(*in, i + 1, in->len);
			*out = v;
			return true;
		}
	}
	return false;
}

bool wire_next(struct span *in, struct wire_element *e)
{
	uint64_t tag, len;

	if (!read_varint(in, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return false;
	e->id = (uint32_t)(tag >> 3);
	e->type = tag & 7;
	switch (e->type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		return read_varint(in, &e->number);
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		len = 8;
		break;
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		len = 4;
		break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		if (!read_varint(in, &len))
			return false;
		break;
	default:
		return false;
	}
	if (len > in->len)
		return false;
	e->body = span_sub(*in, 0, (size_t)len);
	*in = span_sub(*in, (size_t)len, in->len);
	return true;
}

/* A request's own field `code` is what a scan gun delivered, line end included. */
static struct span scanned_part(const struct place *p, struct span s)
{
	if (p->up != NULL || strcmp(p->field->name, "code") != 0)
		return s;
	while (s.len != 0 && (s.ptr[s.len - 1] == '\r' || s.ptr[s.len - 1] == '\n'))
		s.len--;
	return s;
}

static enum err check_text(const struct place *p, struct span s, struct err_note *note)
{
	if (s.len > WIRE_TEXT_MAX)
		return refuse_plain(note, ERR_FIELD_TOO_LONG, p);
	if (!text_is_clean(scanned_part(p, s), WIRE_TEXT_MAX))
		return refuse_plain(note, ERR_TEXT_INVALID, p);
	return ERR_OK;
}

static enum err check_enum(const struct place *p, uint64_t number, struct err_note *note)
{
	if (number > INT32_MAX || protobuf_c_enum_descriptor_get_value(p->field->descriptor, (int)number) == NULL)
		return refuse(note, ERR_FIELD_INVALID, p, "This number is not among the values of the field.");
	return ERR_OK;
}

static enum err check_packed_enums(struct place *p, struct span in, struct err_note *note)
{
	uint64_t number;
	enum err e;

	for (; in.len != 0; p->index++) {
		if (!read_varint(&in, &number))
			return refuse_plain(note, ERR_MESSAGE_INVALID, p);
		if ((e = check_enum(p, number, note)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err walk(const ProtobufCMessageDescriptor *d, struct span raw, const struct place *up, unsigned depth,
                     struct err_note *note);

static enum err check_element(struct place *p, const struct wire_element *el, unsigned depth, struct err_note *note)
{
	bool body = el->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;

	switch (p->field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return body ? check_text(p, el->body, note) : refuse_plain(note, ERR_MESSAGE_INVALID, p);
	case PROTOBUF_C_TYPE_MESSAGE:
		return body ? walk(p->field->descriptor, el->body, p, depth + 1, note)
		            : refuse_plain(note, ERR_MESSAGE_INVALID, p);
	case PROTOBUF_C_TYPE_ENUM:
		if (el->type == PROTOBUF_C_WIRE_TYPE_VARINT)
			return check_enum(p, el->number, note);
		return body ? check_packed_enums(p, el->body, note) : refuse_plain(note, ERR_MESSAGE_INVALID, p);
	default:
		return ERR_OK;
	}
}

static enum err walk(const ProtobufCMessageDescriptor *d, struct span raw, const struct place *up, unsigned depth,
                     struct err_note *note)
{
	struct place p = {.up = up};
	struct wire_element el;
	enum err e;

	if (depth > WIRE_DEPTH_MAX)
		return refuse_plain(note, ERR_MESSAGE_INVALID, up);
	while (raw.len != 0) {
		if (!wire_next(&raw, &el))
			return refuse_plain(note, ERR_MESSAGE_INVALID, up);
		const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(d, el.id);
		if (f == NULL)
			continue;
		p.index = f == p.field ? p.index + 1 : 0;
		p.field = f;
		if ((e = check_element(&p, &el, depth, note)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err wire_check(const ProtobufCMessageDescriptor *d, struct span raw, struct err_note *note)
{
	return walk(d, raw, NULL, 1, note);
}

/* ---- unpack and pack ------------------------------------------------------------------------ */

struct budgeted {
	struct arena *arena;
	bool failed;
};

static void *arena_give(void *arg, size_t n)
{
	struct budgeted *b = arg;
	void *p = arena_alloc(b->arena, n);

	if (p == NULL)
		b->failed = true;
	return p;
}

static void arena_keep(void *arg, void *p)
{
}

enum err wire_unpack_own(struct arena *a, const ProtobufCMessageDescriptor *d, struct span raw, ProtobufCMessage **out)
{
	struct budgeted b = {a, false};
	ProtobufCAllocator allocator = {arena_give, arena_keep, &b};
	ProtobufCMessage *m = protobuf_c_message_unpack(d, &allocator, raw.len, raw.ptr);

	if (m == NULL)
		return b.failed ? ERR_BUDGET : ERR_MESSAGE_INVALID;
	*out = m;
	return ERR_OK;
}

enum err wire_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, struct span raw, ProtobufCMessage **out,
                     struct err_note *note)
{
	enum err e = wire_check(d, raw, note);

	return e == ERR_OK ? wire_unpack_own(a, d, raw, out) : e;
}

enum err wire_pack(struct arena *a, const ProtobufCMessage *m, struct span *out)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *p = arena_alloc(a, n);

	if (p == NULL)
		return ERR_BUDGET;
	*out = span_of(p, protobuf_c_message_pack(m, p));
	return ERR_OK;
}

/* ---- descriptors ---------------------------------------------------------------------------- */

const ProtobufCFieldDescriptor *wire_field(const ProtobufCMessageDescriptor *d, const char *name, ProtobufCType type)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, name);

	return f != NULL && f->type == type ? f : NULL;
}

static bool reaches(const ProtobufCMessageDescriptor *d, const ProtobufCMessageDescriptor *const *path, size_t n)
{
	const ProtobufCMessageDescriptor *longer[WIRE_DEPTH_MAX];

	for (size_t i = 0; i < n; i++)
		if (path[i] == d)
			return true;
	if (n == WIRE_DEPTH_MAX)
		return true; /* deeper than the walk above goes is as bad */
	if (n != 0)
		memcpy(longer, path, n * sizeof(path[0]));
	longer[n] = d;
	for (unsigned i = 0; i < d->n_fields; i++)
		if (d->fields[i].type == PROTOBUF_C_TYPE_MESSAGE && reaches(d->fields[i].descriptor, longer, n + 1))
			return true;
	return false;
}

bool wire_recursive(const ProtobufCMessageDescriptor *d)
{
	return reaches(d, NULL, 0);
}
