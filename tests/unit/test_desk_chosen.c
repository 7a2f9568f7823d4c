/* A code for chosen licences is made from what is known of the holder, and never for what is not his or not so any
 * more.
 */
#include "known_help.h"

/* Reads of the store that asked it anything. */
static uint64_t reads(struct world *w)
{
	struct store_figures f;
	uint64_t n = 0;

	store_figures(w->store, &f);
	for (size_t i = 0; i < STORE_BUCKETS; i++)
		n += f.read.bucket[i];
	return n;
}

static enum err chosen(struct world *w, const char *const *ids, size_t n)
{
	struct code_request r = show_request(w, ids, n);
	struct code_answer made = {0};

	return ask(w, the_wallet(), &use_code_issue, &r, &made);
}

static enum licence_state seen(struct world *w, const char *code)
{
	struct inspect_request r = {code, "", "居民身份证法 15 条", "查验", "", false};
	struct inspect_answer ans = {0};

	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_int_equal(ans.n, 1);
	return ans.licences[0].state;
}

static void a_known_licence_costs_no_question(void **state)
{
	struct world *w = *state;
	const char *ids[] = {issued(w, person_request(w)), issued(w, food_request(w))};
	uint64_t before;

	assert_err(chosen(w, ids, 2), ERR_OK);
	before = reads(w);
	assert_err(chosen(w, ids, 2), ERR_OK);
	assert_err(chosen(w, ids + 1, 1), ERR_OK);
	assert_int_equal(reads(w), before);
}

static void what_was_added_elsewhere(void **state)
{
	struct world *w = *state, *x = other_server(w);
	const char *ids[] = {issued(x, person_request(w)), NULL};

	assert_err(chosen(w, ids, 1), ERR_OK);
	ids[1] = issued(x, food_request(w));
	assert_err(chosen(w, ids, 1), ERR_OK);
	assert_err(chosen(w, ids, 2), ERR_OK);
	assert_err(chosen(w, ids + 1, 1), ERR_OK);
	other_gone(x);
}

static void what_was_changed_elsewhere(void **state)
{
	static const enum licence_state to[] = {LICENCE_SUSPENDED, LICENCE_VALID, LICENCE_REVOKED};
	struct world *w = *state, *x = other_server(w);
	const char *id = issued(x, person_request(w));

	assert_err(chosen(w, &id, 1), ERR_OK);
	for (size_t i = 0; i < 3; i++) {
		assert_err(set_state(x, id, to[i]), ERR_OK);
		assert_int_equal(seen(w, show_code(w, id)), to[i]);
	}
	other_gone(x);
}

static void what_is_not_the_holder_s(void **state)
{
	struct world *w = *state;
	const char *ids[] = {issued(w, person_request(w)), "1.2.156.3005.2.1111000000001.11100000MB00000001.NONE.001.X"};

	assert_err(chosen(w, ids, 1), ERR_OK);
	assert_err(chosen(w, ids, 2), ERR_LICENCE_UNKNOWN);
	assert_err(chosen(w, ids + 1, 1), ERR_LICENCE_UNKNOWN);
	ids[1] = ids[0];
	assert_err(chosen(w, ids, 2), ERR_FIELD_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {KNOWN(a_known_licence_costs_no_question), KNOWN(what_was_added_elsewhere),
	                                   KNOWN(what_was_changed_elsewhere), KNOWN(what_is_not_the_holder_s)};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
