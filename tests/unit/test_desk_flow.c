/* The main job at the desk: issue, preview, show-code, pull, receipt, inspection; and how each of them is refused. */
#include <pthread.h>
#include <sqlite3.h>

#include "desk_help.h"

static void refused(struct world *w, enum err got, enum err want, const char *field)
{
	assert_err(got, want);
	assert_string_equal(w->note.field, field);
	assert_int_equal(w->note.code, want);
}

static const char *value_in(const struct pulled_material *m, const char *name)
{
	for (size_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].name, name) == 0)
			return m->fields[i].value;
	return NULL;
}

static struct verify_policy strict_policy(struct arena *a)
{
	struct verify_policy p = {0};
	struct err_note note = {0};

	assert_err(policy_load(a, "strict", &p, &note), ERR_OK);
	p.trust = pki.trust;
	return p;
}

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

/* ---- presenter and authentication ----------------------------------------------------------- */

struct presenter_fault {
	const char *what;
	void (*spoil)(struct world *w, struct holder_request *r);
	enum err want;
	const char *field;
};

#define SPOIL_SHOW(name, ...)                                                                                          \
	static void name(struct world *w, struct holder_request *r)                                                        \
	{                                                                                                                  \
		(void)w;                                                                                                       \
		__VA_ARGS__;                                                                                                   \
	}
SPOIL_SHOW(no_presenter, r->presenter.name = "")
SPOIL_SHOW(no_presenter_code, r->presenter.code = "")
SPOIL_SHOW(no_capacity, r->presenter.capacity = 0)
SPOIL_SHOW(strange_capacity, r->presenter.capacity = (enum capacity)9)
SPOIL_SHOW(self_is_other, r->presenter.code = w->other_code)
SPOIL_SHOW(agent_is_self, r->presenter.capacity = CAPACITY_AGENT)
SPOIL_SHOW(legal_of_person, r->presenter.capacity = CAPACITY_LEGAL_REPRESENTATIVE; r->presenter.code = w->other_code)
SPOIL_SHOW(no_method, r->presenter.auth_method = "")
SPOIL_SHOW(no_level, r->presenter.auth_level = 0)
SPOIL_SHOW(level_five, r->presenter.auth_level = 5)
SPOIL_SHOW(no_time, r->presenter.auth_time = 0)
SPOIL_SHOW(old_time, r->presenter.auth_time = w->clock - 31 * 60 * 1000)
SPOIL_SHOW(future_time, r->presenter.auth_time = w->clock + 10 * 60 * 1000)
SPOIL_SHOW(bad_code, r->holder.code = TEXT("110101199003070019"))
SPOIL_SHOW(no_such_item, r->item_code = "YZ-ITEM-9")

static void presenter_refusals(void **state)
{
	static const struct presenter_fault faults[] = {
	    {"no presenter", no_presenter, ERR_PRESENTER_MISSING, "presenter.name"},
	    {"no code", no_presenter_code, ERR_PRESENTER_MISSING, "presenter.code"},
	    {"no capacity", no_capacity, ERR_PRESENTER_MISSING, "presenter.capacity"},
	    {"strange capacity", strange_capacity, ERR_FIELD_INVALID, "presenter.capacity"},
	    {"self is another", self_is_other, ERR_FIELD_INVALID, "presenter.capacity"},
	    {"agent is the holder", agent_is_self, ERR_FIELD_INVALID, "presenter.capacity"},
	    {"legal representative of a person", legal_of_person, ERR_FIELD_INVALID, "presenter.capacity"},
	    {"no method", no_method, ERR_PRESENTER_MISSING, "presenter.authentication.method"},
	    {"no level", no_level, ERR_PRESENTER_MISSING, "presenter.authentication.level"},
	    {"level 5", level_five, ERR_FIELD_INVALID, "presenter.authentication.level"},
	    {"no time", no_time, ERR_PRESENTER_MISSING, "presenter.authentication.time"},
	    {"31 minutes ago", old_time, ERR_TIME_INVALID, "presenter.authentication.time"},
	    {"in the future", future_time, ERR_TIME_INVALID, "presenter.authentication.time"},
	    {"holder's code", bad_code, ERR_HOLDER_CODE_INVALID, "holder.code"},
	    {"unknown item", no_such_item, ERR_ITEM_UNKNOWN, "item_code"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct holder_request r = {.holder = the_holder(w), .presenter = himself(w), .item_code = ""};
		struct holder_answer ans = {0};

		print_message("%s\n", faults[i].what);
		faults[i].spoil(w, &r);
		refused(w, ask(w, the_wallet(), &use_holder_licences, &r, &ans), faults[i].want, faults[i].field);
	}
}

static void others_may_present(void **state)
{
	struct world *w = *state;
	struct holder_request r = {.holder = the_holder(w), .presenter = himself(w), .item_code = ""};
	struct holder_answer ans = {0};

	r.presenter.capacity = CAPACITY_GUARDIAN;
	r.presenter.code = w->parent_code;
	assert_err(ask(w, the_wallet(), &use_holder_licences, &r, &ans), ERR_OK);
	r.holder.code_type = TEXT("001");
	r.holder.code = TEXT(CENTRE);
	r.presenter.capacity = CAPACITY_HANDLER;
	assert_err(ask(w, the_wallet(), &use_holder_licences, &r, &ans), ERR_OK);
	assert_int_equal(ans.n, 0);
	assert_err(ask(w, the_window(), &use_holder_licences, &r, &ans), ERR_ROLE_MISSING);
}

/* ---- preview -------------------------------------------------------------------------------- */

static void preview_is_what_would_leave(void **state)
{
	struct world *w = *state;
	struct holder_answer empty, one, two;

	empty = preview(w, w->desk);
	assert_int_equal(empty.n, 0);
	assert_int_equal(empty.n_preview, 3);
	assert_string_equal(empty.preview[0].licence_id, "");
	issued(w, person_request(w));
	one = preview(w, w->desk);
	issued(w, food_request(w));
	two = preview(w, w->desk);
	assert_int_equal(two.n, 2);
	assert_string_equal(two.licences[0].issuer_name, "云州市市场监督管理局");
	assert_int_equal(two.preview[0].n_fields, 2);
	assert_string_equal(two.preview[0].fields[1].value, w->id_code);
	assert_int_equal(two.preview[1].n_fields, 1);
	assert_string_equal(two.preview[1].fields[0].value, "张三小吃店");
	assert_string_equal(two.item_name, "食品经营许可变更");
	assert_memory_not_equal(one.preview_digest, two.preview_digest, SM3_LEN);
	one = preview(w, w->desk);
	assert_memory_equal(one.preview_digest, two.preview_digest, SM3_LEN);
}

static void preview_takes_the_valid_one(void **state)
{
	struct world *w = *state;
	struct issue_request r = food_request(w);
	const char *first = issued(w, r), *second;
	struct holder_answer p;

	w->clock += 1000;
	r.number = "JY-0002";
	second = issued(w, r);
	p = preview(w, w->desk);
	assert_string_equal(p.preview[1].licence_id, second);
	assert_err(set_state(w, second, LICENCE_SUSPENDED), ERR_OK);
	p = preview(w, w->desk);
	assert_string_equal(p.preview[1].licence_id, first);
	assert_err(set_state(w, first, LICENCE_REVOKED), ERR_OK);
	p = preview(w, w->desk);
	assert_string_equal(p.preview[1].licence_id, second);
	assert_int_equal(p.preview[1].state, LICENCE_SUSPENDED);
	assert_int_equal(p.preview[1].n_fields, 0);
}

/* A renewal that was issued ahead does not hide the licence that it will replace. */
static void preview_waits_for_a_renewal(void **state)
{
	struct world *w = *state;
	struct issue_request r = food_request(w);
	const char *present = issued(w, r), *next;

	w->clock += 1000;
	r.number = "JY-0002";
	r.valid_from = w->clock + 3600 * 1000;
	next = issued(w, r);
	assert_string_equal(preview(w, w->desk).preview[1].licence_id, present);
	w->clock = r.valid_from;
	assert_string_equal(preview(w, w->desk).preview[1].licence_id, next);
}

/* More than a list holds: the oldest can still be used and shown. */
static void very_many_licences(void **state)
{
	struct world *w = *state;
	const char *oldest = issued(w, person_request(w));
	struct issue_request r = food_request(w);
	struct code_request show = show_request(w, &oldest, 1);
	struct code_answer code = {0};
	struct holder_answer p;

	for (int i = 0; i <= HOLDER_LICENCES_MAX; i++) {
		r.number = arena_printf(w->arena, "JY-%04d", i);
		issued(w, r);
	}
	p = preview(w, w->desk);
	assert_int_equal(p.n, HOLDER_LICENCES_MAX);
	assert_string_equal(p.preview[0].licence_id, oldest);
	assert_err(ask(w, the_wallet(), &use_code_issue, &show, &code), ERR_OK);
}

/* ---- making codes --------------------------------------------------------------------------- */

static void code_refusals(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct holder_answer p = preview(w, w->desk);
	struct code_request good = use_request(w, &p), r = good;
	struct code_answer ans = {0};
	const char *strange[] = {"1.2.3"};

#define REFUSED(e, f) refused(w, ask(w, the_wallet(), &use_code_issue, &r, &ans), e, f)
	r.kind = 0;
	REFUSED(ERR_FIELD_INVALID, "kind");
	r = good, r.purpose = "";
	REFUSED(ERR_PURPOSE_MISSING, "purpose");
	r = good, r.item_code = "";
	REFUSED(ERR_ITEM_MISSING, "item_code");
	r = good, r.audience = 0;
	REFUSED(ERR_FIELD_MISSING, "audience.kind");
	r = good, r.audience = AUDIENCE_INSPECTORS;
	REFUSED(ERR_FIELD_INVALID, "audience.kind");
	r = good, r.audience = AUDIENCE_ORGANISATION;
	REFUSED(ERR_ORG_CODE_INVALID, "audience.org_code");
	r = good, r.audience_org = CENTRE;
	REFUSED(ERR_FIELD_INVALID, "audience.org_code");
	r = good, r.life_seconds = 301;
	REFUSED(ERR_FIELD_INVALID, "life_seconds");
	r = good, r.preview_digest = span_of(NULL, 0);
	REFUSED(ERR_FIELD_MISSING, "preview_digest");
	r = good, r.preview_digest = span_of("short", 5);
	REFUSED(ERR_FIELD_INVALID, "preview_digest");
	r = good, r.n_declined = 1, r.declined = strange;
	REFUSED(ERR_LICENCE_UNKNOWN, "declined_licences");
	r = good, r.n_declined = 1, r.declined = &id;
	REFUSED(ERR_NOTHING_TO_SHOW, "");
	r = show_request(w, strange, 1);
	REFUSED(ERR_LICENCE_UNKNOWN, "show.licence_id");
	r = show_request(w, &id, 0);
	REFUSED(ERR_FIELD_MISSING, "show");
	r = show_request(w, (const char *[]){id, id}, 2);
	REFUSED(ERR_FIELD_INVALID, "show.licence_id");
	r = good;
	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	REFUSED(ERR_PREVIEW_CHANGED, "preview_digest");
#undef REFUSED
}

static void show_fields_must_be_of_the_face(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *fields[] = {"姓名", "住址"};
	struct show_selection s = {id, 2, fields};
	struct code_request r = show_request(w, &id, 1);
	struct code_answer ans = {0};

	r.show = &s;
	refused(w, ask(w, the_wallet(), &use_code_issue, &r, &ans), ERR_FIELD_UNKNOWN, "show.fields");
	fields[1] = "姓名";
	refused(w, ask(w, the_wallet(), &use_code_issue, &r, &ans), ERR_FIELD_INVALID, "show.fields");
	s.n_fields = 1;
	assert_err(ask(w, the_wallet(), &use_code_issue, &r, &ans), ERR_OK);
	assert_int_equal(ans.expires, w->clock + 60 * 1000);
}

static void cancelled_codes_are_dead(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct code_cancel_request r = {the_holder(w), himself(w), show_code(w, id)};
	struct code_cancel_request stranger = r;
	struct principal other = enrolled(w, someone("wallet-2", CENTRE, ROLE_WALLET));
	struct inspect_request look = {r.code, "", "", "", ""};
	struct inspect_answer ans = {0};

	stranger.holder.code = w->other_code;
	stranger.presenter.code = w->other_code;
	refused(w, ask(w, the_wallet(), &use_code_cancel, &stranger, NULL), ERR_CODE_UNKNOWN, "code");
	refused(w, ask(w, other, &use_code_cancel, &r, NULL), ERR_CODE_UNKNOWN, "code");
	stranger = r, stranger.code = "YZ1nonsense";
	refused(w, ask(w, the_wallet(), &use_code_cancel, &stranger, NULL), ERR_CODE_MALFORMED, "code");
	assert_err(ask(w, the_wallet(), &use_code_cancel, &r, NULL), ERR_OK);
	assert_err(ask(w, the_wallet(), &use_code_cancel, &r, NULL), ERR_OK);
	refused(w, ask(w, the_inspector(), &use_inspect, &look, &ans), ERR_CODE_CANCELLED, "code");
	r.code = show_code(w, id);
	look.code = r.code;
	assert_err(ask(w, the_inspector(), &use_inspect, &look, &ans), ERR_OK);
	refused(w, ask(w, the_wallet(), &use_code_cancel, &r, NULL), ERR_CODE_USED, "code");
}

/* ---- pulling -------------------------------------------------------------------------------- */

static void pull_gives_what_the_item_names(void **state)
{
	struct world *w = *state;
	const char *code;
	struct pull_answer ans = {0};

	issued(w, person_request(w));
	issued(w, food_request(w));
	code = use_code(w);
	assert_err(pulled(w, code, &ans), ERR_OK);
	assert_int_equal(ans.n, 3);
	assert_true(ans.complete);
	assert_string_equal(ans.holder_name, NAME);
	assert_int_equal(ans.time, w->clock);
	assert_int_equal(ans.materials[0].status, MATERIAL_FULFILLED);
	assert_int_equal(ans.materials[0].n_fields, 2);
	assert_string_equal(value_in(&ans.materials[0], "公民身份号码"), w->id_code);
	assert_null(value_in(&ans.materials[0], "住址"));
	assert_int_equal(ans.materials[0].report->indication, TOTAL_PASSED);
	assert_string_equal(ans.materials[0].source, "local");
	assert_int_equal(ans.materials[1].n_fields, 1);
	assert_int_equal(ans.materials[2].status, MATERIAL_MISSING);
	assert_null(ans.materials[2].report);
	refused(w, pulled(w, code, &ans), ERR_CODE_USED, "code");
}

/* Each refusal, and after all of them the code is still good. */
static void refusals_spend_nothing(void **state)
{
	struct world *w = *state;
	char *other_item[] = {TEXT(ITEM_OTHER)};
	struct principal narrow = the_window();
	struct pull_answer ans = {0};
	const char *id = issued(w, person_request(w)), *code = use_code(w);
	struct pull_request good = pull_of(code), r = good;

	narrow.id = TEXT("window-2"), narrow.items = other_item;
	narrow = enrolled(w, narrow);
	refused(w, ask(w, narrow, &use_pull, &r, &ans), ERR_ITEM_NOT_ALLOWED, "item_code");
#define REFUSED(e, f) refused(w, ask(w, the_window(), &use_pull, &r, &ans), e, f)
	r.item_code = "";
	REFUSED(ERR_ITEM_MISSING, "item_code");
	r = good, r.purpose = "";
	REFUSED(ERR_PURPOSE_MISSING, "purpose");
	r = good, r.case_number = "";
	REFUSED(ERR_CASE_MISSING, "case_number");
	r = good, r.case_number = "\u3000"; /* the blank that a Chinese keyboard types */
	REFUSED(ERR_CASE_MISSING, "case_number");
	r = good, r.code = "hello";
	REFUSED(ERR_CODE_MALFORMED, "code");
	r = good, r.code = "YZ100000000000000000000000000000000";
	REFUSED(ERR_CODE_UNKNOWN, "code");
	r = good, r.item_code = ITEM_OTHER;
	REFUSED(ERR_CODE_ITEM, "item_code");
	r = good, r.code = show_code(w, id);
	REFUSED(ERR_CODE_AUDIENCE, "code");
	r = good;
	w->operator.terminal = TEXT("");
	REFUSED(ERR_OPERATOR_MISSING, "operator.terminal");
	w->operator.terminal = TEXT("T1");
#undef REFUSED
	assert_err(ask(w, the_wallet(), &use_pull, &r, &ans), ERR_ROLE_MISSING);
	assert_err(pulled(w, code, &ans), ERR_OK);
	assert_false(ans.complete);
}

static void audience_and_kind(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct holder_answer p = preview(w, w->desk);
	struct code_request r = use_request(w, &p);
	struct pull_answer ans = {0};
	struct principal mnr = enrolled(w, someone("window-mnr", MNR, ROLE_WINDOW));
	struct pull_request pull;
	const char *code;

	r.audience = AUDIENCE_ORGANISATION, r.audience_org = MNR;
	code = coded(w, w->desk, r);
	refused(w, pulled(w, code, &ans), ERR_CODE_AUDIENCE, "code");
	pull = pull_of(code);
	assert_err(ask(w, mnr, &use_pull, &pull, &ans), ERR_OK);
	refused(w, pulled(w, code, &ans), ERR_CODE_AUDIENCE, "code");
	r = show_request(w, &id, 1), r.audience = AUDIENCE_WINDOWS;
	code = coded(w, w->desk, r);
	refused(w, pulled(w, code, &ans), ERR_CODE_KIND, "code");
}

static void codes_expire(void **state)
{
	struct world *w = *state;
	struct pull_answer ans = {0};
	const char *early, *late;

	issued(w, person_request(w));
	early = use_code(w), late = use_code(w);
	w->clock += 59999;
	assert_err(pulled(w, early, &ans), ERR_OK);
	w->clock += 1;
	refused(w, pulled(w, late, &ans), ERR_CODE_EXPIRED, "code");
	issued(w, food_request(w)); /* the store has written this time down: */
	w->clock -= DAY;            /* a clock that is set back makes no code young again */
	refused(w, pulled(w, late, &ans), ERR_CODE_EXPIRED, "code");
	refused(w, pulled(w, early, &ans), ERR_CODE_USED, "code");
}

static void state_between_show_and_pull(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code = use_code(w);
	struct pull_answer ans = {0};

	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	assert_err(pulled(w, code, &ans), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
	assert_int_equal(ans.materials[0].state, LICENCE_SUSPENDED);
	assert_int_equal(ans.materials[0].report->indication, TOTAL_PASSED);
	assert_int_equal(ans.materials[0].n_fields, 0);
	assert_string_equal(ans.materials[0].why, "The licence is suspended.");
	assert_false(ans.complete);
}

static void expired_by_time(void **state)
{
	struct world *w = *state;
	struct issue_request r = food_request(w);
	struct pull_answer ans = {0};
	const char *code;

	r.valid_to = w->clock + 30 * 1000;
	issued(w, r);
	code = use_code(w);
	w->clock += 31 * 1000;
	assert_err(pulled(w, code, &ans), ERR_OK);
	assert_int_equal(ans.materials[1].status, MATERIAL_NOT_VALID);
	assert_int_equal(ans.materials[1].state, LICENCE_EXPIRED);
}

static void declined_is_not_granted(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct holder_answer p;
	struct code_request r;
	struct pull_answer ans = {0};

	issued(w, food_request(w));
	p = preview(w, w->desk);
	r = use_request(w, &p);
	r.n_declined = 1, r.declined = &id;
	assert_err(pulled(w, coded(w, w->desk, r), &ans), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_GRANTED);
	assert_int_equal(ans.materials[0].n_fields, 0);
	assert_string_equal(ans.materials[0].licence_id, "");
	assert_int_equal(ans.materials[1].status, MATERIAL_FULFILLED);
}

/* What could not be used when the citizen agreed does not leave because it was restored since. */
static void restored_after_the_preview(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code;
	struct pull_answer ans = {0};

	issued(w, food_request(w));
	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	code = use_code(w);
	assert_err(set_state(w, id, LICENCE_VALID), ERR_OK);
	assert_err(pulled(w, code, &ans), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_GRANTED);
	assert_int_equal(ans.materials[0].n_fields, 0);
}

/* A seal that turns out to have been revoked before it was used. */
static enum err revoke_seal(struct store_tx *tx, void *arg)
{
	struct state_event e = {
	    .state = SEAL_REVOKED, .reason = TEXT("遗失"), .effective = *(int64_t *)arg, .principal = TEXT("sealer")};

	return store_seal_change(tx, "SEAL-1", 1, &e);
}

static void seal_revoked_before_use(void **state)
{
	struct world *w = *state;
	const char *code;
	struct pull_answer ans = {0};
	int64_t before;

	issued(w, person_request(w));
	code = use_code(w);
	before = w->clock - HOUR;
	assert_err(store_write(w->store, revoke_seal, &before), ERR_OK);
	assert_err(pulled(w, code, &ans), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
}

static void seal_revoked_after_use(void **state)
{
	struct world *w = *state;
	struct issue_request r = food_request(w);
	struct licence_answer issue = {0};
	const char *code;
	struct pull_answer ans = {0};
	int64_t after;

	issued(w, person_request(w));
	w->clock += 1000;
	after = w->clock;
	assert_err(store_write(w->store, revoke_seal, &after), ERR_OK);
	code = use_code(w);
	assert_err(pulled(w, code, &ans), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_FULFILLED);
	assert_err(ask(w, the_issuer(), &use_issue, &r, &issue), ERR_FIELD_MISSING);
	r.seal_id = "SEAL-1";
	assert_err(ask(w, the_issuer(), &use_issue, &r, &issue), ERR_SEAL_NOT_USABLE);
}

/* ---- sources -------------------------------------------------------------------------------- */

/* The local store under another name, which can be away. */
static enum err away_get(void *arg, struct store_tx *tx, struct arena *a, const char *id, struct sourced_licence *out)
{
	return *(bool *)arg ? ERR_SOURCE_UNAVAILABLE : source_local().get(NULL, tx, a, id, out);
}
static enum err away_by_holder(void *arg, struct store_tx *tx, struct arena *a, const struct holder_key *h,
                               const char *type_code, size_t max, struct licence_row **out, size_t *n)
{
	return *(bool *)arg ? ERR_SOURCE_UNAVAILABLE : source_local().by_holder(NULL, tx, a, h, type_code, max, out, n);
}

static void source_away_at_the_pull(void **state)
{
	struct world *w = *state;
	bool away = false;
	struct source remote = {"remote", &away, away_get, away_by_holder};
	const struct source *list[] = {&remote};
	struct desk *d = new_desk(w, list, 1);
	struct pull_answer ans = {0};
	struct holder_answer p;
	struct pull_request r;

	issued(w, person_request(w));
	p = preview(w, d);
	r = pull_of(coded(w, d, use_request(w, &p)));
	away = true;
	assert_err(ask_as(w, d, the_window(), &use_pull, &r, &ans), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_SOURCE_UNAVAILABLE);
	assert_int_equal(ans.materials[1].status, MATERIAL_MISSING);
	assert_false(ans.complete);
	desk_free(d);
}

static void source_away_at_the_preview(void **state)
{
	struct world *w = *state;
	bool away = true;
	struct source local = source_local(), remote = {"remote", &away, away_get, away_by_holder};
	const struct source *list[] = {&local, &remote};
	struct desk *d = new_desk(w, list, 2);
	struct pull_answer ans = {0};
	struct holder_answer p;
	struct pull_request r;

	issued(w, person_request(w));
	p = preview(w, d);
	r = pull_of(coded(w, d, use_request(w, &p)));
	assert_err(ask_as(w, d, the_window(), &use_pull, &r, &ans), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_FULFILLED);
	assert_int_equal(ans.materials[1].status, MATERIAL_SOURCE_UNAVAILABLE);
	desk_free(d);
}

/* ---- a store that was tampered with --------------------------------------------------------- */

/* Flip one bit in the middle of each row's column, past the store's back. */
static void flip(struct world *w, const char *column)
{
	sqlite3 *db = NULL;
	sqlite3_blob *blob = NULL;
	unsigned char c;
	int at;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	assert_int_equal(sqlite3_blob_open(db, "main", "licences", column, 1, 1, &blob), SQLITE_OK);
	at = sqlite3_blob_bytes(blob) / 2;
	assert_int_equal(sqlite3_blob_read(blob, &c, 1, at), SQLITE_OK);
	c ^= 1;
	assert_int_equal(sqlite3_blob_write(blob, &c, 1, at), SQLITE_OK);
	assert_int_equal(sqlite3_blob_close(blob), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void flipped_byte_is_caught(void **state)
{
	static const char *const columns[] = {"record", "sig_head", "sig_tail"};
	struct world *w = *state;
	struct pull_answer ans = {0};
	const char *code;

	issued(w, person_request(w));
	for (size_t i = 0; i < 3; i++) {
		code = use_code(w);
		flip(w, columns[i]);
		assert_err(pulled(w, code, &ans), ERR_OK);
		assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
		assert_int_equal(ans.materials[0].report->indication, TOTAL_FAILED);
		assert_int_equal(ans.materials[0].n_fields, 0);
		assert_true(ans.materials[0].why[0] != '\0');
		flip(w, columns[i]);
	}
}

/* The whole of another licence's row content under this identifier: genuine bytes, wrong place. */
static void moved_record_is_caught(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct inspect_request r = {"", id, "居民身份证法 15 条", "查验", ""};
	struct inspect_answer ans = {0};
	sqlite3 *db = NULL;

	issued(w, food_request(w));
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
	                              "UPDATE licences SET (record, sig_head, sig_tail) ="
	                              " (SELECT record, sig_head, sig_tail FROM licences WHERE seq = 2) WHERE seq = 1",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_int_equal(ans.licences[0].report->indication, TOTAL_FAILED);
	assert_false(ans.licences[0].usable);
	assert_int_equal(ans.licences[0].n_face, 0);
	assert_string_equal(ans.licences[0].type_code, TYPE_PERSON);
	assert_string_equal(ans.holder_name, "");
}

/* ---- receipts ------------------------------------------------------------------------------- */

static const struct receipt_field *receipt_field_of(const struct receipt_material *m, const char *name)
{
	for (size_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].name, name) == 0)
			return &m->fields[i];
	fail_msg("the receipt has no %s", name);
	return NULL;
}

static const struct receipt *verified_receipt(struct world *w, struct span cose)
{
	struct verify_policy p = strict_policy(w->arena);
	struct verify_input in = {.bytes = cose, .now = w->clock};
	struct report *r;

	assert_err(verify_statement(w->arena, &p, &in, &r), ERR_OK);
	if (r->indication != TOTAL_PASSED)
		print_checks("receipt", r);
	assert_int_equal(r->indication, TOTAL_PASSED);
	return r->receipt;
}

static void receipt_proves_what_was_delivered(void **state)
{
	struct world *w = *state;
	struct pull_answer ans = {0};
	struct by_id_request get;
	struct file_answer file = {0}, again = {0};
	const struct receipt *r;
	uint8_t digest[SM3_LEN];

	issued(w, person_request(w));
	assert_err(pulled(w, use_code(w), &ans), ERR_OK);
	get.id = ans.receipt_id;
	assert_err(ask(w, the_window(), &use_receipt_get, &get, &file), ERR_OK);
	assert_err(ask(w, the_window(), &use_receipt_get, &get, &again), ERR_OK);
	verified_receipt(w, again.file);
	r = verified_receipt(w, file.file);
	assert_string_equal(r->id, ans.receipt_id);
	assert_string_equal(r->legal_basis, "consent");
	assert_string_equal(r->org_code, CENTRE);
	assert_int_equal(r->n_materials, 3);
	assert_int_equal(r->time, ans.time);
	assert_err(receipt_field_digest(ans.salt, "姓名", NAME, digest), ERR_OK);
	assert_memory_equal(receipt_field_of(&r->materials[0], "姓名")->digest, digest, SM3_LEN);
	assert_err(receipt_text_digest(ans.salt, "CASE-1", digest), ERR_OK);
	assert_memory_equal(r->case_digest, digest, SM3_LEN);
	assert_err(receipt_text_digest(ans.salt, ans.materials[0].licence_id, digest), ERR_OK);
	assert_memory_equal(r->materials[0].licence_digest, digest, SM3_LEN);
	assert_null(memmem(file.file.ptr, file.file.len, w->id_code, RESIDENT_ID_LEN));
	assert_null(memmem(file.file.ptr, file.file.len, "CASE-1", 6));
}

static void receipts_of_others_are_unknown(void **state)
{
	struct world *w = *state;
	struct principal other = enrolled(w, someone("window-2", CENTRE, ROLE_WINDOW));
	struct pull_answer ans = {0};
	struct by_id_request get;
	struct file_answer file = {0};

	issued(w, person_request(w));
	assert_err(pulled(w, use_code(w), &ans), ERR_OK);
	get.id = ans.receipt_id;
	refused(w, ask(w, other, &use_receipt_get, &get, &file), ERR_RECEIPT_UNKNOWN, "receipt_id");
	get.id = "YZR-00000000000000000000000000";
	refused(w, ask(w, the_window(), &use_receipt_get, &get, &file), ERR_RECEIPT_UNKNOWN, "receipt_id");
}

/* ---- audit ---------------------------------------------------------------------------------- */

struct audit_read {
	struct world *w;
	struct audit_row *rows;
	size_t n;
};

static enum err read_audit(struct store_tx *tx, void *arg)
{
	struct audit_read *r = arg;

	return store_audit_list(tx, r->w->arena, 0, 100, "", "", &r->rows, &r->n);
}

static void every_use_has_an_entry_without_personal_data(void **state)
{
	struct world *w = *state;
	struct audit_read r = {.w = w};
	struct pull_answer ans = {0};
	size_t holder = 0;

	issued(w, person_request(w));
	assert_err(pulled(w, use_code(w), &ans), ERR_OK);
	assert_err(store_read(w->store, read_audit, &r), ERR_OK);
	assert_int_equal(r.n, 4); /* issue, preview, code, pull */
	assert_string_equal(r.rows[3].action, "pull");
	assert_memory_equal(r.rows[3].leaf, w->leaf, SHA256_LEN);
	for (size_t i = 0; i < r.n; i++) {
		assert_null(memmem(r.rows[i].record.ptr, r.rows[i].record.len, w->id_code, RESIDENT_ID_LEN));
		assert_null(memmem(r.rows[i].record.ptr, r.rows[i].record.len, NAME, strlen(NAME)));
	}
	for (size_t i = 0; i < r.rows[3].n_values; i++)
		holder += strcmp(r.rows[3].values[i].value, w->id_code) == 0;
	assert_true(holder >= 1);
}

/* ---- asking twice --------------------------------------------------------------------------- */

static enum err pack_pull(struct desk_call *call, struct span *reply)
{
	const struct pull_answer *ans = call->ans;

	*reply = span_str(ans->receipt_id);
	return ERR_OK;
}

static struct desk_call pull_call(struct world *w, struct arena *a, const struct pull_request *r,
                                  struct pull_answer *ans)
{
	struct desk_call c = {.desk = w->desk,
	                      .arena = a,
	                      .caller = the_window(),
	                      .operator= w->operator,
	                      .req = r,
	                      .ans = ans,
	                      .pack = pack_pull};

	c.request_id = span_of("0123456789abcdef", REQUEST_ID_LEN);
	return c;
}

static void asked_twice_is_answered_once(void **state)
{
	struct world *w = *state;
	struct pull_answer ans = {0}, again = {0};
	struct pull_request r;
	struct desk_call c;
	struct audit_read before = {.w = w}, after = {.w = w};

	issued(w, person_request(w));
	r = pull_of(use_code(w));
	c = pull_call(w, w->arena, &r, &ans);
	assert_err(desk_run(&c, &use_pull), ERR_OK);
	assert_false(c.replayed);
	assert_err(store_read(w->store, read_audit, &before), ERR_OK);
	c = pull_call(w, w->arena, &r, &again);
	assert_err(desk_run(&c, &use_pull), ERR_OK);
	assert_true(c.replayed);
	assert_span(c.reply, span_str(ans.receipt_id));
	assert_err(store_read(w->store, read_audit, &after), ERR_OK);
	assert_int_equal(before.n, after.n);
	c = pull_call(w, w->arena, &r, &again);
	c.request_digest[0] = 1;
	assert_err(desk_run(&c, &use_pull), ERR_REQUEST_ID_REUSED);
	c = pull_call(w, w->arena, &r, &again);
	c.request_id = span_of("another request!", REQUEST_ID_LEN);
	assert_err(desk_run(&c, &use_pull), ERR_CODE_USED);
}

/* ---- a race for one code -------------------------------------------------------------------- */

enum { RACERS = 64 };

struct racer {
	struct world *w;
	const char *code;
	pthread_t thread;
	uint8_t id[REQUEST_ID_LEN];
	enum err result;
	size_t fields;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct arena *a = arena_new(16 << 20);
	struct pull_request req = pull_of(r->code);
	struct pull_answer ans = {0};
	struct desk_call c = pull_call(r->w, a, &req, &ans);

	c.request_id = span_of(r->id, REQUEST_ID_LEN);
	r->result = desk_run(&c, &use_pull);
	r->fields = r->result == ERR_OK ? ans.materials[0].n_fields : 0;
	arena_free(a);
	return NULL;
}

static void one_of_many_gets_the_data(void **state)
{
	struct world *w = *state;
	struct racer racers[RACERS] = {0};
	const char *code;
	size_t won = 0;

	issued(w, person_request(w));
	code = use_code(w);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i].w = w;
		racers[i].code = code;
		racers[i].id[0] = (uint8_t)i;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		if (racers[i].result == ERR_OK)
			won++;
		else
			assert_err(racers[i].result, ERR_CODE_USED);
	}
	assert_int_equal(won, 1);
}

/* A licence is suspended between a pull's judgement and its commit: it begins again, and tells the new state. */
static void changed_under_the_pull(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code = use_code(w);
	struct pull_request r = pull_of(code);
	struct pull_answer ans = {0};
	struct desk_call c = pull_call(w, w->arena, &r, &ans);

	assert_err(desk_begin(&c, &use_pull), ERR_OK);
	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	assert_err(store_write(w->store, desk_commit, &c), ERR_STORE_CHANGED);
	assert_err(desk_begin(&c, &use_pull), ERR_OK);
	assert_err(store_write(w->store, desk_commit, &c), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
}

/* ---- inspection ----------------------------------------------------------------------------- */

static void inspect_by_code(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct inspect_request r = {show_code(w, id), "", "", "", "某路口"};
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
	struct inspect_request r = {"", "", "", "", ""};
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
	struct inspect_request r = {"", "", "", "", ""};

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
	struct inspect_request r = {show_code(w, id), "", "", "", ""};
	struct inspect_answer ans = {0};

	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_false(ans.licences[0].usable);
	assert_int_equal(ans.licences[0].state, LICENCE_SUSPENDED);
	assert_int_equal(ans.licences[0].report->indication, TOTAL_PASSED);
	assert_int_equal(ans.licences[0].n_face, 2);
	for (size_t i = 0; i < ans.licences[0].n_face; i++)
		assert_string_not_equal(ans.licences[0].face[i].name, "法定代表人");
	r = (struct inspect_request){"", id, "食品安全法", "检查", ""};
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_string_equal(ans.holder_name, "");
}

static void statutory_rules(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct principal plain = the_inspector(), narrow = the_inspector();
	char *food_only[] = {TEXT(TYPE_FOOD)};
	struct inspect_request good = {"", id, "居民身份证法 15 条", "查验", "某路口"}, r = good;
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

/* ---- the record behind a code --------------------------------------------------------------- */

static struct span good_body(struct arena *a)
{
	char *fields[] = {TEXT("姓名"), TEXT("公民身份号码")};
	struct code_grant grants[] = {
	    {GRANT_GIVEN, TEXT("身份证"), TEXT(TYPE_PERSON), TEXT("local"), TEXT("1.2.3"), 2, fields},
	    {GRANT_NONE, TEXT("许可证"), TEXT(TYPE_FOOD), TEXT(""), TEXT(""), 0, fields},
	};
	struct code_body body = {
	    .holder = {TEXT(NAME), TEXT("111"), TEXT("X1")},
	    .presenter = {NAME, "111", "X1", CAPACITY_SELF, "face", "", 3, 1000},
	    .purpose = TEXT("查验"),
	    .n_grants = 2,
	    .grants = grants,
	};
	struct span out;

	assert_err(code_body_encode(a, &body, &out), ERR_OK);
	return out;
}

static void body_reads_back(void **state)
{
	struct arena *a = *state;
	struct code_body body;

	assert_err(code_body_parse(a, good_body(a), &body), ERR_OK);
	assert_string_equal(body.holder.name, NAME);
	assert_int_equal(body.presenter.capacity, CAPACITY_SELF);
	assert_int_equal(body.presenter.auth_time, 1000);
	assert_int_equal(body.n_grants, 2);
	assert_string_equal(body.grants[0].fields[1], "公民身份号码");
	assert_string_equal(body.grants[1].licence_id, "");
}

static void body_is_bounded(void **state)
{
	struct arena *a = *state;
	struct span good = good_body(a);
	uint8_t *bytes = malloc(good.len + 1);
	struct code_body body;

	assert_non_null(bytes);
	memcpy(bytes, good.ptr, good.len);
	bytes[good.len] = 0;
	assert_err(code_body_parse(a, span_of(bytes, good.len + 1), &body), ERR_FORMAT);
	for (size_t n = 0; n < good.len; n++) {
		uint8_t *cut = malloc(n + 1); /* of its exact size, so that a sanitizer sees a byte read too far */

		assert_non_null(cut);
		memcpy(cut, bytes, n);
		assert_int_not_equal(code_body_parse(a, span_of(cut, n), &body), ERR_OK);
		free(cut);
	}
	for (size_t i = 0; i < good.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1 << bit);
			if (code_body_parse(a, span_of(bytes, good.len), &body) == ERR_OK)
				assert_true(body.n_grants <= CODE_GRANTS_MAX);
			bytes[i] ^= (uint8_t)(1 << bit);
		}
	}
	free(bytes);
}

static void body_refuses_what_does_not_fit(void **state)
{
	struct arena *a = *state;
	struct code_body body;
	struct span out;

	assert_err(code_body_parse(a, good_body(a), &body), ERR_OK);
	body.n_grants = CODE_GRANTS_MAX + 1;
	assert_err(code_body_encode(a, &body, &out), ERR_TOO_LARGE);
	body.n_grants = 1, body.grants[0].n_fields = CATALOG_FIELDS_MAX + 1;
	assert_err(code_body_encode(a, &body, &out), ERR_TOO_LARGE);
	body.n_grants = 0, body.purpose = TEXT("");
	assert_err(code_body_encode(a, &body, &out), ERR_FIELD_INVALID);
	body.purpose = TEXT("x"), body.presenter.auth_level = 5;
	assert_err(code_body_encode(a, &body, &out), ERR_FIELD_INVALID);
	assert_err(code_body_parse(a, span_of(arena_alloc(a, CODE_BODY_MAX + 1), CODE_BODY_MAX + 1), &body), ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(body_reads_back),
	    TEST(body_is_bounded),
	    TEST(body_refuses_what_does_not_fit),
	    WORLD(issue_makes_a_licence_that_verifies),
	    WORLD(issue_refusals),
	    WORLD(issue_needs_the_own_seal),
	    WORLD(issue_twice_is_refused),
	    WORLD(states_change_by_rule),
	    WORLD(licences_of_others_are_not_read),
	    WORLD(presenter_refusals),
	    WORLD(others_may_present),
	    WORLD(preview_is_what_would_leave),
	    WORLD(preview_takes_the_valid_one),
	    WORLD(preview_waits_for_a_renewal),
	    WORLD(very_many_licences),
	    WORLD(code_refusals),
	    WORLD(show_fields_must_be_of_the_face),
	    WORLD(cancelled_codes_are_dead),
	    WORLD(pull_gives_what_the_item_names),
	    WORLD(refusals_spend_nothing),
	    WORLD(audience_and_kind),
	    WORLD(codes_expire),
	    WORLD(state_between_show_and_pull),
	    WORLD(expired_by_time),
	    WORLD(declined_is_not_granted),
	    WORLD(restored_after_the_preview),
	    WORLD(seal_revoked_before_use),
	    WORLD(seal_revoked_after_use),
	    WORLD(source_away_at_the_pull),
	    WORLD(source_away_at_the_preview),
	    WORLD(flipped_byte_is_caught),
	    WORLD(moved_record_is_caught),
	    WORLD(receipt_proves_what_was_delivered),
	    WORLD(receipts_of_others_are_unknown),
	    WORLD(every_use_has_an_entry_without_personal_data),
	    WORLD(asked_twice_is_answered_once),
	    WORLD(one_of_many_gets_the_data),
	    WORLD(changed_under_the_pull),
	    WORLD(inspect_by_code),
	    WORLD(windows_look_at_shows_for_windows),
	    WORLD(inspect_shows_chosen_fields_only),
	    WORLD(inspect_suspended_shows_no_personal_field),
	    WORLD(statutory_rules),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
