/* A holder at the desk: presenter, preview, making and cancelling codes, and the record behind a code. */
#include "flow_help.h"

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
	struct inspect_request look = {r.code, "", "", "", "", false};
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
	    WORLD(presenter_refusals),
	    WORLD(others_may_present),
	    WORLD(preview_is_what_would_leave),
	    WORLD(preview_takes_the_valid_one),
	    WORLD(preview_waits_for_a_renewal),
	    WORLD(very_many_licences),
	    WORLD(code_refusals),
	    WORLD(show_fields_must_be_of_the_face),
	    WORLD(cancelled_codes_are_dead),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
