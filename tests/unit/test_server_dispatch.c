/* The table of methods against the contract both ways, refusals, messages as received, reflection, workers; and that
 * docs/api.md says of methods and reasons what the tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/dispatch.h"
#include "server/reflect.h"
#include "server/refusal.h"
#include "yinzheng/v1/admin.pb-c.h"
#include "yinzheng/v1/catalog.pb-c.h"
#include "yinzheng/v1/common.pb-c.h"
#include "yinzheng/v1/window.pb-c.h"
#include <pthread.h>

enum { DOC_MAX = 256 * 1024, ROWS_MAX = 128 };

static struct span read_doc(struct arena *a, const char *path)
{
	struct err_note note = {0};
	struct span s;

	assert_int_equal(file_read(a, path, DOC_MAX, &s, &note), ERR_OK);
	return s;
}

static void assert_in_doc(struct span doc, const char *row)
{
	if (memmem(doc.ptr, doc.len, row, strlen(row)) == NULL)
		fail_msg("docs/api.md lacks or contradicts: %s", row);
}

/* ---- the table ------------------------------------------------------------------------------ */

static void table_and_contract_agree(void **state)
{
	struct err_note note = {0};

	if (methods_check(methods, methods_count, &note) != ERR_OK)
		fail_msg("%s", note.help);
	assert_int_equal(reflect_check(&note), ERR_OK);
}

/* A copy of the table, spoilt by `spoil`, is refused. */
static void refused(void (*spoil)(struct method *rows, size_t *n), const char *word)
{
	struct method rows[ROWS_MAX];
	struct err_note note = {0};
	size_t n = methods_count;

	assert_true(n < ROWS_MAX);
	memcpy(rows, methods, sizeof(methods[0]) * n);
	spoil(rows, &n);
	assert_int_equal(methods_check(rows, n, &note), ERR_INTERNAL);
	if (strstr(note.help, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", note.help, word);
}

static void lose_one(struct method *rows, size_t *n)
{
	rows[3] = rows[--*n];
}
static void have_one_twice(struct method *rows, size_t *n)
{
	rows[(*n)++] = rows[0];
}
static void invent_one(struct method *rows, size_t *n)
{
	rows[0].name = "Destroy";
}
static void forget_decode(struct method *rows, size_t *n)
{
	rows[0].decode = NULL;
}
static void forget_limit(struct method *rows, size_t *n)
{
	rows[0].max_request = 0;
}
static void be_both(struct method *rows, size_t *n)
{
	rows[0].direct = &dispatch_handler;
}
static void be_neither(struct method *rows, size_t *n)
{
	rows[0].use = NULL;
}
static void drop_request_id(struct method *rows, size_t *n)
{
	static struct use_case careless;

	careless = *rows[0].use;
	careless.flags &= ~(unsigned)USE_REQUEST_ID;
	rows[0].use = &careless;
}
static void want_request_id(struct method *rows, size_t *n)
{
	static struct use_case greedy;

	for (size_t i = 0; i < *n; i++)
		if (strcmp(rows[i].name, "GetSeal") == 0) {
			greedy = *rows[i].use;
			greedy.flags |= USE_REQUEST_ID;
			rows[i].use = &greedy;
		}
}

static void wrong_tables_are_refused(void **state)
{
	refused(lose_one, "exactly one row");
	refused(have_one_twice, "exactly one row");
	refused(invent_one, "not in the contract");
	refused(forget_decode, "lacks decode");
	refused(forget_limit, "no limit");
	refused(be_both, "use case or a direct");
	refused(be_neither, "use case or a direct");
	refused(drop_request_id, "nobody looks at");
	refused(want_request_id, "no bytes request_id");
}

static void routes_follow_the_table(void **state)
{
	struct rpc_route *r;
	size_t n;

	assert_int_equal(dispatch_routes(&r, &n), ERR_OK);
	assert_int_equal(n, methods_count);
	assert_string_equal(r[0].path, "/yinzheng.v1.SealService/CreateSeal");
	for (size_t i = 0; i < n; i++) {
		assert_non_null(r[i].handler);
		assert_non_null(r[i].handler->start);
		assert_true(r[i].kind != RPC_BIDI || r[i].handler->message != NULL);
		assert_true(r[i].kind == RPC_UNARY || r[i].handler->closed != NULL);
	}
	dispatch_routes_free(r, n);
}

static const ProtobufCFieldDescriptor looped_fields[1];
static const ProtobufCMessageDescriptor looped = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC, .name = "looped", .n_fields = 1, .fields = looped_fields};
static const ProtobufCFieldDescriptor looped_fields[1] = {
    {.name = "again", .id = 1, .type = PROTOBUF_C_TYPE_MESSAGE, .descriptor = &looped}};

static void recursion_is_seen(void **state)
{
	assert_true(wire_recursive(&looped));
	assert_false(wire_recursive(&yinzheng__v1__pull_reply__descriptor));
}

/* ---- refusals ------------------------------------------------------------------------------- */

static void every_error_has_a_status_and_fits(void **state)
{
	uint8_t out[RPC_DETAILS_MAX];

	for (int e = 1; e < ERR_COUNT; e++) {
		size_t n = refusal_pack((enum err)e, NULL, refusal_retry_ms((enum err)e), out, sizeof(out));
		assert_true(refusal_status((enum err)e) > 0 && refusal_status((enum err)e) <= 16);
		assert_string_not_equal(refusal_status_name(refusal_status((enum err)e)), "UNKNOWN");
		Yinzheng__V1__Status *s = yinzheng__v1__status__unpack(NULL, n, out);
		assert_non_null(s);
		assert_int_equal(s->code, refusal_status((enum err)e));
		Yinzheng__V1__Refusal *r =
		    yinzheng__v1__refusal__unpack(NULL, s->details[0]->value.len, s->details[0]->value.data);
		assert_non_null(r);
		assert_string_equal(r->reason, err_name((enum err)e));
		assert_string_not_equal(r->help, "");
		yinzheng__v1__refusal__free_unpacked(r, NULL);
		yinzheng__v1__status__free_unpacked(s, NULL);
	}
	assert_int_equal(refusal_status(ERR_OK), 0);
	assert_int_equal(refusal_status(ERR_UNIMPLEMENTED), 12);
	assert_int_equal(refusal_status(ERR_CODE_USED), 9);
}

static void a_note_of_another_error_is_not_told(void **state)
{
	uint8_t out[RPC_DETAILS_MAX];
	struct err_note note = {0};

	(void)err_note_set(&note, ERR_FIELD_INVALID, "secret.field", "of an earlier attempt");
	size_t n = refusal_pack(ERR_CODE_USED, &note, 0, out, sizeof(out));
	assert_null(memmem(out, n, "secret.field", 12));
	assert_int_equal(refusal_pack(ERR_CODE_USED, &note, 0, out, 10), 0);
	n = refusal_pack(ERR_FIELD_INVALID, &note, 0, out, sizeof(out));
	assert_non_null(memmem(out, n, "secret.field", 12));
}

/* ---- messages as received ------------------------------------------------------------------- */

struct wire_case {
	const ProtobufCMessageDescriptor *d;
	const char *raw;
	size_t len;
	enum err want;
	const char *field;
};

#define PULL   (&yinzheng__v1__pull_request__descriptor)
#define PUT    (&yinzheng__v1__put_principal_request__descriptor)
#define RAW(s) (s), sizeof(s) - 1

static void bad_messages_are_named(void **state)
{
	const struct wire_case cases[] = {
	    {PULL, RAW(""), ERR_OK, ""},
	    {PULL,
	     RAW("\x1a\x03"
	         "abc"),
	     ERR_OK, ""},
	    {PULL,
	     RAW("\x1a\x05"
	         "abc\r\n"),
	     ERR_OK, ""}, /* from a scan gun */
	    {PULL,
	     RAW("\x1a\x04"
	         "a\r\nc"),
	     ERR_TEXT_INVALID, "code"},
	    {PULL,
	     RAW("\x22\x02"
	         "a\r"),
	     ERR_TEXT_INVALID, "item_code"},
	    {PULL,
	     RAW("\x1a\x03"
	         "a\0c"),
	     ERR_TEXT_INVALID, "code"},
	    {PULL, RAW("\x22\x02\xc0\x80"), ERR_TEXT_INVALID, "item_code"},
	    {PULL, RAW("\x22\x03\xed\xa0\x80"), ERR_TEXT_INVALID, "item_code"},
	    {PULL, RAW("\x22\x03\xe2\x80\xae"), ERR_TEXT_INVALID, "item_code"},
	    {PULL, RAW("\x12\x03\x0a\x01\x00"), ERR_TEXT_INVALID, "operator.id"},
	    {PULL,
	     RAW("\x1a\x05"
	         "abc"),
	     ERR_MESSAGE_INVALID, ""},                            /* cut short */
	    {PULL, RAW("\x1a"), ERR_MESSAGE_INVALID, ""},         /* no length */
	    {PULL, RAW("\x00\x00"), ERR_MESSAGE_INVALID, ""},     /* field 0 */
	    {PULL, RAW("\x1b\x1c"), ERR_MESSAGE_INVALID, ""},     /* a group */
	    {PULL, RAW("\x18\x01"), ERR_MESSAGE_INVALID, "code"}, /* a number where text belongs */
	    {PULL, RAW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), ERR_MESSAGE_INVALID, ""},
	    {PULL, RAW("\xf8\x3f\x01"), ERR_OK, ""}, /* unknown fields are skipped */
	    {PUT, RAW("\x1a\x04\x2a\x02\x01\x4d"), ERR_FIELD_INVALID, "principal.roles[1]"},
	    {PUT, RAW("\x1a\x02\x28\x63"), ERR_FIELD_INVALID, "principal.roles[0]"},
	    {PUT, RAW("\x1a\x07\x32\x00\x32\x03\x12\x01\x01"), ERR_TEXT_INVALID, "principal.keys[1].not_before"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_note note = {0};
		enum err e = wire_check(cases[i].d, span_of(cases[i].raw, cases[i].len), &note);
		if (e != cases[i].want || strcmp(note.field, cases[i].field) != 0)
			fail_msg("case %zu: %s at \"%s\"", i, err_name(e), note.field);
	}
}

static void long_text_is_refused(void **state)
{
	static uint8_t raw[WIRE_TEXT_MAX + 16] = {0x22, 0x81, 0x40}; /* item_code, 8193 bytes */
	struct err_note note = {0};

	memset(raw + 3, 'a', WIRE_TEXT_MAX + 1);
	assert_int_equal(wire_check(PULL, span_of(raw, 3 + WIRE_TEXT_MAX + 1), &note), ERR_FIELD_TOO_LONG);
	assert_string_equal(note.field, "item_code");
}

/* Many empty sub-messages: few bytes, much memory. */
static void a_bomb_meets_the_budget(void **state)
{
	enum { N = 60000 };
	static uint8_t raw[2 * N + 4] = {0x1a, 0xc0, 0xa9, 0x07}; /* type, 120000 bytes */
	struct arena *a = arena_new(1024 * 1024);
	struct err_note note = {0};
	ProtobufCMessage *m = NULL;

	for (size_t i = 0; i < N; i++)
		raw[4 + 2 * i] = 0x3a; /* fields */
	assert_int_equal(
	    wire_unpack(a, &yinzheng__v1__put_licence_type_request__descriptor, span_of(raw, sizeof(raw)), &m, &note),
	    ERR_BUDGET);
	assert_null(m);
	assert_true(arena_used(a) <= 1024 * 1024);
	arena_free(a);
}

static void a_method_has_its_own_size(void **state)
{
	static uint8_t raw[2 * 1024 * 1024];

	for (size_t i = 0; i < methods_count; i++) {
		const struct method *m = &methods[i];
		if (m->use == NULL || m->max_request >= sizeof(raw))
			continue;
		struct desk_call call = {.arena = arena_new(m->budget)};
		assert_int_equal(dispatch_decode(m, &call, span_of(raw, m->max_request + 1)), ERR_TOO_LARGE);
		arena_free(call.arena);
	}
}

static void the_digest_is_of_method_and_request(void **state)
{
	struct desk_call one = {.arena = arena_new(1 << 20)}, two = {.arena = arena_new(1 << 20)};
	uint8_t want[SM3_LEN];
	struct span parts[] = {span_of("/yinzheng.v1.SealService/ChangeSealStatus", 42), span_of("\x0a\x01x", 3)};
	static const uint8_t none[SM3_LEN];
	struct desk_call read = {.arena = arena_new(1 << 20)};
	size_t get = 2, change = 4;

	assert_string_equal(methods[get].name, "GetSeal");
	assert_string_equal(methods[change].name, "ChangeSealStatus");
	assert_int_equal(sm3_parts(parts, 2, want), ERR_OK);
	assert_int_equal(dispatch_decode(&methods[change], &one, parts[1]), ERR_OK);
	assert_memory_equal(one.request_digest, want, SM3_LEN);
	assert_int_equal(dispatch_decode(&methods[change + 2], &two, parts[1]), ERR_OK);
	assert_memory_not_equal(two.request_digest, want, SM3_LEN);
	/* A read is not known again by it. */
	assert_int_equal(dispatch_decode(&methods[get], &read, parts[1]), ERR_OK);
	assert_memory_equal(read.request_digest, none, SM3_LEN);
	arena_free(read.arena);
	arena_free(one.arena);
	arena_free(two.arena);
}

/* ---- reflection ----------------------------------------------------------------------------- */

static int reflect_case(const char *raw, size_t len)
{
	struct arena *a = arena_new(1 << 20);
	struct span out;
	int found = -1;

	if (reflect_answer(a, span_of(raw, len), &out) == ERR_OK) {
		Grpc__Reflection__V1__ServerReflectionResponse *r =
		    grpc__reflection__v1__server_reflection_response__unpack(NULL, out.len, out.ptr);
		assert_non_null(r);
		found = (int)r->message_response_case;
		grpc__reflection__v1__server_reflection_response__free_unpacked(r, NULL);
	}
	arena_free(a);
	return found;
}

static void reflection_finds_and_does_not_find(void **state)
{
	enum { FILE_FOUND = 4, SERVICES = 6, ERROR = 7 };

	assert_int_equal(reflect_case(RAW("\x3a\x01*")), SERVICES);
	assert_int_equal(reflect_case(RAW("\x1a\x18yinzheng/v1/window.proto")), FILE_FOUND);
	assert_int_equal(reflect_case(RAW("\x22\x1dyinzheng.v1.WindowService.Pull")), -1); /* cut short */
	assert_int_equal(reflect_case(RAW("\x22\x1eyinzheng.v1.WindowService.Pull")), FILE_FOUND);
	assert_int_equal(reflect_case(RAW("\x22\x1eyinzheng.v1.WindowService.Pulx")), ERROR);
	assert_int_equal(reflect_case(RAW("\x22\x0cyinzheng.v1.")), ERROR);
	assert_int_equal(reflect_case(RAW("\x22\x00")), ERROR);
	assert_int_equal(reflect_case(RAW("")), ERROR);
	assert_int_equal(reflect_case(RAW("\x22\x02\xff\xff")), -1);
}

/* ---- workers -------------------------------------------------------------------------------- */

struct gate {
	struct job job;
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open, entered;
	unsigned ran;
};
static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static void wait_at_gate(struct job *j)
{
	pthread_mutex_lock(&gate.lock);
	gate.entered = true;
	pthread_cond_broadcast(&gate.opened);
	while (!gate.open)
		pthread_cond_wait(&gate.opened, &gate.lock);
	gate.ran++;
	pthread_mutex_unlock(&gate.lock);
}

static void count_run(struct job *j)
{
	pthread_mutex_lock(&gate.lock);
	gate.ran++;
	pthread_mutex_unlock(&gate.lock);
}

static void the_queue_is_bounded_and_drained(void **state)
{
	struct job first = {wait_at_gate, NULL},
	           more[4] = {{count_run, NULL}, {count_run, NULL}, {count_run, NULL}, {count_run, NULL}};
	struct workers_figures f;
	struct workers *w;

	assert_int_equal(workers_start(1, &(struct workers_limits){.queue = 2, .wait_ms = 1000, .commits = 8}, &w), ERR_OK);
	assert_int_equal(workers_submit(w, &first, CLASS_READ), ERR_OK);
	pthread_mutex_lock(&gate.lock);
	while (!gate.entered)
		pthread_cond_wait(&gate.opened, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	assert_int_equal(workers_submit(w, &more[0], CLASS_READ), ERR_OK);
	assert_int_equal(workers_submit(w, &more[1], CLASS_READ), ERR_OK);
	assert_int_equal(workers_submit(w, &more[2], CLASS_READ), ERR_OVERLOADED);
	workers_resume(w, &more[3]); /* admitted work is never refused */
	workers_figures(w, &f);
	assert_int_equal(f.queued[CLASS_READ], 2);
	assert_int_equal(f.resumed, 1);
	assert_int_equal(f.refused[CLASS_READ], 1);
	pthread_mutex_lock(&gate.lock);
	gate.open = true;
	pthread_cond_broadcast(&gate.opened);
	pthread_mutex_unlock(&gate.lock);
	workers_stop(w);
	assert_int_equal(gate.ran, 4);
}

/* ---- the documentation ---------------------------------------------------------------------- */

static const char *roles_text(const struct method *m, char *out, size_t n)
{
	static const char *const names[] = {"system", "security", "audit",     "sealer", "issuer",
	                                    "wallet", "window",   "inspector", "gateway"};
	size_t at = 0;

	if (m->use == NULL && strncmp(m->service->name, "grpc.", 5) == 0)
		return "any client certificate";
	if (m->use == NULL || m->use->roles == 0)
		return "any enrolled";
	for (unsigned i = 0; i < 9; i++)
		if ((m->use->roles & 1u << i) != 0)
			at += (size_t)snprintf(out + at, n - at, "%s%s", at != 0 ? ", " : "", names[i]);
	return out;
}

static void docs_list_every_method(void **state)
{
	struct arena *a = arena_new(4 * DOC_MAX);
	struct span doc = read_doc(a, "docs/api.md");
	char row[256], roles[128];

	for (size_t i = 0; i < methods_count; i++) {
		const struct method *m = &methods[i];
		snprintf(row, sizeof(row), "| `%s/%s` | %s | %s | %s | %u KiB | %u s |", m->service->name, m->name,
		         roles_text(m, roles, sizeof(roles)),
		         m->use != NULL && (m->use->flags & USE_REQUEST_ID) != 0 ? "yes" : "",
		         m->use != NULL && (m->use->flags & USE_OPERATOR) != 0 ? "yes" : "", m->max_request / 1024,
		         m->max_millis / 1000);
		assert_in_doc(doc, row);
	}
	arena_free(a);
}

static void docs_list_every_reason(void **state)
{
	struct arena *a = arena_new(4 * DOC_MAX);
	struct span doc = read_doc(a, "docs/api.md");
	char row[512];

	for (int e = 1; e < ERR_COUNT; e++) {
		snprintf(row, sizeof(row), "| `%s` | %s | %s |", err_name((enum err)e),
		         refusal_status_name(refusal_status((enum err)e)), err_help((enum err)e));
		assert_in_doc(doc, row);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_and_contract_agree),
	    cmocka_unit_test(wrong_tables_are_refused),
	    cmocka_unit_test(routes_follow_the_table),
	    cmocka_unit_test(recursion_is_seen),
	    cmocka_unit_test(every_error_has_a_status_and_fits),
	    cmocka_unit_test(a_note_of_another_error_is_not_told),
	    cmocka_unit_test(bad_messages_are_named),
	    cmocka_unit_test(long_text_is_refused),
	    cmocka_unit_test(a_bomb_meets_the_budget),
	    cmocka_unit_test(a_method_has_its_own_size),
	    cmocka_unit_test(the_digest_is_of_method_and_request),
	    cmocka_unit_test(reflection_finds_and_does_not_find),
	    cmocka_unit_test(the_queue_is_bounded_and_drained),
	    cmocka_unit_test(docs_list_every_method),
	    cmocka_unit_test(docs_list_every_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
