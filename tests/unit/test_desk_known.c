/* Licences that were judged a moment ago stand in for judging anew, and never for what has changed since. */
#include <sqlite3.h>
#include <stdatomic.h>

#include "known_help.h"

#include "desk/known.h"

enum { MINUTE = 60 * 1000 };

static struct kept_figures figures(struct world *w)
{
	struct desk_cache_figures f;

	desk_caches_figures(w->caches, &f);
	return f.licences;
}

static struct pull_answer pulled_ok(struct world *w, const char *code)
{
	struct pull_answer ans = {0};

	assert_err(pulled(w, code, &ans), ERR_OK);
	return ans;
}

static struct inspect_answer inspected(struct world *w, struct desk *d, const char *id)
{
	struct inspect_request r = {"", id, "居民身份证法 15 条", "查验", "", false};
	struct inspect_answer ans = {0};

	assert_err(ask_as(w, d, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_int_equal(ans.n, 1);
	return ans;
}

static const char *json_of(struct world *w, const struct report *r)
{
	char *s = NULL;

	assert_err(report_json(w->arena, r, NULL, &s), ERR_OK);
	return s;
}

/* The same question to a desk that keeps nothing: everything about the answer must be equal. */
static void same_as_anew(struct world *w, const char *id)
{
	struct desk_caches *c = w->caches;
	struct inspect_answer known, anew;
	struct desk *plain;

	w->caches = NULL;
	plain = new_desk(w, NULL, 0);
	w->caches = c;
	known = inspected(w, w->desk, id);
	anew = inspected(w, plain, id);
	assert_string_equal(json_of(w, known.licences[0].report), json_of(w, anew.licences[0].report));
	assert_int_equal(known.licences[0].state, anew.licences[0].state);
	assert_int_equal(known.licences[0].state_since, anew.licences[0].state_since);
	assert_int_equal(known.licences[0].valid_from, anew.licences[0].valid_from);
	assert_int_equal(known.licences[0].valid_to, anew.licences[0].valid_to);
	assert_int_equal(known.licences[0].source_time, anew.licences[0].source_time);
	assert_int_equal(known.licences[0].usable, anew.licences[0].usable);
	assert_string_equal(known.licences[0].why, anew.licences[0].why);
	assert_string_equal(known.licences[0].issuer_name, anew.licences[0].issuer_name);
	assert_string_equal(known.holder_name, anew.holder_name);
	assert_int_equal(known.licences[0].n_face, anew.licences[0].n_face);
	for (size_t i = 0; i < anew.licences[0].n_face; i++) {
		assert_string_equal(known.licences[0].face[i].name, anew.licences[0].face[i].name);
		assert_string_equal(known.licences[0].face[i].value, anew.licences[0].face[i].value);
	}
	desk_free(plain);
}

/* ---- what it is for ------------------------------------------------------------------------- */

static void judged_once_for_all_uses(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct pull_answer ans;
	struct kept_figures f;

	ans = pulled_ok(w, use_code(w)); /* preview, code, pull */
	assert_int_equal(ans.materials[0].status, MATERIAL_FULFILLED);
	assert_string_equal(value_in(&ans.materials[0], "姓名"), NAME);
	f = figures(w);
	assert_int_equal(f.values, 2); /* the licence, and the holder's list */
	assert_int_equal(f.misses, 2); /* the preview asks for the licence in the list, and for the material */
	assert_int_equal(f.hits, 3);   /* the code for list and licence, the pull for the licence */
	w->clock += MINUTE;
	same_as_anew(w, id);
	assert_int_equal(figures(w).misses, f.misses);
}

/* ---- changes -------------------------------------------------------------------------------- */

static void changed_here_between_two_uses(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code;
	struct holder_answer p = preview(w, w->desk);
	struct code_request r = use_request(w, &p);
	struct code_answer made = {0};
	struct pull_answer ans;

	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	assert_err(ask(w, the_wallet(), &use_code_issue, &r, &made), ERR_PREVIEW_CHANGED);
	same_as_anew(w, id);
	assert_err(set_state(w, id, LICENCE_VALID), ERR_OK);
	code = use_code(w);
	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	ans = pulled_ok(w, code);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
	assert_int_equal(ans.materials[0].n_fields, 0);
	assert_err(set_state(w, id, LICENCE_VALID), ERR_OK);
	code = use_code(w);
	assert_err(set_state(w, id, LICENCE_REVOKED), ERR_OK);
	ans = pulled_ok(w, code);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
	assert_int_equal(ans.materials[0].state, LICENCE_REVOKED);
	same_as_anew(w, id);
}

/* Another server on the same store: its news are not here yet, and count all the same. */
static void changed_elsewhere_counts_at_once(void **state)
{
	static const enum licence_state to[] = {LICENCE_SUSPENDED, LICENCE_VALID, LICENCE_SUSPENDED, LICENCE_REVOKED};
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code;
	struct world *x = other_server(w);

	issued(w, food_request(w)); /* so that there is always something to let out */
	for (size_t i = 0; i < 4; i++) {
		struct pull_answer ans;

		code = use_code(w);
		assert_err(set_state(x, id, to[i]), ERR_OK);
		ans = pulled_ok(w, code);
		assert_int_equal(ans.materials[0].state, to[i]);
		assert_int_equal(ans.materials[0].n_fields, 0); /* also when the code was made while it was suspended */
		same_as_anew(w, id);
	}
	other_gone(x);
}

static void changed_elsewhere_under_the_call(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code = use_code(w);
	struct world *x = other_server(w);
	static const uint8_t request_id[REQUEST_ID_LEN] = {9};
	struct pull_request r = pull_of(code);
	struct pull_answer ans = {0};
	struct desk_call c = {.desk = w->desk,
	                      .arena = w->arena,
	                      .caller = the_window(),
	                      .operator= w->operator,
	                      .req = & r,
	                      .ans = &ans,
	                      .request_id = span_of(request_id, sizeof(request_id))};

	assert_err(desk_begin(&c, &use_pull), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_FULFILLED);
	assert_err(set_state(x, id, LICENCE_SUSPENDED), ERR_OK);
	assert_err(store_write(w->store, desk_commit, &c), ERR_STORE_CHANGED);
	assert_err(desk_begin(&c, &use_pull), ERR_OK); /* what is known is asked for again, whatever the epoch says */
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
	assert_err(store_write(w->store, desk_commit, &c), ERR_OK);
	other_gone(x);
}

static enum err coded_from(struct world *w, const struct holder_answer *p)
{
	struct code_request r = use_request(w, p);
	struct code_answer made = {0};

	return ask(w, the_wallet(), &use_code_issue, &r, &made);
}

/* What a code is made for is what there is, though the holder's list was read before. */
static void what_came_elsewhere_is_in_the_list(void **state)
{
	struct world *w = *state;
	struct world *x = other_server(w);
	const char *id = issued(x, person_request(w));
	struct issue_request later = food_request(w);
	struct holder_answer p = preview(w, w->desk);

	issued(x, later);
	assert_err(coded_from(w, &p), ERR_PREVIEW_CHANGED);
	p = preview(w, w->desk);
	assert_err(coded_from(w, &p), ERR_OK);
	w->clock += MINUTE;
	later.number = "JY-0002"; /* which is newer, and takes the place of the other */
	issued(x, later);
	assert_err(coded_from(w, &p), ERR_PREVIEW_CHANGED);
	for (int i = 0; i < 2; i++) {
		p = preview(w, w->desk);
		assert_err(set_state(x, id, i == 0 ? LICENCE_SUSPENDED : LICENCE_VALID), ERR_OK);
		assert_err(coded_from(w, &p), ERR_PREVIEW_CHANGED);
		p = preview(w, w->desk);
		assert_err(coded_from(w, &p), ERR_OK);
		assert_err(coded_from(w, &p), ERR_OK);
	}
	other_gone(x);
}

static void a_suspended_licence_is_shown_as_such(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, food_request(w)), *code;
	struct world *x = other_server(w);
	struct inspect_request r = {"", "", "", "", "", false};
	struct inspect_answer ans = {0};

	show_code(w, id); /* the list is known now */
	assert_err(set_state(x, id, LICENCE_SUSPENDED), ERR_OK);
	code = show_code(w, id);
	r.code = code;
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_int_equal(ans.licences[0].state, LICENCE_SUSPENDED);
	assert_false(ans.licences[0].usable);
	other_gone(x);
}

struct seal_change {
	int64_t effective;
	enum seal_state state;
};

static enum err change_seal(struct store_tx *tx, void *arg)
{
	const struct seal_change *c = arg;
	struct state_event e = {
	    .state = (int)c->state, .reason = TEXT("测试"), .effective = c->effective, .principal = TEXT("sealer")};

	return store_seal_change(tx, "SEAL-1", 1, &e);
}

static void seal_was_suspended_when_it_was_used(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code = use_code(w);
	struct seal_change c = {w->clock - DAY / 2, SEAL_SUSPENDED};
	struct world *x = other_server(w);
	struct pull_answer ans;

	assert_err(store_write(x->store, change_seal, &c), ERR_OK);
	ans = pulled_ok(w, code);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
	assert_int_equal(ans.materials[0].n_fields, 0);
	same_as_anew(w, id);
	other_gone(x);
}

static void seal_was_suspended_later(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code;
	struct seal_change c = {w->clock + MINUTE, SEAL_SUSPENDED};
	struct pull_answer ans;

	w->clock += 2 * MINUTE;
	code = use_code(w);
	assert_err(store_write(w->store, change_seal, &c), ERR_OK);
	ans = pulled_ok(w, code);
	assert_int_equal(ans.materials[0].status, MATERIAL_FULFILLED);
	same_as_anew(w, id);
}

static void a_renewal_is_found(void **state)
{
	struct world *w = *state;
	const char *first = issued(w, food_request(w)), *second;
	struct issue_request again = food_request(w);
	struct holder_answer p = preview(w, w->desk);

	assert_string_equal(p.preview[1].licence_id, first);
	w->clock += MINUTE;
	again.number = "JY-0002";
	second = issued(w, again);
	p = preview(w, w->desk);
	assert_string_equal(p.preview[1].licence_id, second);
	assert_err(set_state(w, second, LICENCE_REVOKED), ERR_OK);
	p = preview(w, w->desk);
	assert_string_equal(p.preview[1].licence_id, first);
	same_as_anew(w, first);
	same_as_anew(w, second);
}

/* News of another licence: the version is asked for once, nothing is judged. */
static void news_of_others_cost_a_question(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *other = issued(w, food_request(w));
	uint64_t misses, epoch;

	inspected(w, w->desk, id);
	misses = figures(w).misses;
	epoch = store_epoch(w->store, STORE_LICENCES);
	assert_err(set_state(w, other, LICENCE_SUSPENDED), ERR_OK);
	assert_true(store_epoch(w->store, STORE_LICENCES) != epoch);
	inspected(w, w->desk, id);
	inspected(w, w->desk, id);
	assert_int_equal(figures(w).misses, misses);
}

/* What is read stays as it was when its transaction began; what changes meanwhile must not make it look new. */
static enum err read_while_it_changes(struct store_tx *tx, void *arg)
{
	struct desk_call *c = arg;
	struct world *w = c->work;
	struct licence_holder h = the_holder(w);
	const struct seal_change suspended = {w->clock - DAY / 2, SEAL_SUSPENDED};
	struct holder_rows rows;
	struct fetched *f = (void *)c->ans;
	struct licence_row row;

	assert_err(store_licence_get(tx, c->arena, c->req, &row), ERR_OK);
	assert_err(set_state(w, c->req, LICENCE_SUSPENDED), ERR_OK);
	assert_err(store_write(w->store, change_seal, (void *)(uintptr_t)&suspended), ERR_OK);
	assert_err(source_holder_rows(c, tx, &h, "", &rows), ERR_OK);
	assert_int_equal(rows.rows[0].row.state, LICENCE_VALID);
	return source_fetch(c, tx, "", c->req, f);
}

static void kept_while_it_changes_is_not_news(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct fetched f = {0};
	struct desk_call c = {.desk = w->desk, .arena = w->arena, .req = id, .ans = &f, .work = w};
	struct inspect_answer now;
	struct judged j;

	assert_err(store_read(w->store, read_while_it_changes, &c), ERR_OK);
	assert_err(licence_judge(&c, w->clock, &f, &j), ERR_OK);
	assert_true(j.usable); /* for who asks in his commit, and is told that it was changed */
	now = inspected(w, w->desk, id);
	assert_false(now.licences[0].usable);
	assert_int_equal(now.licences[0].state, LICENCE_SUSPENDED);
	same_as_anew(w, id);
}

/* ---- time ----------------------------------------------------------------------------------- */

static int64_t until_of(struct world *w, const char *id)
{
	struct desk_call c = {.desk = w->desk, .arena = w->arena};
	const struct known_licence *k = known_find(&c, id, w->clock);

	return k != NULL ? k->until : 0;
}

static void judged_anew_when_the_evidence_ends(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	int64_t until;

	same_as_anew(w, id);
	until = until_of(w, id);
	assert_true(until > w->clock && until < w->clock + 4000 * DAY);
	w->clock = until;
	same_as_anew(w, id);
	assert_int_equal(inspected(w, w->desk, id).licences[0].report->indication, TOTAL_PASSED);
	w->clock = until + 1;
	assert_int_equal(until_of(w, id), 0);
	same_as_anew(w, id);
	assert_int_equal(inspected(w, w->desk, id).licences[0].report->indication, INDETERMINATE);
	assert_int_equal(inspected(w, w->desk, id).licences[0].n_face, 0);
}

static void judged_anew_at_the_licence_s_own_dates(void **state)
{
	struct world *w = *state;
	struct issue_request r = food_request(w);
	const char *id;
	int64_t from;

	r.valid_from = from = (w->clock / DAY + 1) * DAY;
	r.valid_to = from + DAY;
	id = issued(w, r);
	for (int i = 0; i < 2; i++)
		same_as_anew(w, id);
	assert_false(inspected(w, w->desk, id).licences[0].usable);
	for (int64_t at = -1; at <= 1; at++) {
		w->clock = from + at;
		same_as_anew(w, id);
		assert_int_equal(inspected(w, w->desk, id).licences[0].usable, at >= 0);
	}
	for (int64_t at = -1; at <= 1; at++) {
		w->clock = inspected(w, w->desk, id).licences[0].valid_to + at;
		same_as_anew(w, id);
		assert_int_equal(inspected(w, w->desk, id).licences[0].usable, at <= 0);
	}
	assert_int_equal(inspected(w, w->desk, id).licences[0].state, LICENCE_EXPIRED);
}

static void kept_for_minutes_only(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));

	desk_caches_age(w->caches, 1000);
	inspected(w, w->desk, id);
	assert_int_equal(figures(w).values, 1);
	desk_caches_age(w->caches, 999 + PERSONAL_KEPT_MS);
	inspected(w, w->desk, id); /* being used does not make it younger */
	assert_int_equal(figures(w).values, 1);
	desk_caches_age(w->caches, 1000 + PERSONAL_KEPT_MS);
	assert_int_equal(figures(w).values, 0);
	assert_int_equal(figures(w).bytes, 0);
	same_as_anew(w, id);
}

/* ---- trust ---------------------------------------------------------------------------------- */

static void another_desk_s_trust_judges_for_itself(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct cert_store *ours = pki.trust;
	struct desk *reloaded;

	inspected(w, w->desk, id);
	pki.trust = pki.no_crl; /* without revocation evidence */
	reloaded = new_desk(w, NULL, 0);
	pki.trust = ours;
	assert_int_equal(inspected(w, reloaded, id).licences[0].report->indication, INDETERMINATE);
	assert_int_equal(inspected(w, reloaded, id).licences[0].n_face, 0);
	assert_int_equal(inspected(w, w->desk, id).licences[0].report->indication, TOTAL_PASSED); /* calls under way */
	assert_int_equal(inspected(w, reloaded, id).licences[0].report->indication, INDETERMINATE);
	desk_free(reloaded);
}

/* ---- damage, and what is not kept ----------------------------------------------------------- */

static void flip(struct world *w, const char *column)
{
	sqlite3 *db = NULL;
	sqlite3_blob *blob = NULL;
	unsigned char c;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	assert_int_equal(sqlite3_blob_open(db, "main", "licences", column, 1, 1, &blob), SQLITE_OK);
	assert_int_equal(sqlite3_blob_read(blob, &c, 1, 40), SQLITE_OK);
	c ^= 1;
	assert_int_equal(sqlite3_blob_write(blob, &c, 1, 40), SQLITE_OK);
	assert_int_equal(sqlite3_blob_close(blob), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void tampered_is_told_when_it_is_read_again(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code = use_code(w);
	struct pull_answer ans;

	flip(w, "record");
	ans = pulled_ok(w, code); /* what was proved, not what stands there now */
	assert_int_equal(ans.materials[0].status, MATERIAL_FULFILLED);
	assert_string_equal(value_in(&ans.materials[0], "姓名"), NAME);
	code = use_code(w);
	desk_caches_age(w->caches, PERSONAL_KEPT_MS);
	ans = pulled_ok(w, code);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
	assert_int_equal(ans.materials[0].n_fields, 0);
	assert_int_equal(figures(w).values, 0); /* what is not genuine is not kept */
	flip(w, "record");
	same_as_anew(w, id);
	assert_int_equal(figures(w).values, 1);
}

static void a_row_that_is_gone_is_unknown(void **state)
{
	struct world *w = *state;
	struct inspect_request r = {"", issued(w, person_request(w)), "居民身份证法 15 条", "查验", "", false};
	struct inspect_answer ans = {0};
	sqlite3 *db = NULL;

	inspected(w, w->desk, r.licence_id);
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA foreign_keys = OFF; DELETE FROM licences", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_LICENCE_UNKNOWN); /* by its commit */
}

/* ---- bounds --------------------------------------------------------------------------------- */

static void bounded_and_right_when_full(void **state)
{
	struct world *w = *state;
	char number[16];
	const char *ids[400];

	for (size_t i = 0; i < 400; i++) {
		struct issue_request r = food_request(w);

		snprintf(number, sizeof(number), "JY-%04zu", i);
		r.number = number;
		ids[i] = issued(w, r);
		assert_string_equal(inspected(w, w->desk, ids[i]).licences[0].id, ids[i]);
		assert_true(figures(w).bytes <= figures(w).limit);
	}
	assert_true(figures(w).values < 400 && figures(w).values > 20);
	for (size_t i = 0; i < 400; i += 37)
		same_as_anew(w, ids[i]);
}

/* A wallet can ask for as many holders as it likes. */
static void holders_without_licences_are_not_kept(void **state)
{
	struct world *w = *state;
	struct holder_answer p = preview(w, w->desk);

	assert_int_equal(p.n, 0);
	assert_int_equal(figures(w).values, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    KNOWN(judged_once_for_all_uses),
	    KNOWN(changed_here_between_two_uses),
	    KNOWN(changed_elsewhere_counts_at_once),
	    KNOWN(changed_elsewhere_under_the_call),
	    KNOWN(what_came_elsewhere_is_in_the_list),
	    KNOWN(a_suspended_licence_is_shown_as_such),
	    KNOWN(seal_was_suspended_when_it_was_used),
	    KNOWN(seal_was_suspended_later),
	    KNOWN(a_renewal_is_found),
	    KNOWN(news_of_others_cost_a_question),
	    KNOWN(kept_while_it_changes_is_not_news),
	    KNOWN(holders_without_licences_are_not_kept),
	    KNOWN(judged_anew_when_the_evidence_ends),
	    KNOWN(judged_anew_at_the_licence_s_own_dates),
	    KNOWN(kept_for_minutes_only),
	    KNOWN(another_desk_s_trust_judges_for_itself),
	    KNOWN(tampered_is_told_when_it_is_read_again),
	    KNOWN(a_row_that_is_gone_is_unknown),
	    KNOWN(bounded_and_right_when_full),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
