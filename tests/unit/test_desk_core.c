/* The core of the desk: who may call, asking twice, limits, principals by two hands, catalogue. */
#include "desk_people.h"

struct asked {
	uint8_t id[REQUEST_ID_LEN], digest[SM3_LEN];
	size_t id_len;
	enum err (*pack)(struct desk_call *call, struct span *reply);
};

static enum err pack_ok(struct desk_call *call, struct span *reply)
{
	*reply = arena_dup(call->arena, span_str("the answer"));
	return ERR_OK;
}

/* As ask(), with the request id, its digest and the reply kept under the test's control. */
static enum err ask_with(struct world *w, struct principal p, const struct use_case *use, const void *req, void *ans,
                         const struct asked *q)
{
	struct desk_call call = {.desk = w->desk,
	                         .arena = w->arena,
	                         .caller = p,
	                         .operator= w->operator,
	                         .request_id = span_of(q->id, q->id_len),
	                         .req = req,
	                         .ans = ans,
	                         .pack = q->pack};
	enum err e;

	memcpy(call.request_digest, q->digest, SM3_LEN);
	e = desk_run(&call, use);
	assert_true(e == ERR_OK || call.note.code == e);
	w->note = call.note;
	w->replayed = call.replayed;
	w->reply = call.reply;
	return e;
}

static struct service_item an_item(const char *code, char **fields, size_t n)
{
	static struct item_material m;

	m = (struct item_material){TEXT("身份证"), TEXT(TYPE_PERSON), TEXT("核对"), true, n, fields};
	return (struct service_item){TEXT(code), TEXT("事项"), true, 1, &m};
}

/* ---- who, and how --------------------------------------------------------------------------- */

static void roles_are_asked(void **state)
{
	struct world *w = *state;
	struct list_request list = {"", 0};
	struct principal_list_answer people;
	struct item_list_answer items;
	struct principal unknown = someone("nobody", CENTRE, ROLE_SECURITY);

	assert_err(ask(w, the_window(), &use_principal_list, &list, &people), ERR_ROLE_MISSING);
	assert_int_equal(w->note.code, ERR_ROLE_MISSING);
	/* The store decides, not what the caller's struct says. */
	assert_err(ask(w, unknown, &use_principal_list, &list, &people), ERR_PRINCIPAL_UNKNOWN);
	unknown = the_window();
	unknown.roles = ROLE_SECURITY;
	assert_err(ask(w, unknown, &use_principal_list, &list, &people), ERR_ROLE_MISSING);
	assert_err(ask(w, the_window(), &use_item_list, &list, &items), ERR_OK);
	assert_int_equal(items.n, 2);
}

static void operator_and_request_id(void **state)
{
	struct world *w = *state;
	struct principal p = the_system(w);
	char *fields[] = {TEXT("姓名")};
	struct service_item item = an_item("I-9", fields, 1);
	struct catalog_put_answer ans;
	struct asked q = {.id_len = 0};

	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_REQUEST_ID_MISSING);
	q.id_len = 15;
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_FIELD_INVALID);
	q.id_len = REQUEST_ID_LEN;
	w->operator.terminal = TEXT("");
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_OPERATOR_MISSING);
	assert_string_equal(w->note.field, "operator.terminal");
	w->operator.terminal = TEXT("  ");
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_OPERATOR_MISSING);
	w->operator.terminal = NULL;
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_OPERATOR_MISSING);
	w->operator.terminal = TEXT("a\nb");
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_TEXT_INVALID);
}

static void asked_twice(void **state)
{
	struct world *w = *state;
	struct principal p = the_system(w);
	char *fields[] = {TEXT("姓名")};
	struct service_item item = an_item("I-9", fields, 1);
	struct catalog_put_answer ans = {0};
	struct asked q = {.id = {1}, .id_len = REQUEST_ID_LEN, .pack = pack_ok};

	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_OK);
	assert_int_equal(ans.version, 1);
	assert_false(w->replayed);
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_OK);
	assert_true(w->replayed);
	assert_span(w->reply, span_str("the answer"));
	q.digest[0] = 1;
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_REQUEST_ID_REUSED);
	q.digest[0] = 0;
	w->clock += 11 * 60 * 1000; /* kept for ten minutes */
	assert_err(ask_with(w, p, &use_item_put, &item, &ans, &q), ERR_OK);
	assert_false(w->replayed);
	assert_int_equal(ans.version, 2);
}

/* Two attempts of one request, both begun before either commits: the second gets the first one's answer. */
static void asked_twice_at_once(void **state)
{
	struct world *w = *state;
	struct principal p = the_system(w);
	char *fields[] = {TEXT("姓名")};
	struct service_item item = an_item("I-9", fields, 1);
	struct catalog_put_answer ans = {0};
	struct desk_call a = {.desk = w->desk, .arena = w->arena, .caller = p, .operator= w->operator, .req = & item }, b;
	static const uint8_t id[REQUEST_ID_LEN] = {9};

	a.ans = &ans;
	a.pack = pack_ok;
	a.request_id = span_of(id, REQUEST_ID_LEN);
	b = a;
	assert_err(desk_begin(&a, &use_item_put), ERR_OK);
	assert_err(desk_begin(&b, &use_item_put), ERR_OK);
	assert_err(store_write(w->store, desk_commit, &a), ERR_OK);
	assert_err(store_write(w->store, desk_commit, &b), ERR_OK);
	assert_false(a.replayed);
	assert_true(b.replayed);
	assert_int_equal(ans.version, 1);
}

static void changed_in_between(void **state)
{
	struct world *w = *state;
	struct principal p = the_system(w), less = p;
	char *fields[] = {TEXT("姓名")};
	struct service_item item = an_item("I-9", fields, 1);
	struct catalog_put_answer ans = {0};
	static const uint8_t id[REQUEST_ID_LEN] = {9};
	struct desk_call a = {.desk = w->desk, .arena = w->arena, .caller = p, .operator= w->operator, .req = & item };

	a.ans = &ans;
	a.request_id = span_of(id, REQUEST_ID_LEN);
	assert_err(desk_begin(&a, &use_item_put), ERR_OK);
	less.disabled = true;
	enrolled(w, less);
	assert_err(store_write(w->store, desk_commit, &a), ERR_STORE_CHANGED);
	assert_err(desk_begin(&a, &use_item_put), ERR_PRINCIPAL_DISABLED);
	less = with_key(less, 63);
	less.disabled = false;
	enrolled(w, less); /* other keys: the connection must be recognised anew */
	assert_err(desk_begin(&a, &use_item_put), ERR_STORE_CHANGED);
}

static void keys_of_principals(void **state)
{
	struct world *w = *state;
	struct principal p = with_key(someone("keyed", CENTRE, ROLE_WINDOW), 70), got;
	uint8_t fp[FINGERPRINT_LEN];

	memset(fp, 70, sizeof(fp));
	assert_err(desk_principal(w->desk, w->arena, fp, &got), ERR_PRINCIPAL_UNKNOWN);
	p.keys[0].not_before = w->clock;
	p.keys[0].not_after = w->clock + 1000;
	enrolled(w, p);
	assert_err(desk_principal(w->desk, w->arena, fp, &got), ERR_OK);
	assert_string_equal(got.id, "keyed");
	w->clock += 1001;
	assert_err(desk_principal(w->desk, w->arena, fp, &got), ERR_PRINCIPAL_EXPIRED);
	p.disabled = true;
	enrolled(w, p);
	assert_err(desk_principal(w->desk, w->arena, fp, &got), ERR_PRINCIPAL_DISABLED);
}

static void limits(void **state)
{
	struct limiter *l = NULL;
	char name[32];

	(void)state;
	assert_err(limiter_new(2, 3, &l), ERR_OK);
	assert_err(limiter_take(l, "p", "a", 1000), ERR_OK);
	assert_err(limiter_take(l, "p", "a", 1000), ERR_OK);
	assert_err(limiter_take(l, "p", "a", 1000), ERR_OPERATOR_LIMIT);
	assert_err(limiter_take(l, "q", "a", 1000), ERR_OK); /* another's operator of the same id */
	assert_err(limiter_take(l, "p", "b", 1000), ERR_OK);
	assert_err(limiter_take(l, "p", "c", 1000), ERR_PRINCIPAL_LIMIT);
	assert_err(limiter_take(l, "p", "c", 500), ERR_PRINCIPAL_LIMIT); /* a clock set back gives nothing */
	assert_err(limiter_take(l, "p", "c", 1000 + 20 * 1000), ERR_OK);
	assert_err(limiter_take(l, "p", "c", 1000 + 20 * 1000), ERR_PRINCIPAL_LIMIT);
	for (int i = 0; i < 20000; i++) { /* a flood of names fits into the same table */
		snprintf(name, sizeof(name), "x%d", i);
		assert_err(limiter_take(l, name, name, 30000), ERR_OK);
	}
	limiter_free(l);
	assert_err(limiter_new(0, 0, &l), ERR_OK);
	for (int i = 0; i < 100; i++)
		assert_err(limiter_take(l, "p", "a", 0), ERR_OK);
	limiter_free(l);
}

/* ---- principals ----------------------------------------------------------------------------- */

static void exclusions(void **state)
{
	static const struct {
		unsigned roles;
		bool statutory;
		enum err want;
	} table[] = {
	    {ROLE_SYSTEM, false, ERR_OK},
	    {ROLE_WINDOW | ROLE_INSPECTOR, true, ERR_OK},
	    {ROLE_ISSUER | ROLE_SEALER, false, ERR_OK},
	    {0, false, ERR_FIELD_MISSING},
	    {512, false, ERR_FIELD_INVALID},
	    {ROLE_SYSTEM | ROLE_SECURITY, false, ERR_ROLES_CONFLICT},
	    {ROLE_SECURITY | ROLE_AUDIT, false, ERR_ROLES_CONFLICT},
	    {ROLE_SYSTEM | ROLE_AUDIT, false, ERR_ROLES_CONFLICT},
	    {ROLE_AUDIT | ROLE_WINDOW, false, ERR_ROLES_CONFLICT},
	    {ROLE_SYSTEM | ROLE_GATEWAY, false, ERR_ROLES_CONFLICT},
	    {ROLE_WALLET | ROLE_WINDOW, false, ERR_ROLES_CONFLICT},
	    {ROLE_WALLET | ROLE_INSPECTOR, false, ERR_ROLES_CONFLICT},
	    {ROLE_WINDOW, true, ERR_ROLES_CONFLICT},
	};
	struct principal p;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		p = with_key(someone("p", CENTRE, table[i].roles), 1);
		p.statutory = table[i].statutory;
		assert_err(principal_check(&p, NULL), table[i].want);
	}
}

static void bad_principals(void **state)
{
	char *bad_type[] = {TEXT("123")}, *bad_item[] = {TEXT("a b")};
	struct principal_key twice[2] = {0};
	struct principal good = with_key(someone("p", CENTRE, ROLE_WINDOW), 1), p;

	(void)state;
	assert_err(principal_check(&good, NULL), ERR_OK);
	p = good, p.id = TEXT("Upper");
	assert_err(principal_check(&p, NULL), ERR_FIELD_INVALID);
	p = good, p.org_code = TEXT("11990100MB00004062");
	assert_err(principal_check(&p, NULL), ERR_ORG_CODE_INVALID);
	p = good, p.name = TEXT("");
	assert_err(principal_check(&p, NULL), ERR_FIELD_MISSING);
	p = good, p.n_keys = 0;
	assert_err(principal_check(&p, NULL), ERR_FIELD_MISSING);
	p = good, p.n_keys = 2, p.keys = twice;
	assert_err(principal_check(&p, NULL), ERR_FIELD_INVALID);
	twice[0].not_before = 2, twice[0].not_after = 1;
	assert_err(principal_check(&p, NULL), ERR_TIME_INVALID);
	p = good, p.n_types = 1, p.types = bad_type;
	assert_err(principal_check(&p, NULL), ERR_FIELD_INVALID);
	p = good, p.n_items = 1, p.items = bad_item;
	assert_err(principal_check(&p, NULL), ERR_FIELD_INVALID);
}

static bool put_pending(struct world *w, struct principal by, struct principal p)
{
	struct principal_answer ans = {0};

	assert_err(ask(w, by, &use_principal_put, &p, &ans), ERR_OK);
	return ans.pending;
}

static void two_hands(void **state)
{
	struct world *w = *state;
	struct principal one = enrolled(w, security("s1", 1)), two = security("s2", 2), three = security("s3", 3);
	struct principal officer = with_key(someone("officer", CENTRE, ROLE_INSPECTOR), 4), changed;
	struct principal_answer ans = {0};
	struct disable_request off = {"s2", "离职"};

	officer.statutory = true;
	assert_true(put_pending(w, one, officer)); /* a lone administrator grants no statutory right */
	assert_false(put_pending(w, one, two));    /* but enrols the second */
	assert_true(put_pending(w, one, three));
	assert_true(put_pending(w, one, three)); /* asking again is no second hand */
	changed = three;
	changed.name = TEXT("another");
	assert_true(put_pending(w, two, changed)); /* other contents: a proposal of its own */
	assert_true(put_pending(w, one, three));
	assert_false(put_pending(w, two, three));
	assert_false(put_pending(w, two, officer)); /* the proposal of the lone administrator still stood */
	changed = with_key(one, 9);                 /* a new key for oneself, or for a colleague, is a grant too */
	assert_true(put_pending(w, one, changed));
	changed = with_key(two, 9);
	assert_true(put_pending(w, one, changed));
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_OK);
	assert_true(ans.principal.disabled);
	assert_err(ask(w, two, &use_principal_put, &three, &ans), ERR_PRINCIPAL_DISABLED);
	off.id = "s3";
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_OK);
	assert_true(put_pending(w, one, security("s4", 4))); /* lone again: no second self */
	off.id = "s1";
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_LAST_SECURITY);
	changed = one;
	changed.roles = ROLE_AUDIT;
	assert_err(ask(w, one, &use_principal_put, &changed, &ans), ERR_LAST_SECURITY);
	off.id = "nobody";
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_NOT_FOUND);
	off.reason = "";
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_FIELD_MISSING);
}

/* Nor can one make himself lone by taking the role from the other. What is left is the hand of who runs the host. */
static void no_second_self(void **state)
{
	struct world *w = *state;
	struct principal one = enrolled(w, security("s1", 1)), two = enrolled(w, security("s2", 2)), changed = two;
	struct principal again = security("s5", 5);
	struct disable_request off = {"s2", "钥匙丢失"};
	struct principal_answer ans = {0};
	struct err_note note = {0};

	changed.roles = ROLE_WINDOW;
	assert_true(put_pending(w, one, changed));
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_OK);
	assert_true(put_pending(w, one, security("s3", 3)));
	changed = two;
	changed.disabled = false;
	assert_true(put_pending(w, one, changed));
	assert_err(desk_enrol_again(w->store, &two, &note), ERR_ALREADY_EXISTS);
	changed = with_key(security("s6", 6), 2); /* his key is his for ever */
	assert_err(desk_enrol_again(w->store, &changed, &note), ERR_ALREADY_EXISTS);
	changed = with_key(someone("s6", CENTRE, ROLE_WINDOW), 6);
	assert_err(desk_enrol_again(w->store, &changed, &note), ERR_ROLES_CONFLICT);
	assert_err(desk_enrol_again(w->store, &again, &note), ERR_OK);
	assert_false(put_pending(w, again, security("s3", 3)));
}

/* A proposal of someone who is no administrator any more counts for nothing. */
static void proposer_gone(void **state)
{
	struct world *w = *state;
	struct principal one = enrolled(w, security("s1", 1)), two = enrolled(w, security("s2", 2));
	struct disable_request off = {"s1", "离职"};
	struct principal_answer ans = {0};

	assert_true(put_pending(w, one, security("s3", 3)));
	assert_err(ask(w, two, &use_principal_disable, &off, &ans), ERR_OK);
	enrolled(w, security("s4", 4));
	assert_true(put_pending(w, two, security("s3", 3)));
	assert_err(ask(w, two, &use_principal_put, &(struct principal){.id = TEXT("x")}, &ans), ERR_FIELD_MISSING);
}

static void key_of_another(void **state)
{
	struct world *w = *state;
	struct principal one = enrolled(w, security("s1", 1)), p = with_key(someone("p", CENTRE, ROLE_WINDOW), 1);
	struct principal_answer ans;

	assert_err(ask(w, one, &use_principal_put, &p, &ans), ERR_ALREADY_EXISTS);
	assert_string_equal(w->note.field, "keys");
}

static void first_administrators(void **state)
{
	struct world *w = *state;
	struct principal p = security("s1", 1), window = with_key(someone("w", CENTRE, ROLE_WINDOW), 2);

	assert_err(desk_enrol_first(w->store, &p, 0, NULL), ERR_FIELD_MISSING);
	assert_err(desk_enrol_first(w->store, &window, 1, NULL), ERR_ROLES_CONFLICT);
	assert_err(desk_enrol_first(w->store, &p, 1, NULL), ERR_ALREADY_EXISTS); /* this store has principals */
}

/* ---- catalogue ------------------------------------------------------------------------------ */

static void catalogue(void **state)
{
	struct world *w = *state;
	struct principal p = the_system(w);
	char *good[] = {TEXT("姓名")}, *unknown[] = {TEXT("血型")};
	struct service_item item = an_item("I-9", good, 1), got;
	struct item_list_answer page;
	struct list_request list = {"", 2};
	struct by_id_request id = {"I-9"};
	struct catalog_put_answer ans;
	struct licence_type type;

	assert_err(ask(w, the_window(), &use_item_put, &item, &ans), ERR_ROLE_MISSING);
	assert_err(ask(w, p, &use_item_get, &id, &got), ERR_ITEM_UNKNOWN);
	assert_err(ask(w, p, &use_item_put, &item, &ans), ERR_OK);
	assert_err(ask(w, the_window(), &use_item_get, &id, &got), ERR_OK);
	assert_string_equal(got.materials[0].fields[0], "姓名");
	assert_err(ask(w, p, &use_item_list, &list, &page), ERR_OK);
	assert_int_equal(page.n, 2);
	list.page_token = page.next;
	assert_err(ask(w, p, &use_item_list, &list, &page), ERR_OK);
	assert_int_equal(page.n, 1);
	assert_string_equal(page.next, "");
	item = an_item("I-9", unknown, 1);
	assert_err(ask(w, p, &use_item_put, &item, &ans), ERR_FIELD_UNKNOWN);
	item.materials[0].type_code = TEXT(MNR "777");
	assert_err(ask(w, p, &use_item_put, &item, &ans), ERR_TYPE_UNKNOWN);
	id.id = TYPE_FOOD;
	assert_err(ask(w, p, &use_type_get, &id, &type), ERR_OK);
	assert_err(ask(w, p, &use_type_put, &type, &ans), ERR_OK);
	assert_int_equal(ans.version, 2);
	type.n_fields = 0;
	assert_err(ask(w, p, &use_type_put, &type, &ans), ERR_FIELD_MISSING);
}

static void warnings(void **state)
{
	struct world *w = *state;
	char **list;
	size_t n = 99;

	assert_err(desk_warnings(w->desk, w->arena, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	w->clock += 20000 * DAY; /* everything is out of date by then */
	assert_err(desk_warnings(w->desk, w->arena, &list, &n), ERR_OK);
	assert_true(n >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(roles_are_asked),
	    WORLD(operator_and_request_id),
	    WORLD(asked_twice),
	    WORLD(asked_twice_at_once),
	    WORLD(changed_in_between),
	    WORLD(keys_of_principals),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(exclusions),
	    cmocka_unit_test(bad_principals),
	    WORLD(two_hands),
	    WORLD(no_second_self),
	    WORLD(proposer_gone),
	    WORLD(key_of_another),
	    WORLD(first_administrators),
	    WORLD(catalogue),
	    WORLD(warnings),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
