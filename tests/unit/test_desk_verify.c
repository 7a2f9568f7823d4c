/* Verdicts from the desk: signed on demand, by the right key alone. */
#include "desk_help.h"

static void a_desk_without_a_verdict_key_signs_none(void **state)
{
	struct world *w = *state;
	struct verify_request q = {.document = span_str("rubbish"), .want_receipt = true};
	struct verify_answer ans = {0};

	assert_err(ask(w, the_window(), &use_verify, &q, &ans), ERR_VERDICT_KEY_MISSING);
	q.want_receipt = false;
	assert_err(ask(w, the_window(), &use_verify, &q, &ans), ERR_OK);
	assert_int_equal(ans.report->indication, TOTAL_FAILED);
	assert_int_equal(ans.receipt.len, 0);
}

/* A desk like the world's, that signs verdicts with this key. */
static enum err open_desk(struct world *w, const char *name, struct desk_key *key, struct desk **out)
{
	struct desk_options o = {.store = w->store,
	                         .clock = clock_fixed(&w->clock),
	                         .rand = rand_system(),
	                         .service = "印证测试",
	                         .trust = pki.trust,
	                         .receipt = &w->keys[2],
	                         .verdict = key};
	struct err_note note = {0};

	*key = (struct desk_key){TEXT("verdict-key"), who(name)->signer, who(name)->cert};
	return desk_new(&o, out, &note);
}

static void keys_of_another_purpose_sign_no_verdicts(void **state)
{
	static const char *const names[] = {"receipt", "samr", "maker"};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct desk_key key;
		struct desk *d = NULL;
		assert_err(open_desk(w, names[i], &key, &d), ERR_CONFIG_INVALID);
		assert_null(d);
	}
}

static struct report *judged(struct world *w, const char *policy, struct span bytes)
{
	struct verify_policy p = {0};
	struct verify_input in = {.bytes = bytes, .now = w->clock};
	struct err_note note = {0};
	struct report *r = NULL;

	assert_err(policy_load(w->arena, policy, &p, &note), ERR_OK);
	p.trust = pki.trust;
	assert_err(verify_any(w->arena, &p, &in, &r), ERR_OK);
	return r;
}

static void a_verdict_says_by_what_it_was_reached(void **state)
{
	struct world *w = *state;
	struct verify_request q = {
	    .document = span_str("rubbish"), .data = span_str("data"), .policy = "archive", .want_receipt = true};
	struct verify_answer ans = {0};
	uint8_t digest[SHA256_LEN];
	struct desk_key key;
	struct desk *d = NULL;
	struct report *r;

	assert_err(open_desk(w, "verdict", &key, &d), ERR_OK);
	assert_err(ask_as(w, d, the_window(), &use_verify, &q, &ans), ERR_OK);
	r = judged(w, "strict", ans.receipt);
	assert_int_equal(r->kind, KIND_VERDICT);
	assert_int_equal(r->indication, TOTAL_PASSED);
	assert_string_equal(r->verdict->indication, "TOTAL_FAILED");
	assert_string_equal(r->verdict->code, "UNKNOWN_KIND");
	assert_string_equal(r->verdict->policy, "archive");
	assert_err(sm3(q.document, digest), ERR_OK);
	assert_memory_equal(r->verdict->document_digest, digest, SM3_LEN);
	assert_err(sm3(q.data, digest), ERR_OK);
	assert_memory_equal(r->verdict->data_digest, digest, SM3_LEN);
	assert_err(sm3(span_str(ans.json), digest), ERR_OK);
	assert_memory_equal(r->verdict->report_digest, digest, SM3_LEN);
	assert_err(cert_store_digest(pki.trust, digest), ERR_OK);
	assert_memory_equal(r->verdict->trust_digest, digest, SHA256_LEN);
	assert_err(cert_store_digest(pki.no_crl, digest), ERR_OK);
	assert_memory_not_equal(r->verdict->trust_digest, digest, SHA256_LEN);
	desk_free(d);
}

static void a_verdict_with_one_bit_changed_does_not_stand(void **state)
{
	struct world *w = *state;
	struct verify_request q = {.document = span_str("rubbish"), .want_receipt = true};
	struct verify_answer ans = {0};
	struct desk_key key;
	struct desk *d = NULL;

	assert_err(open_desk(w, "verdict", &key, &d), ERR_OK);
	assert_err(ask_as(w, d, the_window(), &use_verify, &q, &ans), ERR_OK);
	for (size_t i = 0; i < ans.receipt.len; i += 5) {
		struct span copy = arena_dup(w->arena, ans.receipt);
		((uint8_t *)(uintptr_t)copy.ptr)[i] ^= 1;
		if (judged(w, "default", copy)->indication == TOTAL_PASSED)
			fail_msg("byte %zu", i);
	}
	desk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(a_desk_without_a_verdict_key_signs_none),
	    WORLD(keys_of_another_purpose_sign_no_verdicts),
	    WORLD(a_verdict_says_by_what_it_was_reached),
	    WORLD(a_verdict_with_one_bit_changed_does_not_stand),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
