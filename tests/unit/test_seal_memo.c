/* Seals that return: what is kept of them answers for the same octets alone, and changes no report. */
#include "crypto/memo.h"
#include "ses_help.h"
#include "verify/ahead.h"
#include "verify/seal_memo.h"

#include <pthread.h>

static struct seal_memo *new_memo(size_t limit)
{
	struct rand r = rand_system();
	struct seal_memo *m = NULL;

	assert_err(seal_memo_new(limit, &r, &m), ERR_OK);
	return m;
}

static struct seal_memo_figures figures(struct seal_memo *m)
{
	struct seal_memo_figures f;

	seal_memo_figures(m, &f);
	return f;
}

/* NULL: without. */
static void use(struct seal_memo *m)
{
	cert_store_use(pki.trust, (struct sm2_means){.seals = m});
	cert_store_use(pki.other, (struct sm2_means){.seals = m});
}

/* ---- heads ---------------------------------------------------------------------------------- */

static struct span some_octets(struct arena *a, size_t n)
{
	struct rand r = rand_system();
	uint8_t *p = arena_alloc(a, n);

	assert_non_null(p);
	assert_err(rand_fill(&r, p, n), ERR_OK);
	return span_of(p, n);
}

/* Lengths about the ends of blocks, in each of the three pieces; another key, and a beginning that differs in a bit. */
static void a_head_gives_the_digest_of_the_whole(void **state)
{
	static const size_t lens[] = {0, 1, 7, 23, 24, 31, 32, 33, 55, 56, 63, 64, 65, 119, 128, 200, 2241};
	enum { N = sizeof(lens) / sizeof(lens[0]) };
	const struct sm2_key *key = cert_sm2_key(who("samr")->cert), *other = cert_sm2_key(who("mnr")->cert);

	for (size_t i = 0; i < N * N * N; i++) {
		struct arena *a = arena_new(1 << 20);
		size_t first = lens[i % N] % 40, second = lens[i / N % N], rest = lens[i / N / N];
		struct span msg = some_octets(a, first + second + rest);
		uint8_t e[SM2_DIGEST], got[SM2_DIGEST] = {0};
		struct sm2_head h[2];

		sm2_head_make(&h[0], other, span_sub(msg, 0, first), span_sub(msg, first, second));
		sm2_head_make(&h[1], key, span_sub(msg, 0, first), span_sub(msg, first, second));
		msg = arena_dup(a, msg);
		assert_err(sm2_digest(key, sm2_default_id(), msg, e), ERR_OK);
		assert_false(sm2_head_digest(h, 1, key, msg, got));
		assert_true(sm2_head_digest(h, 2, key, msg, got));
		assert_memory_equal(e, got, SM2_DIGEST);
		if (first + second != 0) {
			((uint8_t *)(uintptr_t)msg.ptr)[i % (first + second)] ^= 0x10;
			assert_false(sm2_head_digest(h, 2, key, msg, got));
			assert_false(sm2_head_digest(h, 2, key, span_sub(msg, 0, first + second - 1), got));
		}
		arena_free(a);
	}
}

static void a_head_makes_no_value_good(void **state)
{
	struct arena *a = *state;
	const struct sm2_key *key = cert_sm2_key(who("samr")->cert);
	struct span msg = some_octets(a, 300), sig = sign_by(a, "samr", msg), wrong = arena_dup(a, msg);
	struct sm2_head h;
	struct sm2_means by = {.heads = &h, .n_heads = 1};

	sm2_head_make(&h, key, span_sub(msg, 0, 7), span_sub(msg, 7, 250));
	assert_err(sm2_verify_by(by, key, sm2_default_id(), msg, sig), ERR_OK);
	assert_err(sm2_verify_by(by, key, span_str("another identity"), msg, sig), ERR_SIGNATURE_BAD);
	for (size_t i = 0; i < wrong.len; i++) {
		((uint8_t *)(uintptr_t)wrong.ptr)[i] ^= 1;
		assert_err(sm2_verify_by(by, key, sm2_default_id(), wrong, sig), ERR_SIGNATURE_BAD);
		((uint8_t *)(uintptr_t)wrong.ptr)[i] ^= 1;
	}
}

/* ---- seals ---------------------------------------------------------------------------------- */

/* A signature with this seal. */
static struct span sign_with(struct arena *a, const struct quirk *q, struct span seal, const char *scope)
{
	static int64_t time;
	uint8_t digest[SM3_LEN], version = (uint8_t)q->version;
	struct span p[7], sig[4] = {{0}, tlv(a, DER_OCTET_STRING, der_of_who("samr")), oid(a)};
	struct buf b;

	buf_init(&b, a);
	der_put_gentime(&b, pki.t0 + 1000 * (++time % 1000));
	assert_err(sm3(signed_data, digest), ERR_OK);
	p[0] = tlv(a, DER_INTEGER, span_of(&version, 1));
	p[1] = seal;
	assert_err(buf_done(&b, &p[2]), ERR_OK);
	p[3] = bits(a, span_of(digest, sizeof(digest)));
	p[4] = tlv(a, DER_IA5, span_str(scope));
	p[5] = sig[1];
	p[6] = sig[2];
	if (version == 1)
		p[2] = bits(a, as_utc(a, p[2]));
	sig[0] = tlv(a, DER_SEQUENCE, join(a, p, version == 1 ? 7 : 5));
	sig[3] = bits(a, sign_by(a, "samr", sig[0]));
	if (version == 1)
		sig[1] = sig[3];
	return tlv(a, DER_SEQUENCE, join(a, sig, version == 1 ? 2 : 4));
}

static const struct quirk kinds[] = {
    {.version = 4},
    {.version = 1},
    {.version = 5},
    {.version = 4, .edit = {INFO, {2, 1, -1}, "130141", NULL}, .code = "TEXT_TYPE"},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), STRIDE = 3 };

static char *line_of(struct arena *a, const struct made *m, struct span bytes)
{
	char *line;

	assert_err(report_json(a, judge_made(a, m, verify_signature, bytes, signed_data), NULL, &line), ERR_OK);
	return line;
}

/* With and without a memo; the figures say whether it was asked. */
static void same_report(struct seal_memo *memo, const struct made *m, struct span bytes)
{
	struct arena *a = arena_new(16 << 20);
	char *with, *without;

	use(memo);
	with = line_of(a, m, bytes);
	use(NULL);
	without = line_of(a, m, bytes);
	assert_string_equal(with, without);
	arena_free(a);
}

static void teach(struct seal_memo *memo, struct arena *a, const struct quirk *q, struct span seal)
{
	const struct made m = {0};
	size_t before = figures(memo).seals;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(figures(memo).seals, before + (i == 2));
		same_report(memo, &m, sign_with(a, q, seal, "data"));
	}
}

static void what_is_known_is_judged_as_what_is_not(void **state)
{
	static const struct made ways[] = {{0},
	                                   {.strict = true},
	                                   {.now = 5000 * DAY},
	                                   {.now = -DAY},
	                                   {.trust = TRUST_OTHER},
	                                   {.proven = true},
	                                   {.no_data = true}};
	struct seal_memo *memo = new_memo(1 << 20);

	for (size_t k = 0; k < KINDS; k++) {
		struct span seal = quirky_seal(*state, &kinds[k]), sig;
		size_t hits;

		teach(memo, *state, &kinds[k], seal);
		hits = figures(memo).hits;
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			same_report(memo, &ways[i], sign_with(*state, &kinds[k], seal, "data"));
			same_report(memo, &ways[i], sign_with(*state, &kinds[k], seal, "another scope, of another length"));
		}
		assert_true(figures(memo).hits >= hits + 2 * sizeof(ways) / sizeof(ways[0]));
		sig = sign_with(*state, &kinds[k], seal, "data");
		for (size_t i = k; i < sig.len; i += STRIDE) {
			((uint8_t *)(uintptr_t)sig.ptr)[i] ^= (uint8_t)(1 << i % 8);
			same_report(memo, &ways[0], sig);
			((uint8_t *)(uintptr_t)sig.ptr)[i] ^= (uint8_t)(1 << i % 8);
		}
	}
	seal_memo_free(memo);
}

/* A good seal, in which a signer is not listed, and whose signature is over other data. */
static void nothing_is_kept_of_what_does_not_pass(void **state)
{
	static const struct made ways[] = {
	    {.trust = TRUST_OTHER}, {.no_data = true}, {.now = 5000 * DAY}, {.wrong_data = true}};
	struct seal_memo *memo = new_memo(1 << 20);
	struct span seal = quirky_seal(*state, &kinds[0]), sig = sign_with(*state, &kinds[0], seal, "data");

	use(memo);
	for (size_t i = 0; i < 4 * sizeof(ways) / sizeof(ways[0]); i++) {
		const struct made *m = &ways[i / 4];
		const struct report *r =
		    judge_made(*state, m, verify_signature, sig, m->wrong_data ? span_str("other data") : signed_data);

		assert_int_not_equal(r->indication, TOTAL_PASSED);
	}
	assert_int_equal(figures(memo).seals, 0);
	use(NULL);
	teach(memo, *state, &kinds[0], seal);
	seal_memo_free(memo);
}

static void a_new_epoch_knows_nothing(void **state)
{
	struct seal_memo *memo = new_memo(1 << 20);
	struct span seal = quirky_seal(*state, &kinds[0]), sig = sign_with(*state, &kinds[0], seal, "data");
	const struct made m = {0};
	uint64_t hits;

	teach(memo, *state, &kinds[0], seal);
	same_report(memo, &m, sig);
	hits = figures(memo).hits;
	seal_memo_next_epoch(memo);
	same_report(memo, &m, sig);
	assert_int_equal(figures(memo).hits, hits);
	same_report(memo, &m, sig);
	assert_int_equal(figures(memo).hits, hits + 1);
	seal_memo_free(memo);
}

/* Signatures with seals that are known are not verified together: each is over quickly alone. */
static void what_is_known_is_not_collected(void **state)
{
	struct seal_memo *memo = new_memo(1 << 20);
	struct span seal = quirky_seal(*state, &kinds[0]);
	struct verify_ahead *h;

	for (int known = 0; known < 2; known++) {
		use(memo);
		h = verify_ahead_new(cert_store_means(pki.trust));
		verify_ahead_add(h, sign_with(*state, &kinds[0], seal, "data"));
		verify_ahead_add(h, sign_with(*state, &kinds[0], seal, "data"));
		assert_true((verify_ahead_run(h) == NULL) == (known == 1));
		verify_ahead_free(h);
		if (known == 0)
			teach(memo, *state, &kinds[0], seal);
	}
	use(NULL);
	seal_memo_free(memo);
}

static void it_is_bounded(void **state)
{
	struct rand r = rand_system();
	struct seal_memo *memo = NULL;
	const struct made m = {0};
	struct span first = quirky_seal(*state, &kinds[0]);

	assert_err(seal_memo_new(SEAL_MEMO_MIN - 1, &r, &memo), ERR_FIELD_INVALID);
	memo = new_memo(SEAL_MEMO_MIN);
	for (int i = 0; i < 30; i++) {
		struct span seal = i == 0 ? first : quirky_seal(*state, &kinds[0]),
		            sig = sign_with(*state, &kinds[0], seal, "data");

		for (int k = 0; k < 3; k++)
			same_report(memo, &m, sig);
		assert_true(figures(memo).bytes <= SEAL_MEMO_MIN);
		assert_true(figures(memo).seals <= 16);
	}
	assert_true(figures(memo).evicted >= 20);
	assert_true(figures(memo).seals >= 2);
	same_report(memo, &m, sign_with(*state, &kinds[0], first, "data"));
	seal_memo_free(memo);
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 60, SEALS = 12, SIGNATURES = 3 };
static struct span shared[SEALS][SIGNATURES];

static void *judge_all(void *arg)
{
	struct verify_policy p = {.name = "default", .trust = pki.trust};
	size_t from = (size_t)arg, good = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		struct arena *a = arena_new(4 << 20);
		struct verify_input in = {
		    .bytes = shared[(from + i) % SEALS][i % SIGNATURES], .data = signed_data, .now = pki.t0 + HOUR};
		struct report *r = NULL;

		good += verify_signature(a, &p, &in, &r) == ERR_OK && r->indication == TOTAL_PASSED;
		arena_free(a);
	}
	return (void *)good;
}

static void threads_share_it(void **state)
{
	static const char *const scopes[SIGNATURES] = {"data", "more data", "data, and still more of them"};
	struct seal_memo *memo = new_memo(SEAL_MEMO_MIN);
	pthread_t thread[THREADS];

	for (size_t i = 0; i < SEALS; i++) {
		struct span seal = quirky_seal(*state, &kinds[0]);

		for (size_t k = 0; k < SIGNATURES; k++)
			shared[i][k] = sign_with(*state, &kinds[0], seal, scopes[k]);
	}
	use(memo);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, judge_all, (void *)i), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *good;

		seal_memo_next_epoch(memo);
		pthread_join(thread[i], &good);
		assert_int_equal((size_t)good, ROUNDS);
	}
	use(NULL);
	assert_true(figures(memo).bytes <= SEAL_MEMO_MIN);
	seal_memo_free(memo);
}

static int without_memo(void **state)
{
	use(NULL);
	return arena_teardown(state);
}

#define IN_ARENA(f) cmocka_unit_test_setup_teardown(f, arena_setup, without_memo)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_ARENA(a_head_gives_the_digest_of_the_whole),
	    IN_ARENA(a_head_makes_no_value_good),
	    IN_ARENA(what_is_known_is_judged_as_what_is_not),
	    IN_ARENA(nothing_is_kept_of_what_does_not_pass),
	    IN_ARENA(a_new_epoch_knows_nothing),
	    IN_ARENA(what_is_known_is_not_collected),
	    IN_ARENA(it_is_bounded),
	    IN_ARENA(threads_share_it),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
