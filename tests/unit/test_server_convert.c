/* Messages to the desk's requests and answers back: forms that change, absent parts, bad times, small budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/convert.h"
#include "server/dispatch.h"
#include "yinzheng/v1/admin.pb-c.h"
#include "yinzheng/v1/licence.pb-c.h"
#include "yinzheng/v1/seal.pb-c.h"
#include "yinzheng/v1/showcode.pb-c.h"
#include "yinzheng/v1/verification.pb-c.h"
#include "yinzheng/v1/window.pb-c.h"

static const struct method *method_of(const char *name)
{
	for (size_t i = 0; i < methods_count; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	fail_msg("no method %s", name);
	return NULL;
}

/* Packs the message and takes the way of a received one. */
static enum err decode(const char *method, struct desk_call *call, const ProtobufCMessage *m)
{
	uint8_t raw[4096];

	assert_true(protobuf_c_message_get_packed_size(m) <= sizeof(raw));
	*call = (struct desk_call){.arena = arena_new(1 << 20)};
	return dispatch_decode(method_of(method), call, span_of(raw, protobuf_c_message_pack(m, raw)));
}

static void head_is_found(void **state)
{
	Y(PullRequest) m = YINZHENG__V1__PULL_REQUEST__INIT;
	Y(Operator) op = YINZHENG__V1__OPERATOR__INIT;
	uint8_t id[16] = {1, 2, 3};
	struct desk_call call;

	op.id = (char *)"u1";
	op.terminal = (char *)"t1";
	m.operator_ = &op;
	m.request_id = (ProtobufCBinaryData){sizeof(id), id};
	m.case_number = (char *)"案-1";
	assert_int_equal(decode("Pull", &call, &m.base), ERR_OK);
	assert_string_equal(call.operator.id, "u1");
	assert_string_equal(call.operator.name, "");
	assert_int_equal(call.request_id.len, 16);
	assert_string_equal(((const struct pull_request *)call.req)->case_number, "案-1");
	assert_non_null(call.ans);
	arena_free(call.arena);
}

/* Every request with nothing in it gives texts that are not NULL, or a refusal that names a field. */
static void empty_requests_are_survived(void **state)
{
	for (size_t i = 0; i < methods_count; i++) {
		if (methods[i].use == NULL)
			continue;
		struct desk_call call = {.arena = arena_new(1 << 20)};
		enum err e = dispatch_decode(&methods[i], &call, span_of("", 0));
		assert_true(e == ERR_OK || (e == ERR_FIELD_MISSING && call.note.field[0] != '\0'));
		assert_true(e != ERR_OK || call.req != NULL);
		arena_free(call.arena);
	}
}

/* With ever smaller budgets decoding fails cleanly. */
static void small_budgets_are_survived(void **state)
{
	for (size_t i = 0; i < methods_count; i++) {
		if (methods[i].use == NULL)
			continue;
		for (size_t budget = 0; budget < 4096; budget += 64) {
			struct desk_call call = {.arena = arena_new(budget)};
			enum err e = dispatch_decode(&methods[i], &call, span_of("", 0));
			assert_true(e == ERR_OK || e == ERR_BUDGET || e == ERR_FIELD_MISSING);
			arena_free(call.arena);
		}
	}
}

static void times_are_checked(void **state)
{
	static const char *const bad[] = {"2026-02-30", "tomorrow", "2026-11-21 08:00:00", "2026-11-21T08:00:00", "1"};
	Y(ChangeStatusRequest) m = YINZHENG__V1__CHANGE_STATUS_REQUEST__INIT;
	struct desk_call call;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m.effective = (char *)bad[i];
		assert_int_equal(decode("ChangeStatus", &call, &m.base), ERR_TIME_INVALID);
		assert_string_equal(call.note.field, "effective");
		arena_free(call.arena);
	}
	m.effective = (char *)"2026-11-21T08:00:00+08:00";
	assert_int_equal(decode("ChangeStatus", &call, &m.base), ERR_OK);
	assert_int_equal(((const struct status_request *)call.req)->effective, 1795219200000);
	arena_free(call.arena);
}

static void roles_are_bits(void **state)
{
	Y(PutPrincipalRequest) m = YINZHENG__V1__PUT_PRINCIPAL_REQUEST__INIT;
	Y(Principal) p = YINZHENG__V1__PRINCIPAL__INIT;
	Y(Role) roles[] = {YINZHENG__V1__ROLE__ROLE_WINDOW, YINZHENG__V1__ROLE__ROLE_INSPECTOR};
	Y(Role) none[] = {YINZHENG__V1__ROLE__ROLE_UNSPECIFIED};
	Y(PrincipalReply) * reply;
	ProtobufCMessage *out;
	struct desk_call call;

	m.principal = &p;
	p.n_roles = 2;
	p.roles = roles;
	assert_int_equal(decode("PutPrincipal", &call, &m.base), ERR_OK);
	assert_int_equal(((const struct principal *)call.req)->roles, ROLE_WINDOW | ROLE_INSPECTOR);
	((struct principal_answer *)call.ans)->principal = *(const struct principal *)call.req;
	assert_int_equal(encode_principal_put(&call, &out), ERR_OK);
	reply = (void *)out;
	assert_int_equal(reply->principal->n_roles, 2);
	assert_int_equal(reply->principal->roles[1], YINZHENG__V1__ROLE__ROLE_INSPECTOR);
	arena_free(call.arena);

	p.n_roles = 1;
	p.roles = none;
	assert_int_equal(decode("PutPrincipal", &call, &m.base), ERR_FIELD_INVALID);
	assert_string_equal(call.note.field, "principal.roles");
	arena_free(call.arena);
}

static void fingerprints_have_their_length(void **state)
{
	Y(PutPrincipalRequest) m = YINZHENG__V1__PUT_PRINCIPAL_REQUEST__INIT;
	Y(Principal) p = YINZHENG__V1__PRINCIPAL__INIT;
	Y(PrincipalKey) k = YINZHENG__V1__PRINCIPAL_KEY__INIT, *keys = &k;
	uint8_t bytes[33] = {0};
	struct desk_call call;

	m.principal = &p;
	p.n_keys = 1;
	p.keys = &keys;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		k.fingerprint = (ProtobufCBinaryData){n, bytes};
		assert_int_equal(decode("PutPrincipal", &call, &m.base), n == FINGERPRINT_LEN ? ERR_OK : ERR_FIELD_INVALID);
		arena_free(call.arena);
	}
}

static void data_given_empty_is_not_data_absent(void **state)
{
	Y(VerifyRequest) m = YINZHENG__V1__VERIFY_REQUEST__INIT;
	struct desk_call call;

	assert_int_equal(decode("Verify", &call, &m.base), ERR_OK);
	assert_null(((const struct verify_request *)call.req)->data.ptr);
	arena_free(call.arena);
	m.has_data = 1;
	assert_int_equal(decode("Verify", &call, &m.base), ERR_OK);
	assert_non_null(((const struct verify_request *)call.req)->data.ptr);
	arena_free(call.arena);
}

static void a_pull_goes_out_whole(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct item_material material = {(char *)"营业执照", (char *)"code", (char *)"", true, 0, NULL};
	struct licence_field field = {(char *)"名称", (char *)"值"};
	struct report *report = report_new(a, KIND_LICENCE);
	struct pulled_material pulled = {.material = &material,
	                                 .type_name = "t",
	                                 .status = MATERIAL_FULFILLED,
	                                 .licence_id = "id",
	                                 .state = LICENCE_VALID,
	                                 .n_fields = 1,
	                                 .fields = &field,
	                                 .report = report,
	                                 .source = "local",
	                                 .why = "",
	                                 .source_time = 1000};
	struct pull_answer ans = {
	    .receipt_id = "YZR-1", .holder_name = "张", .n = 1, .materials = &pulled, .complete = true};
	struct pull_request req = {.brief = false};
	struct desk_call call = {.arena = a, .req = &req, .ans = &ans};
	ProtobufCMessage *out;

	report_check(report, NULL, "structure", CHECK_PASS, "OK", NULL);
	report_check(report, report_signature(report, NULL, "Seal"), "seal", CHECK_FAIL, "SEAL_SIG_BAD", "x");
	assert_int_equal(encode_pull(&call, &out), ERR_OK);
	const Y(PullReply) *r = (void *)out;
	const Y(PulledMaterial) *m = r->materials[0];
	assert_string_equal(m->fields[0]->value, "值");
	assert_string_equal(m->source_time, "1970-01-01T00:00:01Z");
	assert_int_equal(m->verdict->n_checks, 2);
	assert_string_equal(m->verdict->checks[0]->detail, "");
	assert_string_equal(m->verdict->checks[1]->result, "FAIL");
	assert_int_equal(m->status, YINZHENG__V1__MATERIAL_STATUS__MATERIAL_STATUS_FULFILLED);
	conv_replayed(out);
	assert_true(r->replayed);
	req.brief = true;
	for (int good = 0; good < 2; good++) { /* brief leaves out a plain PASS, and only where all is well */
		report->indication = good ? TOTAL_PASSED : TOTAL_FAILED;
		assert_int_equal(encode_pull(&call, &out), ERR_OK);
		assert_int_equal(((Y(PullReply) *)out)->materials[0]->verdict->n_checks, good ? 1 : 2);
	}
	arena_free(a);
}

/* A reply that does not fit is refused, never cut. */
static void replies_meet_the_budget(void **state)
{
	struct state_event events[8];
	struct history_answer ans = {8, events};

	for (size_t i = 0; i < 8; i++)
		events[i] = (struct state_event){(unsigned)i, SEAL_ACTIVE, (char *)"r", 1000, 2000, (char *)"p"};
	for (size_t budget = 0; budget < 8192; budget += 16) {
		struct desk_call call = {.arena = arena_new(budget), .ans = &ans};
		ProtobufCMessage *out = NULL;
		enum err e = encode_seal_history(&call, &out);
		if (e == ERR_OK)
			e = conv_complete(&call);
		assert_true(e == ERR_OK || e == ERR_BUDGET);
		if (e == ERR_OK)
			for (size_t i = 0; i < 8; i++)
				assert_non_null(((Y(HistoryReply) *)out)->events[i]->recorded);
		arena_free(call.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(head_is_found),
	    cmocka_unit_test(empty_requests_are_survived),
	    cmocka_unit_test(small_budgets_are_survived),
	    cmocka_unit_test(times_are_checked),
	    cmocka_unit_test(roles_are_bits),
	    cmocka_unit_test(fingerprints_have_their_length),
	    cmocka_unit_test(data_given_empty_is_not_data_absent),
	    cmocka_unit_test(a_pull_goes_out_whole),
	    cmocka_unit_test(replies_meet_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
