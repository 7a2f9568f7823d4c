/* A pull at the desk: what leaves, when nothing does, and sources that are away. */
#include "flow_help.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
