#include "form/cbor.h"

#include <cbor/encoding.h>
#include <cbor/streaming.h>

#include "base/text.h"

/* ---- writer --------------------------------------------------------------------------------- */

enum { HEAD_MAX = 9 };

void cbor_put_uint(struct buf *b, uint64_t v)
{
	uint8_t head[HEAD_MAX];

	buf_add(b, span_of(head, cbor_encode_uint(v, head, sizeof(head))));
}

void cbor_put_int(struct buf *b, int64_t v)
{
	uint8_t head[HEAD_MAX];

	if (v >= 0)
		cbor_put_uint(b, (uint64_t)v);
	else
		buf_add(b, span_of(head, cbor_encode_negint((uint64_t)(-1 - v), head, sizeof(head))));
}

void cbor_put_bytes(struct buf *b, struct span s)
{
	uint8_t head[HEAD_MAX];

	buf_add(b, span_of(head, cbor_encode_bytestring_start(s.len, head, sizeof(head))));
	buf_add(b, s);
}

void cbor_put_text(struct buf *b, const char *s)
{
	struct span text = span_str(s);
	uint8_t head[HEAD_MAX];

	buf_add(b, span_of(head, cbor_encode_string_start(text.len, head, sizeof(head))));
	buf_add(b, text);
}

void cbor_put_array(struct buf *b, size_t n)
{
	uint8_t head[HEAD_MAX];

	buf_add(b, span_of(head, cbor_encode_array_start(n, head, sizeof(head))));
}

void cbor_put_map(struct buf *b, size_t n)
{
	uint8_t head[HEAD_MAX];

	buf_add(b, span_of(head, cbor_encode_map_start(n, head, sizeof(head))));
}

void cbor_put_bool(struct buf *b, bool v)
{
	uint8_t head[HEAD_MAX];

	buf_add(b, span_of(head, cbor_encode_bool(v, head, sizeof(head))));
}

void cbor_put_tag(struct buf *b, uint64_t tag)
{
	uint8_t head[HEAD_MAX];

	buf_add(b, span_of(head, cbor_encode_tag(tag, head, sizeof(head))));
}

/* ---- reader --------------------------------------------------------------------------------- */

/* One decoded item: a scalar, a whole string, or the head of an array or map. CBOR_END: of no known kind. */
struct item {
	enum cbor_kind kind;
	uint64_t value; /* number, count, tag, boolean; length of a string */
	struct span bytes;
};

static void set(void *arg, enum cbor_kind kind, uint64_t value)
{
	struct item *it = arg;

	it->kind = kind;
	it->value = value;
}

static void on_uint8(void *arg, uint8_t v)
{
	set(arg, CBOR_UINT, v);
}

static void on_uint16(void *arg, uint16_t v)
{
	set(arg, CBOR_UINT, v);
}

static void on_uint32(void *arg, uint32_t v)
{
	set(arg, CBOR_UINT, v);
}

static void on_uint64(void *arg, uint64_t v)
{
	set(arg, CBOR_UINT, v);
}

static void on_negint8(void *arg, uint8_t v)
{
	set(arg, CBOR_NEGINT, v);
}

static void on_negint16(void *arg, uint16_t v)
{
	set(arg, CBOR_NEGINT, v);
}

static void on_negint32(void *arg, uint32_t v)
{
	set(arg, CBOR_NEGINT, v);
}

static void on_negint64(void *arg, uint64_t v)
{
	set(arg, CBOR_NEGINT, v);
}

static void on_bytes(void *arg, cbor_data data, size_t len)
{
	set(arg, CBOR_BYTES, len);
	((struct item *)arg)->bytes = span_of(data, len);
}

static void on_text(void *arg, cbor_data data, size_t len)
{
	set(arg, CBOR_TEXT, len);
	((struct item *)arg)->bytes = span_of(data, len);
}

static void on_array(void *arg, size_t n)
{
	set(arg, CBOR_ARRAY, n);
}

static void on_map(void *arg, size_t n)
{
	set(arg, CBOR_MAP, n);
}

static void on_tag(void *arg, uint64_t v)
{
	set(arg, CBOR_TAG, v);
}

static void on_bool(void *arg, bool v)
{
	set(arg, CBOR_BOOL, v);
}

static void on_null(void *arg)
{
	set(arg, CBOR_NULL, 0);
}

/* What we do not know leaves the item as it is: CBOR_END. */
static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negint8,
    .negint16 = on_negint16,
    .negint32 = on_negint32,
    .negint64 = on_negint64,
    .byte_string = on_bytes,
    .byte_string_start = cbor_null_byte_string_start_callback,
    .string = on_text,
    .string_start = cbor_null_string_start_callback,
    .array_start = on_array,
    .indef_array_start = cbor_null_indef_array_start_callback,
    .map_start = on_map,
    .indef_map_start = cbor_null_indef_map_start_callback,
    .tag = on_tag,
    .float2 = cbor_null_float2_callback,
    .float4 = cbor_null_float4_callback,
    .float8 = cbor_null_float8_callback,
    .undefined = cbor_null_undefined_callback,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = cbor_null_indef_break_callback,
};

/* Octets of the shortest head for this item. */
static size_t shortest_head(const struct item *it)
{
	if (it->kind == CBOR_BOOL || it->kind == CBOR_NULL || it->value < 24)
		return 1;
	if (it->value <= UINT8_MAX)
		return 2;
	if (it->value <= UINT16_MAX)
		return 3;
	return it->value <= UINT32_MAX ? 5 : 9;
}

static enum err take(struct cbor_reader *r, struct item *out)
{
	struct item it = {.kind = CBOR_END};
	struct cbor_decoder_result res;

	if (r->rest.len == 0)
		return ERR_FORMAT;
	/* libcbor 0.8 takes the tags 5 to 20 for errors ("unassigned"), COSE's 18 among them. */
	if (r->rest.ptr[0] >= 0xc0 && r->rest.ptr[0] < 0xd8) {
		*out = (struct item){.kind = CBOR_TAG, .value = r->rest.ptr[0] & 0x1f};
		r->rest = span_sub(r->rest, 1, SIZE_MAX);
		return ERR_OK;
	}
	res = cbor_stream_decode(r->rest.ptr, r->rest.len, &callbacks, &it);
	if (res.status != CBOR_DECODER_FINISHED || it.kind == CBOR_END || res.read - it.bytes.len != shortest_head(&it))
		return ERR_FORMAT;
	r->rest = span_sub(r->rest, res.read, SIZE_MAX);
	*out = it;
	return ERR_OK;
}

/* The next item, of this kind; nothing is consumed otherwise. */
static enum err take_kind(struct cbor_reader *r, enum cbor_kind kind, struct item *out)
{
	struct cbor_reader look = *r;
	enum err e = take(&look, out);

	if (e != ERR_OK || out->kind != kind)
		return ERR_FORMAT;
	*r = look;
	return ERR_OK;
}

enum err cbor_peek(const struct cbor_reader *r, enum cbor_kind *kind)
{
	struct cbor_reader look = *r;
	struct item it = {.kind = CBOR_END};
	enum err e = r->rest.len != 0 ? take(&look, &it) : ERR_OK;

	if (e == ERR_OK)
		*kind = it.kind;
	return e;
}

enum err cbor_get_uint(struct cbor_reader *r, uint64_t max, uint64_t *v)
{
	struct cbor_reader look = *r;
	struct item it;
	enum err e = take_kind(&look, CBOR_UINT, &it);

	if (e != ERR_OK || it.value > max)
		return ERR_FORMAT;
	*r = look;
	*v = it.value;
	return ERR_OK;
}

enum err cbor_get_int(struct cbor_reader *r, int64_t *v)
{
	struct cbor_reader look = *r;
	struct item it;
	enum err e = take(&look, &it);

	if (e != ERR_OK || (it.kind != CBOR_UINT && it.kind != CBOR_NEGINT) || it.value > INT64_MAX)
		return ERR_FORMAT;
	*r = look;
	*v = it.kind == CBOR_UINT ? (int64_t)it.value : -1 - (int64_t)it.value;
	return ERR_OK;
}

enum err cbor_get_key(struct cbor_reader *r, uint64_t want)
{
	struct cbor_reader look = *r;
	uint64_t key;
	enum err e = cbor_get_uint(&look, want, &key);

	if (e != ERR_OK || key != want)
		return ERR_FORMAT;
	*r = look;
	return ERR_OK;
}

static enum err get_string(struct cbor_reader *r, enum cbor_kind kind, size_t max, struct span *s)
{
	struct cbor_reader look = *r;
	struct item it;
	enum err e = take_kind(&look, kind, &it);

	if (e != ERR_OK)
		return e;
	if (it.bytes.len > max)
		return ERR_TOO_LARGE;
	if (kind == CBOR_TEXT && !text_is_clean(it.bytes, max))
		return ERR_FORMAT;
	*r = look;
	*s = it.bytes;
	return ERR_OK;
}

enum err cbor_get_bytes(struct cbor_reader *r, size_t max, struct span *s)
{
	return get_string(r, CBOR_BYTES, max, s);
}

enum err cbor_get_text_view(struct cbor_reader *r, size_t max, struct span *s)
{
	return get_string(r, CBOR_TEXT, max, s);
}

enum err cbor_get_text(struct cbor_reader *r, struct arena *a, size_t max, char **s)
{
	struct cbor_reader look = *r;
	struct span view;
	char *copy;
	enum err e = get_string(&look, CBOR_TEXT, max, &view);

	if (e != ERR_OK)
		return e;
	copy = arena_strndup(a, view.ptr, view.len);
	if (copy == NULL)
		return ERR_BUDGET;
	*r = look;
	*s = copy;
	return ERR_OK;
}

/* least: bytes that one element takes at the very least */
static enum err get_count(struct cbor_reader *r, enum cbor_kind kind, size_t least, size_t max, size_t *n)
{
	struct cbor_reader look = *r;
	struct item it;
	enum err e = take_kind(&look, kind, &it);

	if (e != ERR_OK)
		return e;
	if (it.value > look.rest.len / least)
		return ERR_FORMAT;
	if (it.value > max)
		return ERR_TOO_LARGE;
	*r = look;
	*n = (size_t)it.value;
	return ERR_OK;
}

enum err cbor_get_array(struct cbor_reader *r, size_t max, size_t *n)
{
	return get_count(r, CBOR_ARRAY, 1, max, n);
}

enum err cbor_get_map(struct cbor_reader *r, size_t max, size_t *n)
{
	return get_count(r, CBOR_MAP, 2, max, n);
}

enum err cbor_get_bool(struct cbor_reader *r, bool *v)
{
	struct item it;
	enum err e = take_kind(r, CBOR_BOOL, &it);

	if (e == ERR_OK)
		*v = it.value != 0;
	return e;
}

enum err cbor_get_tag(struct cbor_reader *r, uint64_t want)
{
	struct cbor_reader look = *r;
	struct item it;
	enum err e = take_kind(&look, CBOR_TAG, &it);

	if (e != ERR_OK || it.value != want)
		return ERR_FORMAT;
	*r = look;
	return ERR_OK;
}

static enum err skip(struct cbor_reader *r, unsigned depth);

/* The elements of an array or map; the keys of a map are unsigned and rise. */
static enum err skip_elements(struct cbor_reader *r, const struct item *head, unsigned depth)
{
	uint64_t key, least = 0;
	enum err e = ERR_OK;

	if (depth == CBOR_DEPTH_MAX || head->value > r->rest.len)
		return ERR_FORMAT;
	for (uint64_t i = 0; e == ERR_OK && i < head->value; i++) {
		if (head->kind == CBOR_MAP) {
			e = cbor_get_uint(r, UINT64_MAX - 1, &key);
			if (e != ERR_OK || key < least)
				return ERR_FORMAT;
			least = key + 1;
		}
		e = skip(r, depth + 1);
	}
	return e;
}

/* Recursion ends at CBOR_DEPTH_MAX. */
static enum err skip(struct cbor_reader *r, unsigned depth)
{
	struct item it;
	enum err e = take(r, &it);

	if (e != ERR_OK || it.kind == CBOR_TAG)
		return ERR_FORMAT;
	if (it.kind == CBOR_TEXT && !text_is_clean(it.bytes, SIZE_MAX))
		return ERR_FORMAT;
	return it.kind == CBOR_ARRAY || it.kind == CBOR_MAP ? skip_elements(r, &it, depth) : ERR_OK;
}

enum err cbor_skip(struct cbor_reader *r, struct span *raw)
{
	struct cbor_reader look = *r;
	enum err e = skip(&look, 0);

	if (e != ERR_OK)
		return e;
	if (raw != NULL)
		*raw = span_sub(r->rest, 0, r->rest.len - look.rest.len);
	*r = look;
	return ERR_OK;
}

enum err cbor_end(const struct cbor_reader *r)
{
	return r->rest.len == 0 ? ERR_OK : ERR_FORMAT;
}
