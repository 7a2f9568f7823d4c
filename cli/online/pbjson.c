#include "cli/online/pbjson.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "cli/term.h"

enum { DEPTH_MAX = 8, PRINT_BUDGET = 16 * 1024 * 1024 };

/* The value at index i of a field; for a single field i is 0. */
static const void *member(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i, size_t size)
{
	const uint8_t *at = (const uint8_t *)m + f->offset;

	if (f->label != PROTOBUF_C_LABEL_REPEATED)
		return at;
	return *(const uint8_t *const *)(const void *)at + i * size;
}

static size_t member_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
		return 4;
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default: /* 64-bit numbers and pointers */
		return 8;
	}
}

static size_t member_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)(const void *)((const uint8_t *)m + f->quantifier_offset);
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)(const void *)((const uint8_t *)m + f->offset) != NULL;
	return 1;
}

static const char *enum_name(const ProtobufCFieldDescriptor *f, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(f->descriptor, value);

	return v != NULL ? v->name : "";
}

static json_t *bytes_json(const ProtobufCBinaryData *b)
{
	struct arena *a = arena_new(b->len * 2 + 64);
	char *text = a != NULL ? base64_text(a, span_of(b->data, b->len)) : NULL;
	json_t *j = text != NULL ? json_string(text) : NULL;

	arena_free(a);
	return j;
}

static json_t *value_json(const ProtobufCFieldDescriptor *f, const void *p)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		return json_string(*(char *const *)p);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_json(p);
	case PROTOBUF_C_TYPE_MESSAGE:
		return pb_to_json(*(ProtobufCMessage *const *)p);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)p);
	case PROTOBUF_C_TYPE_ENUM:
		return json_string(enum_name(f, *(const int *)p));
	case PROTOBUF_C_TYPE_UINT32:
		return json_integer(*(const uint32_t *)p);
	case PROTOBUF_C_TYPE_INT32:
		return json_integer(*(const int32_t *)p);
	case PROTOBUF_C_TYPE_DOUBLE:
		return json_real(*(const double *)p);
	default:
		return json_integer(*(const int64_t *)p);
	}
}

static json_t *field_json(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	size_t i, n = member_count(m, f), size = member_size(f->type);
	json_t *list;

	if (f->label != PROTOBUF_C_LABEL_REPEATED)
		return n != 0 ? value_json(f, member(m, f, 0, size)) : json_null();
	list = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(list, value_json(f, member(m, f, i, size)));
	return list;
}

json_t *pb_to_json(const ProtobufCMessage *m)
{
	json_t *o = json_object();
	unsigned i;

	for (i = 0; o != NULL && i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

		if (json_object_set_new(o, f->name, field_json(m, f)) != 0) {
			json_decref(o);
			o = NULL;
		}
	}
	return o;
}

/* ---- from JSON ------------------------------------------------------------------------------ */

static enum err wrong(struct err_note *note, const char *key, const char *what)
{
	return err_note_set(note, ERR_FIELD_INVALID, key, "'%.60s' %s", key, what);
}

static bool enum_matches(const char *full, const char *given)
{
	size_t lf = strlen(full), lg = strlen(given);

	if (strcmp(full, given) == 0)
		return true;
	return lg < lf && full[lf - lg - 1] == '_' && strcasecmp(full + lf - lg, given) == 0;
}

static enum err enum_from(const ProtobufCFieldDescriptor *f, const json_t *j, int *out, struct err_note *note)
{
	const ProtobufCEnumDescriptor *d = f->descriptor;
	const char *text = json_string_value(j);
	unsigned i;

	for (i = 0; text != NULL && i < d->n_values; i++)
		if (enum_matches(d->values[i].name, text)) {
			*out = d->values[i].value;
			return ERR_OK;
		}
	return wrong(note, f->name, "is not one of the names of the contract");
}

static enum err integer_from(const ProtobufCFieldDescriptor *f, const json_t *j, void *out, struct err_note *note)
{
	json_int_t v = json_integer_value(j);

	if (!json_is_integer(j))
		return wrong(note, f->name, "must be a whole number");
	if (f->type == PROTOBUF_C_TYPE_UINT32 && v >= 0 && v <= UINT32_MAX)
		*(uint32_t *)out = (uint32_t)v;
	else if (f->type == PROTOBUF_C_TYPE_INT32 && v >= INT32_MIN && v <= INT32_MAX)
		*(int32_t *)out = (int32_t)v;
	else if (f->type == PROTOBUF_C_TYPE_INT64 || (f->type == PROTOBUF_C_TYPE_UINT64 && v >= 0))
		*(int64_t *)out = v;
	else
		return wrong(note, f->name, "is out of range");
	return ERR_OK;
}

static enum err message_from(struct arena *a, const ProtobufCMessageDescriptor *d, const json_t *json, int depth,
                             ProtobufCMessage **out, struct err_note *note);

static enum err value_from(struct arena *a, const ProtobufCFieldDescriptor *f, const json_t *j, int depth, void *out,
                           struct err_note *note)
{
	struct span bytes;

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!json_is_string(j))
			return wrong(note, f->name, "must be a text");
		*(char **)out = arena_strndup(a, json_string_value(j), json_string_length(j));
		return *(char **)out != NULL ? ERR_OK : ERR_BUDGET;
	case PROTOBUF_C_TYPE_BYTES:
		if (!json_is_string(j) ||
		    base64_decode(a, span_of(json_string_value(j), json_string_length(j)), &bytes) != ERR_OK)
			return wrong(note, f->name, "must be base64");
		*(ProtobufCBinaryData *)out = (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
		return ERR_OK;
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_from(a, f->descriptor, j, depth + 1, out, note);
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(j))
			return wrong(note, f->name, "must be true or false");
		*(protobuf_c_boolean *)out = json_is_true(j);
		return ERR_OK;
	case PROTOBUF_C_TYPE_ENUM:
		return enum_from(f, j, out, note);
	default:
		return integer_from(f, j, out, note);
	}
}

static enum err field_from(struct arena *a, const ProtobufCFieldDescriptor *f, const json_t *j, int depth,
                           ProtobufCMessage *m, struct err_note *note)
{
	uint8_t *at = (uint8_t *)m + f->offset, *list;
	size_t i, n = json_array_size(j), size = member_size(f->type);
	enum err e = ERR_OK;

	if (f->label != PROTOBUF_C_LABEL_REPEATED)
		return value_from(a, f, j, depth, at, note);
	if (!json_is_array(j))
		return wrong(note, f->name, "must be a list");
	list = arena_array(a, n, size);
	if (list == NULL)
		return ERR_BUDGET;
	for (i = 0; e == ERR_OK && i < n; i++)
		e = value_from(a, f, json_array_get(j, i), depth, list + i * size, note);
	*(void **)(void *)at = list;
	*(size_t *)(void *)((uint8_t *)m + f->quantifier_offset) = n;
	return e;
}

static enum err message_from(struct arena *a, const ProtobufCMessageDescriptor *d, const json_t *json, int depth,
                             ProtobufCMessage **out, struct err_note *note)
{
	ProtobufCMessage *m;
	const char *key;
	json_t *j;

	if (!json_is_object(json) || depth > DEPTH_MAX)
		return wrong(note, d->short_name, "must be an object");
	m = arena_alloc(a, d->sizeof_message);
	if (m == NULL)
		return ERR_BUDGET;
	protobuf_c_message_init(d, m);
	json_object_foreach((json_t *)(uintptr_t)json, key, j)
	{
		const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, key);
		enum err e = f != NULL ? field_from(a, f, j, depth, m, note) : wrong(note, key, "is not known here");

		if (e != ERR_OK)
			return e;
	}
	*out = m;
	return ERR_OK;
}

enum err pb_from_json(struct arena *a, const ProtobufCMessageDescriptor *d, const json_t *json, ProtobufCMessage **out,
                      struct err_note *note)
{
	return message_from(a, d, json, 0, out, note);
}

/* ---- for people ----------------------------------------------------------------------------- */

static void print_line(const char *name, const char *text, int indent)
{
	struct arena *a = arena_new(PRINT_BUDGET);

	if (a != NULL && text[0] != '\0')
		printf("%*s%s: %s\n", indent, "", name, term_safe(a, span_str(text)));
	arena_free(a);
}

static void print_value(const ProtobufCFieldDescriptor *f, const void *p, int indent)
{
	char number[32];

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		print_line(f->name, *(char *const *)p, indent);
		return;
	case PROTOBUF_C_TYPE_BYTES:
		snprintf(number, sizeof(number), "%zu bytes", ((const ProtobufCBinaryData *)p)->len);
		print_line(f->name, ((const ProtobufCBinaryData *)p)->len != 0 ? number : "", indent);
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		printf("%*s%s:\n", indent, "", f->name);
		pb_print(*(ProtobufCMessage *const *)p, indent + 2);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		print_line(f->name, *(const protobuf_c_boolean *)p ? "yes" : "no", indent);
		return;
	case PROTOBUF_C_TYPE_ENUM:
		print_line(f->name, *(const int *)p != 0 ? enum_name(f, *(const int *)p) : "", indent);
		return;
	case PROTOBUF_C_TYPE_DOUBLE:
		snprintf(number, sizeof(number), "%.3f", *(const double *)p);
		print_line(f->name, number, indent);
		return;
	default:
		snprintf(number, sizeof(number), "%lld",
		         member_size(f->type) == 4 ? (long long)*(const uint32_t *)p : (long long)*(const int64_t *)p);
		print_line(f->name, number, indent);
	}
}

void pb_print(const ProtobufCMessage *m, int indent)
{
	unsigned i;
	size_t k, n;

	for (i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

		n = member_count(m, f);
		for (k = 0; k < n; k++)
			print_value(f, member(m, f, k, member_size(f->type)), indent);
	}
}
