/* An inspection at the desk: by code and by right. */
#include "flow_help.h"

/* ---- inspection ----------------------------------------------------------------------------- */

static void inspect_by_code(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct inspect_request r = {show_code(w, id), "", "", "", "某路口", false};
	struct inspect_answer ans = {0};
	struct by_id_request get;
	struct file_answer file = {0};

	refused(w, ask(w, the_window(), &use_inspect, &r, &ans), ERR_CODE_AUDIENCE, "code");
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_int_equal(ans.n, 1);
	assert_true(ans.licences[0].usable);
	assert_int_equal(ans.licences[0].n_face, 2);
	assert_string_equal(ans.licences[0].issuer_name, "云州市市场监督管理局");
	assert_string_equal(ans.holder_name, NAME);
	assert_string_equal(ans.presenter_capacity, "self");
	get.id = ans.receipt_id;
	assert_err(ask(w, the_inspector(), &use_receipt_get, &get, &file), ERR_OK);
	assert_int_equal(verified_receipt(w, file.file)->kind, RECEIPT_INSPECT);
	refused(w, ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_CODE_USED, "code");
	r.code = use_code(w);
	refused(w, ask(w, the_window(), &use_inspect, &r, &ans), ERR_CODE_KIND, "code");
	r.code = show_code(w, id);
	w->clock += 60 * 1000;
	refused(w, ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_CODE_EXPIRED, "code");
}

static void windows_look_at_shows_for_windows(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct code_request code = show_request(w, &id, 1);
	struct inspect_request r = {"", "", "", "", "", false};
	struct inspect_answer ans = {0};

	code.audience = AUDIENCE_WINDOWS;
	r.code = coded(w, w->desk, code);
	refused(w, ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_CODE_AUDIENCE, "code");
	assert_err(ask(w, the_window(), &use_inspect, &r, &ans), ERR_OK);
	assert_err(ask(w, the_wallet(), &use_inspect, &r, &ans), ERR_ROLE_MISSING);
}

static void inspect_shows_chosen_fields_only(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *name = "姓名";
	struct show_selection s = {id, 1, &name};
	struct code_request code = show_request(w, &id, 1);
	struct inspect_answer ans = {0};
	struct inspect_request r = {"", "", "", "", "", false};

	code.show = &s;
	r.code = coded(w, w->desk, code);
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_int_equal(ans.licences[0].n_face, 1);
	assert_string_equal(ans.licences[0].face[0].name, "姓名");
}

static void inspect_suspended_shows_no_personal_field(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, food_request(w));
	struct inspect_request r = {show_code(w, id), "", "", "", "", false};
	struct inspect_answer ans = {0};

	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_false(ans.licences[0].usable);
	assert_int_equal(ans.licences[0].state, LICENCE_SUSPENDED);
	assert_int_equal(ans.licences[0].report->indication, TOTAL_PASSED);
	assert_int_equal(ans.licences[0].n_face, 2);
	for (size_t i = 0; i < ans.licences[0].n_face; i++)
		assert_string_not_equal(ans.licences[0].face[i].name, "法定代表人");
	r = (struct inspect_request){"", id, "食品安全法", "检查", "", false};
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_string_equal(ans.holder_name, "");
}

static void statutory_rules(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct principal plain = the_inspector(), narrow = the_inspector();
	char *food_only[] = {TEXT(TYPE_FOOD)};
	struct inspect_request good = {"", id, "居民身份证法 15 条", "查验", "某路口", false}, r = good;
	struct inspect_answer ans = {0};

	plain.id = TEXT("inspector-2"), plain.statutory = false;
	narrow.id = TEXT("inspector-3"), narrow.types = food_only;
	plain = enrolled(w, plain), narrow = enrolled(w, narrow);
	refused(w, ask(w, plain, &use_inspect, &r, &ans), ERR_STATUTORY_NOT_GRANTED, "licence_id");
	refused(w, ask(w, narrow, &use_inspect, &r, &ans), ERR_TYPE_NOT_ALLOWED, "licence_id");
#define REFUSED(e, f) refused(w, ask(w, the_inspector(), &use_inspect, &r, &ans), e, f)
	r.basis = "";
	REFUSED(ERR_BASIS_MISSING, "basis");
	r = good, r.purpose = "";
	REFUSED(ERR_PURPOSE_MISSING, "purpose");
	r = good, r.licence_id = "1.2.156.3005.2.x";
	REFUSED(ERR_LICENCE_ID_INVALID, "licence_id");
	r = good, r.licence_id = "";
	REFUSED(ERR_FIELD_MISSING, "code");
	r = good, r.code = "YZ1";
	REFUSED(ERR_FIELD_INVALID, "licence_id");
	r = good;
	char *unknown;
	assert_err(licence_id_make(w->arena, TYPE_PERSON, SAMR, "0000000000", 1, &unknown), ERR_OK);
	r.licence_id = unknown;
	REFUSED(ERR_LICENCE_UNKNOWN, "licence_id");
	r = good;
	w->operator.id = TEXT("");
	REFUSED(ERR_OPERATOR_MISSING, "operator.id");
#undef REFUSED
	w->operator.id = TEXT("op-7");
	assert_err(ask(w, the_inspector(), &use_inspect, &good, &ans), ERR_OK);
	assert_string_equal(ans.holder_name, NAME);
	assert_int_equal(ans.licences[0].n_face, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(inspect_by_code),
	    WORLD(windows_look_at_shows_for_windows),
	    WORLD(inspect_shows_chosen_fields_only),
	    WORLD(inspect_suspended_shows_no_personal_field),
	    WORLD(statutory_rules),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
