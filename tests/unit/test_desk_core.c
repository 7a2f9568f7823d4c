/* The core of the desk: who may call, asking twice, limits, principals by two hands, catalogue, seals, audit. */
#include "desk_help.h"

#define KEEP 64

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

static struct principal with_key(struct principal p, uint8_t n)
{
	static struct principal_key keep[KEEP]; /* more than one test needs */
	static size_t used;
	struct principal_key *k = &keep[used++ % KEEP];

	memset(k, 0, sizeof(*k));
	memset(k->fingerprint, n, FINGERPRINT_LEN);
	p.keys = k;
	p.n_keys = 1;
	p.n_types = p.n_items = 0;
	return p;
}

static struct principal security(const char *id, uint8_t n)
{
	return with_key(someone(id, CENTRE, ROLE_SECURITY), n);
}

static struct principal the_system(struct world *w)
{
	return enrolled(w, with_key(someone("system", CENTRE, ROLE_SYSTEM), 60));
}

static struct principal the_auditor(struct world *w)
{
	return enrolled(w, with_key(someone("auditor", CENTRE, ROLE_AUDIT), 61));
}

static struct principal the_sealer(struct world *w)
{
	return enrolled(w, with_key(someone("sealer", CENTRE, ROLE_SEALER), 62));
}

static struct service_item an_item(const char *code, char **fields, size_t n)
{
	static struct item_material m;

	m = (struct item_material){TEXT("身份证"), TEXT(TYPE_PERSON), TEXT("核对"), true, n, fields};
	return (struct service_item){TEXT(code), TEXT("事项"), true, 1, &m};
}

/* ---- who, and how ---- */

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

/* ---- principals ---- */

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
	changed = with_key(one, 9); /* a new key for oneself, or for a colleague, is a grant too */
	assert_true(put_pending(w, one, changed));
	changed = with_key(two, 9);
	assert_true(put_pending(w, one, changed));
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_OK);
	assert_true(ans.principal.disabled);
	assert_err(ask(w, two, &use_principal_put, &three, &ans), ERR_PRINCIPAL_DISABLED);
	off.id = "s3";
	assert_err(ask(w, one, &use_principal_disable, &off, &ans), ERR_OK);
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

/* ---- catalogue ---- */

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

/* ---- seals ---- */

static struct seal_create_request seal_request(struct world *w)
{
	static struct span cert;

	cert = der_of_who("samr");
	return (struct seal_create_request){.id = "",
	                                    .name = "云州市市场监督管理局",
	                                    .owner_code = SAMR,
	                                    .application = "申请 2026-1",
	                                    .approver = "王五",
	                                    .type = 1,
	                                    .n_certs = 1,
	                                    .certs = &cert,
	                                    .valid_end = w->clock + 300 * DAY};
}

static void seal_refusals(void **state)
{
	struct world *w = *state;
	struct principal p = the_sealer(w);
	struct seal_create_request good = seal_request(w), q;
	struct span bad[2] = {der_of_who("revoked"), span_str("x")};
	struct seal_answer ans;

#define REFUSED(change, want)                                                                                          \
	q = good, change;                                                                                                  \
	assert_err(ask(w, p, &use_seal_create, &q, &ans), want)
	REFUSED(q.name = "", ERR_FIELD_MISSING);
	REFUSED(q.owner_code = "1", ERR_ORG_CODE_INVALID);
	REFUSED(q.application = " ", ERR_FIELD_MISSING);
	REFUSED(q.approver = "", ERR_FIELD_MISSING);
	REFUSED(q.approver = "op-7", ERR_FIELD_INVALID);
	REFUSED(q.approver = "李四", ERR_FIELD_INVALID);
	REFUSED(q.id = "a b", ERR_FIELD_INVALID);
	REFUSED(q.id = "SEAL-1", ERR_ALREADY_EXISTS);
	REFUSED(q.type = 0, ERR_FIELD_INVALID);
	REFUSED(q.n_certs = 0, ERR_FIELD_MISSING);
	REFUSED(q.certs = bad, ERR_FIELD_INVALID);
	REFUSED(q.certs = bad + 1, ERR_FIELD_INVALID);
	bad[0] = bad[1] = der_of_who("samr");
	REFUSED((q.certs = bad, q.n_certs = 2), ERR_FIELD_INVALID);
	bad[0] = der_of_who("root");
	REFUSED(q.certs = bad, ERR_FIELD_INVALID);
	bad[0] = der_of_who("expired");
	REFUSED(q.certs = bad, ERR_FIELD_INVALID);
	REFUSED(q.valid_end = 0, ERR_FIELD_MISSING);
	REFUSED(q.valid_end = w->clock, ERR_TIME_INVALID);
	REFUSED(q.valid_start = w->clock + DAY, ERR_TIME_INVALID);
	REFUSED(q.width_mm = 500, ERR_FIELD_INVALID);
	REFUSED(q.height_mm = 30, ERR_FIELD_INVALID);
	REFUSED(q.picture_png = span_str("not a picture"), ERR_IMAGE_INVALID);
	assert_err(ask(w, the_issuer(), &use_seal_create, &good, &ans), ERR_ROLE_MISSING);
}

static enum err seal_state(struct world *w, struct principal p, const char *id, int to)
{
	struct status_request q = {.id = id, .reason = "测试", .state = to};
	struct seal_answer ans;

	return ask(w, p, &use_seal_status, &q, &ans);
}

static void seal_life(void **state)
{
	struct world *w = *state;
	struct principal p = the_sealer(w), other = enrolled(w, with_key(someone("mnr", MNR, ROLE_ISSUER), 80));
	struct seal_create_request q = seal_request(w);
	struct seal_answer made, got;
	struct by_id_request id;
	struct seal_list_request list = {"", "", 0};
	struct seal_list_answer all;
	struct history_answer past;
	struct sign_request sign = {.property_info = "letter.pdf", .purpose = "公函"};
	struct sign_answer signature;
	uint8_t digest[SM3_LEN];
	struct verify_request v = {.policy = "strict"};
	struct verify_answer verdict;

	assert_err(ask(w, p, &use_seal_create, &q, &made), ERR_OK);
	assert_true(made.can_sign);
	id.id = made.seal.id;
	assert_err(ask(w, the_issuer(), &use_seal_get, &id, &got), ERR_OK);
	assert_span(got.seal.der, made.seal.der);
	assert_int_equal(got.seal.version, made.seal.version);
	assert_err(ask(w, other, &use_seal_get, &id, &got), ERR_SEAL_NOT_OWN);
	assert_err(ask(w, other, &use_seal_list, &list, &all), ERR_OK);
	assert_int_equal(all.n, 0);
	list.owner_code = SAMR;
	assert_err(ask(w, other, &use_seal_list, &list, &all), ERR_SEAL_NOT_OWN);
	assert_err(ask(w, p, &use_seal_list, &list, &all), ERR_OK);
	assert_int_equal(all.n, 2);
	assert_true(all.seals[0].can_sign && all.seals[1].can_sign);

	assert_err(sm3(span_str("letter"), digest), ERR_OK);
	sign.seal_id = made.seal.id;
	sign.digest = span_of(digest, 31);
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_FIELD_INVALID);
	sign.digest = span_of(digest, SM3_LEN);
	assert_err(ask(w, other, &use_seal_sign, &sign, &signature), ERR_SEAL_NOT_OWN);
	sign.property_info = LICENCE_SCOPE; /* would be a licence that nobody checked */
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_FIELD_INVALID);
	sign.property_info = "letter.pdf";
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_OK);
	v.document = signature.signature;
	v.data = span_str("letter");
	assert_err(ask(w, the_window(), &use_verify, &v, &verdict), ERR_OK);
	assert_int_equal(verdict.report->indication, TOTAL_PASSED);
	v.policy = "lenient";
	assert_err(ask(w, the_window(), &use_verify, &v, &verdict), ERR_FIELD_INVALID);
	sign.purpose = "";
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_PURPOSE_MISSING);
	sign.purpose = "公函";

	assert_err(seal_state(w, p, id.id, SEAL_ACTIVE), ERR_STATE_CHANGE_INVALID);
	assert_err(seal_state(w, p, id.id, 7), ERR_STATE_CHANGE_INVALID);
	assert_err(seal_state(w, p, id.id, SEAL_SUSPENDED), ERR_OK);
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_SEAL_NOT_USABLE);
	assert_err(seal_state(w, p, id.id, SEAL_ACTIVE), ERR_OK);
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_OK);
	assert_err(seal_state(w, p, id.id, SEAL_REVOKED), ERR_OK);
	assert_err(seal_state(w, p, id.id, SEAL_ACTIVE), ERR_STATE_CHANGE_INVALID);
	assert_err(seal_state(w, p, "SEAL-9", SEAL_REVOKED), ERR_SEAL_UNKNOWN);
	assert_err(ask(w, the_issuer(), &use_seal_history, &id, &past), ERR_OK);
	assert_int_equal(past.n, 4);
}

static void seal_import(void **state)
{
	struct world *w = *state;
	struct principal p = the_sealer(w);
	const struct made good = {0}, ended = {.to = HOUR};
	struct seal_import_request q = {.der = make_seal(w->arena, &good), .owner_code = SAMR, .application = "A"};
	struct seal_answer ans;
	uint8_t *flipped = (uint8_t *)(uintptr_t)arena_dup(w->arena, q.der).ptr;
	struct span whole = q.der;
	enum err e = ask(w, p, &use_seal_import, &q, &ans);

	assert_true(e == ERR_OK || e == ERR_ALREADY_EXISTS); /* the world's own seal may have this identifier */
	q.der = make_seal(w->arena, &ended);
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_SEAL_INVALID);
	assert_non_null(strstr(w->note.help, "/"));
	flipped[whole.len - 3] ^= 1;
	q.der = span_of(flipped, whole.len);
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_SEAL_INVALID);
	q.der = span_str("0");
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_SEAL_INVALID);
	q.der = span_of(NULL, 0);
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_FIELD_MISSING);
	q.der = whole;
	q.application = "";
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_FIELD_MISSING);
	q.owner_code = "";
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_ORG_CODE_INVALID);
}

/* ---- audit ---- */

static enum err erase_all(struct store_tx *tx, void *arg)
{
	uint64_t n;

	(void)arg;
	return store_audit_erase(tx, INT64_MAX, &n);
}

static void audit(void **state)
{
	struct world *w = *state;
	struct principal p = the_auditor(w);
	struct audit_list_request q = {.action = "seal.create", .principal = ""};
	struct audit_list_answer ans;
	struct seal_create_request make = seal_request(w);
	struct seal_answer made;
	const struct audit_item *it;
	uint8_t leaf[SHA256_LEN], digest[SM3_LEN];
	struct span parts[2];

	assert_err(ask(w, the_sealer(w), &use_seal_create, &make, &made), ERR_OK);
	memcpy(leaf, w->leaf, SHA256_LEN);
	assert_err(ask(w, the_window(), &use_audit_list, &q, &ans), ERR_ROLE_MISSING);
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_OK);
	assert_int_equal(ans.n, 1);
	assert_int_equal(ans.next, 0);
	it = &ans.entries[0];
	assert_string_equal(it->result, "ok");
	assert_string_equal(it->org_code, CENTRE);
	parts[0] = span_of("", 1);
	parts[1] = it->row.record;
	assert_err(sha256_parts(parts, 2, digest), ERR_OK);
	assert_memory_equal(digest, leaf, SHA256_LEN); /* what the call was told is what is kept */
	assert_memory_equal(it->row.leaf, leaf, SHA256_LEN);
	assert_true(it->row.n_values >= 3);
	assert_string_equal(it->row.values[1].name, "operator_name");
	assert_string_equal(it->row.values[1].value, "李四");
	assert_null(memmem(it->row.record.ptr, it->row.record.len, "李四", strlen("李四")));
	assert_null(memmem(it->row.record.ptr, it->row.record.len, "王五", strlen("王五")));
	assert_err(receipt_field_digest(span_of(it->row.values[1].salt, 16), "operator_name", "李四", digest), ERR_OK);
	assert_memory_equal(digest, it->digests[1], SM3_LEN);

	assert_err(store_write(w->store, erase_all, NULL), ERR_OK);
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_OK);
	assert_true(ans.entries[0].row.values[1].erased);
	assert_memory_equal(ans.entries[0].digests[1], digest, SM3_LEN);
	assert_memory_equal(ans.entries[0].row.leaf, leaf, SHA256_LEN);
	q.action = "audit.list"; /* the auditor left entries too */
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_OK);
	assert_int_equal(ans.n, 2);
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
	    WORLD(proposer_gone),
	    WORLD(key_of_another),
	    WORLD(first_administrators),
	    WORLD(catalogue),
	    WORLD(seal_refusals),
	    WORLD(seal_life),
	    WORLD(seal_import),
	    WORLD(audit),
	    WORLD(warnings),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
