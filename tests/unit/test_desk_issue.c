/* Licences at the desk: issuing, states, whose they are; and how each is refused. */
#include "flow_help.h"

/* ---- issuing -------------------------------------------------------------------------------- */

static void issue_makes_a_licence_that_verifies(void **state)
{
	struct world *w = *state;
	struct licence_answer ans = {0};
	struct issue_request r = food_request(w);
	struct by_id_request get = {0};
	struct file_answer file = {0};
	struct verify_policy strict = strict_policy(w->arena);
	struct verify_input in;
	struct report *report;

	assert_err(ask(w, the_issuer(), &use_issue, &r, &ans), ERR_OK);
	assert_true(licence_id_ok(span_str(ans.record.id)));
	assert_string_equal(ans.record.fields[0].name, "经营者名称");
	assert_int_equal(ans.state, LICENCE_VALID);
	assert_true(ans.record.valid_to > ans.record.valid_from + 1825 * DAY);
	get.id = ans.record.id;
	assert_err(ask(w, the_issuer(), &use_licence_file, &get, &file), ERR_OK);
	in = (struct verify_input){.bytes = file.file, .now = w->clock, .proven_time = w->clock};
	assert_err(verify_licence(w->arena, &strict, &in, &report), ERR_OK);
	expect("issued", report, TOTAL_PASSED, SUB_NONE, "OK");
	assert_err(ask(w, the_issuer(), &use_licence_get, &get, &ans), ERR_OK);
	assert_string_equal(licence_field_value(&ans.record, "类别"), "散装");
}

/* One fault each, over the good request. */
struct issue_fault {
	const char *what;
	void (*spoil)(struct world *w, struct issue_request *r);
	enum err want;
	const char *field;
};

static struct licence_field *field_at(struct issue_request *r, size_t i)
{
	return (struct licence_field *)(uintptr_t)&r->fields[i];
}
static struct licence_holder *holder_at(struct issue_request *r, size_t i)
{
	return (struct licence_holder *)(uintptr_t)&r->holders[i];
}

#define SPOIL(name, ...)                                                                                               \
	static void name(struct world *w, struct issue_request *r)                                                         \
	{                                                                                                                  \
		(void)w;                                                                                                       \
		__VA_ARGS__;                                                                                                   \
	}
SPOIL(no_type, r->type_code = "")
SPOIL(foreign_type, r->type_code = TYPE_HOUSE)
SPOIL(no_number, r->number = " ")
SPOIL(wide_blank_number, r->number = "\u3000")
SPOIL(padded_number, r->number = "JY-1\u00a0")
SPOIL(invisible_number, r->number = "JY\u200b-1")
SPOIL(control_number, r->number = "A\x01")
SPOIL(no_holder, r->n_holders = 0)
SPOIL(bad_holder, holder_at(r, 0)->code = TEXT("110101199003070019"))
SPOIL(bad_holder_type, holder_at(r, 0)->code_type = TEXT("777"))
SPOIL(nameless, holder_at(r, 0)->name = TEXT(""))
SPOIL(unknown_field, field_at(r, 1)->name = TEXT("身高"))
SPOIL(double_field, field_at(r, 1)->name = TEXT("经营者名称"))
SPOIL(missing_field, field_at(r, 0)->value = TEXT(""))
SPOIL(bad_choice, field_at(r, 2)->value = TEXT("现场制售"))
SPOIL(bad_date, r->n_fields = 4; *field_at(r, 3) = ((struct licence_field){TEXT("开业日期"), TEXT("2026-02-30")}))
SPOIL(unclean_value, field_at(r, 0)->value = TEXT("a\xff"))
SPOIL(bad_area, r->area_code = "99O1")
SPOIL(bad_serial, r->serial = "ab")
SPOIL(ends_before, r->valid_to = w->clock - DAY; r->valid_from = w->clock)
SPOIL(ended, r->valid_from = w->clock - 2 * DAY; r->valid_to = w->clock - DAY)
SPOIL(too_long, r->valid_to = w->clock + 2000 * DAY)
SPOIL(seal_unknown, r->seal_id = "SEAL-9")

static void issue_refusals(void **state)
{
	static const struct issue_fault faults[] = {
	    {"no type", no_type, ERR_FIELD_MISSING, "type_code"},
	    {"foreign type", foreign_type, ERR_TYPE_NOT_OWN, "type_code"},
	    {"no number", no_number, ERR_FIELD_MISSING, "number"},
	    {"a wide blank", wide_blank_number, ERR_FIELD_MISSING, "number"},
	    {"a number that looks like another", padded_number, ERR_FIELD_INVALID, "number"},
	    {"a number that looks like another", invisible_number, ERR_TEXT_INVALID, "number"},
	    {"control character", control_number, ERR_TEXT_INVALID, "number"},
	    {"no holder", no_holder, ERR_FIELD_MISSING, "holders"},
	    {"bad holder code", bad_holder, ERR_HOLDER_CODE_INVALID, "holders.code"},
	    {"unknown code type", bad_holder_type, ERR_HOLDER_CODE_INVALID, "holders.code"},
	    {"nameless holder", nameless, ERR_FIELD_MISSING, "holders.name"},
	    {"unknown field", unknown_field, ERR_FIELD_UNKNOWN, "fields"},
	    {"field given twice", double_field, ERR_FIELD_INVALID, "经营者名称"},
	    {"field missing", missing_field, ERR_FIELD_MISSING, "经营者名称"},
	    {"not one of the choices", bad_choice, ERR_FIELD_INVALID, "类别"},
	    {"no such day", bad_date, ERR_FIELD_INVALID, "开业日期"},
	    {"not UTF-8", unclean_value, ERR_TEXT_INVALID, "经营者名称"},
	    {"letters in the area code", bad_area, ERR_FIELD_INVALID, "area_code"},
	    {"lower case serial", bad_serial, ERR_LICENCE_ID_INVALID, "serial"},
	    {"ends before it begins", ends_before, ERR_TIME_INVALID, "valid_to"},
	    {"has ended", ended, ERR_TIME_INVALID, "valid_to"},
	    {"longer than the type allows", too_long, ERR_TIME_INVALID, "valid_to"},
	    {"unknown seal", seal_unknown, ERR_SEAL_UNKNOWN, "seal_id"},
	};
	struct world *w = *state;
	char *food_only[] = {TEXT(TYPE_FOOD)};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct issue_request r = food_request(w);
		struct principal p = the_issuer();
		struct licence_answer ans = {0};

		p.id = arena_printf(w->arena, "issuer-%zu", i);
		p.types = food_only;
		faults[i].spoil(w, &r);
		print_message("%s\n", faults[i].what);
		refused(w, ask(w, enrolled(w, p), &use_issue, &r, &ans), faults[i].want, faults[i].field);
	}
}

static void issue_needs_the_own_seal(void **state)
{
	struct world *w = *state;
	struct principal mnr = enrolled(w, someone("mnr", MNR, ROLE_ISSUER));
	struct issue_request r = food_request(w);
	struct licence_answer ans = {0};

	refused(w, ask(w, mnr, &use_issue, &r, &ans), ERR_FIELD_MISSING, "seal_id");
	r.seal_id = "SEAL-1";
	refused(w, ask(w, mnr, &use_issue, &r, &ans), ERR_SEAL_NOT_OWN, "seal_id");
	assert_err(ask(w, the_window(), &use_issue, &r, &ans), ERR_ROLE_MISSING);
	w->operator.id = TEXT("");
	assert_err(ask(w, the_issuer(), &use_issue, &r, &ans), ERR_OPERATOR_MISSING);
}

static void issue_twice_is_refused(void **state)
{
	struct world *w = *state;
	struct issue_request r = food_request(w);
	struct licence_answer ans = {0};

	issued(w, r);
	refused(w, ask(w, the_issuer(), &use_issue, &r, &ans), ERR_ALREADY_EXISTS, "number");
}

static void states_change_by_rule(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, food_request(w));
	struct status_request r = {.id = id, .reason = "", .state = LICENCE_SUSPENDED};
	struct by_id_request get = {id};
	struct history_answer history = {0};
	struct licence_answer ans = {0};

	refused(w, ask(w, the_issuer(), &use_licence_status, &r, &ans), ERR_FIELD_MISSING, "reason");
	r.reason = "检查不合格";
	r.effective = w->clock + DAY;
	refused(w, ask(w, the_issuer(), &use_licence_status, &r, &ans), ERR_TIME_INVALID, "effective");
	r.effective = w->clock - DAY;
	refused(w, ask(w, the_issuer(), &use_licence_status, &r, &ans), ERR_TIME_INVALID, "effective");
	refused(w, set_state(w, id, LICENCE_EXPIRED), ERR_STATE_CHANGE_INVALID, "state");
	refused(w, set_state(w, id, LICENCE_VALID), ERR_LICENCE_STATE, "state");
	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	refused(w, set_state(w, id, LICENCE_SUSPENDED), ERR_LICENCE_STATE, "state");
	assert_err(set_state(w, id, LICENCE_VALID), ERR_OK);
	assert_err(set_state(w, id, LICENCE_REVOKED), ERR_OK);
	refused(w, set_state(w, id, LICENCE_VALID), ERR_LICENCE_STATE, "state");
	refused(w, set_state(w, id, LICENCE_CANCELLED), ERR_LICENCE_STATE, "state");
	assert_err(ask(w, the_issuer(), &use_licence_history, &get, &history), ERR_OK);
	assert_int_equal(history.n, 4);
	assert_int_equal(history.events[3].state, LICENCE_REVOKED);
}

static void licences_of_others_are_not_read(void **state)
{
	struct world *w = *state;
	struct by_id_request get = {issued(w, food_request(w))};
	struct principal mnr = enrolled(w, someone("mnr", MNR, ROLE_ISSUER));
	struct licence_answer ans = {0};
	struct file_answer file = {0};
	struct licence_list_request all = {.type_code = "", .page_token = ""};
	struct licence_list_answer list = {0};

	refused(w, ask(w, mnr, &use_licence_get, &get, &ans), ERR_LICENCE_NOT_OWN, "id");
	refused(w, ask(w, mnr, &use_licence_file, &get, &file), ERR_LICENCE_NOT_OWN, "id");
	assert_err(ask(w, mnr, &use_licence_list, &all, &list), ERR_OK);
	assert_int_equal(list.n, 0);
	assert_err(ask(w, the_issuer(), &use_licence_list, &all, &list), ERR_OK);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.type_names[0], "食品经营许可证");
	get.id = "1.2.156.3005.2.nothing";
	refused(w, ask(w, the_issuer(), &use_licence_get, &get, &ans), ERR_LICENCE_UNKNOWN, "id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(issue_makes_a_licence_that_verifies),
	    WORLD(issue_refusals),
	    WORLD(issue_needs_the_own_seal),
	    WORLD(issue_twice_is_refused),
	    WORLD(states_change_by_rule),
	    WORLD(licences_of_others_are_not_read),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
