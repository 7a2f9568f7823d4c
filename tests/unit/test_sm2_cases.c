/* The published SM2 cases (tests/vectors/README.md) through every path of ours, one by one and in batches, and through
 * OpenSSL: each verdict is the stated one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/text.h"
#include "crypto/internal.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_cache.h"
#include "crypto/sm2_core.h"
#include "tests/diff/judge.h"

enum { CASES_MAX = 6000, KEYS_MAX = 400, BUDGET = 64 * 1024 * 1024 };

/* A signature of the file: over a message, or over a digest. */
struct one {
	json_int_t id;
	const char *comment;
	const struct judge_key *key;
	bool has_digest, valid, acceptable;
	struct span ident, msg, sig;
	const uint8_t *digest;
};

struct file {
	struct arena *a;
	json_t *root;
	struct judge_key *keys[KEYS_MAX];
	struct one *cases;
	size_t n_keys, n_cases;
};

static int wrong;

static void complain(const struct one *c, const char *who)
{
	if (wrong++ < 20)
		print_error("case %lld (%s): %s differs\n", (long long)c->id, c->comment, who);
}

static const char *text(const json_t *at, const char *name)
{
	const char *s = json_string_value(json_object_get(at, name));

	assert_non_null(s);
	return s;
}

static unsigned nibble(char c)
{
	assert_non_null(strchr("0123456789abcdef", c));
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct span bytes(struct file *f, const json_t *at, const char *name)
{
	const char *hex = text(at, name);
	size_t len = strlen(hex) / 2;
	uint8_t *out = arena_alloc(f->a, len + 1);

	assert_non_null(out);
	assert_int_equal(strlen(hex) % 2, 0);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return span_of(out, len);
}

static bool says(const json_t *c, const char *result)
{
	const char *stated = text(c, "result");

	assert_true(strcmp(stated, "valid") == 0 || strcmp(stated, "invalid") == 0 || strcmp(stated, "acceptable") == 0);
	return strcmp(stated, result) == 0;
}

/* ---- the file ---------------------------------------------------------------------------------- */

static EVP_PKEY *pkey_from_der(struct span der)
{
	const uint8_t *at = der.ptr;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);

	if (pkey != NULL && at != der.ptr + der.len) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	ERR_clear_error();
	return pkey;
}

/* The key's three forms are the same key. */
static struct judge_key *group_key(struct file *f, const json_t *g)
{
	const json_t *pub = json_object_get(g, "publicKey");
	struct span point = bytes(f, pub, "uncompressed"), wx = bytes(f, pub, "wx"), wy = bytes(f, pub, "wy");
	EVP_PKEY *pkey = pkey_from_der(bytes(f, g, "publicKeyDer"));
	struct sm2_key *from_der = NULL;
	struct judge_key *k = NULL;

	assert_int_equal(point.len, 65);
	assert_true(span_eq(span_sub(point, 1, 32), wx) && span_eq(span_sub(point, 33, 32), wy));
	assert_non_null(pkey);
	assert_int_equal(sm2_key_from_pkey(pkey, &from_der), ERR_OK);
	assert_true(span_eq(sm2_key_point(from_der), point));
	assert_true(judge_key_new(point.ptr, &k));
	sm2_key_free(from_der);
	EVP_PKEY_free(pkey);
	assert_true(f->n_keys < KEYS_MAX);
	f->keys[f->n_keys++] = k;
	return k;
}

static void read_group(struct file *f, const json_t *g)
{
	bool has_digest = strcmp(text(g, "type"), "Sm2DigestVerify") == 0;
	struct judge_key *key = group_key(f, g);
	const json_t *tests = json_object_get(g, "tests");

	for (size_t i = 0; i < json_array_size(tests); i++) {
		const json_t *t = json_array_get(tests, i);
		struct one *c = &f->cases[f->n_cases];

		assert_true(f->n_cases < CASES_MAX);
		*c = (struct one){.id = json_integer_value(json_object_get(t, "tcId")),
		                  .comment = text(t, "comment"),
		                  .key = key,
		                  .has_digest = has_digest,
		                  .valid = says(t, "valid"),
		                  .acceptable = says(t, "acceptable"),
		                  .sig = bytes(f, t, "sig")};
		if (has_digest) {
			struct span e = bytes(f, t, "digest");

			assert_int_equal(e.len, SM2_DIGEST);
			c->digest = e.ptr;
		} else {
			c->ident = bytes(f, g, "identity");
			c->msg = bytes(f, t, "msg");
		}
		f->n_cases++;
	}
}

/* Every case is counted, and every flag explained. */
static void check_frame(const json_t *root, const json_t *groups)
{
	const json_t *notes = json_object_get(root, "notes");
	json_int_t n = 0;

	for (size_t i = 0; i < json_array_size(groups); i++) {
		const json_t *tests = json_object_get(json_array_get(groups, i), "tests");

		for (size_t j = 0; j < json_array_size(tests); j++) {
			const json_t *t = json_array_get(tests, j), *flags = json_object_get(t, "flags");

			assert_int_equal(json_integer_value(json_object_get(t, "tcId")), ++n);
			assert_true(json_array_size(flags) > 0);
			for (size_t k = 0; k < json_array_size(flags); k++)
				assert_non_null(json_object_get(notes, json_string_value(json_array_get(flags, k))));
		}
	}
	assert_int_equal(json_integer_value(json_object_get(root, "numberOfTests")), n);
}

static int open_file(void **state)
{
	struct file *f = calloc(1, sizeof(*f));
	json_t *groups;

	assert_non_null(f);
	f->a = arena_new(BUDGET);
	f->cases = calloc(CASES_MAX, sizeof(*f->cases));
	f->root = json_load_file("tests/vectors/sm2_verify.json", JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(f->root);
	groups = json_object_get(f->root, "testGroups");
	check_frame(f->root, groups);
	for (size_t i = 0; i < json_array_size(groups); i++) {
		const json_t *g = json_array_get(groups, i);

		if (strcmp(text(g, "type"), "Sm2PublicKey") != 0)
			read_group(f, g);
	}
	assert_true(f->n_cases > 3000);
	*state = f;
	return 0;
}

static int close_file(void **state)
{
	struct file *f = *state;

	for (size_t i = 0; i < f->n_keys; i++)
		judge_key_free(f->keys[i]);
	free(f->cases);
	json_decref(f->root);
	arena_free(f->a);
	free(f);
	return 0;
}

/* ---- signatures --------------------------------------------------------------------------------- */

static void openssl_agrees(void **state)
{
	const struct file *f = *state;

	wrong = 0;
	for (size_t i = 0; i < f->n_cases; i++) {
		const struct one *c = &f->cases[i];
		bool good = c->has_digest ? judge_openssl(c->key, c->digest, c->sig)
		                          : judge_openssl_message(c->key, c->ident, c->msg, c->sig);

		if (!c->acceptable && good != c->valid)
			complain(c, "OpenSSL");
	}
	assert_int_equal(wrong, 0);
}

/* Every path and way, through the arithmetic and through the door; what is acceptable is refused. */
static void ours_agrees(void **state)
{
	const struct file *f = *state;

	wrong = 0;
	for (size_t i = 0; i < f->n_cases; i++) {
		const struct one *c = &f->cases[i];
		struct judgement j = c->has_digest ? judge_own(c->key, c->digest, c->sig, JUDGE_ALWAYS)
		                                   : judge_own_message(c->key, c->ident, c->msg, c->sig);

		if (j.odd != NULL || j.good != (c->valid ? j.ways : 0) || (c->valid && j.ways == 0))
			complain(c, j.odd != NULL ? j.odd : "ours");
	}
	assert_int_equal(wrong, 0);
}

/* A message's digest, and the arithmetic over it. */
static void digests_agree(void **state)
{
	const struct file *f = *state;
	uint8_t e[SM2_DIGEST];

	wrong = 0;
	for (size_t i = 0; i < f->n_cases; i++) {
		const struct one *c = &f->cases[i];
		struct judgement j;

		if (c->has_digest || sm2_digest(c->key->key, c->ident, c->msg, e) != ERR_OK)
			continue;
		j = judge_own(c->key, e, c->sig, JUDGE_ALWAYS);
		if (j.odd != NULL || j.good != (c->valid ? j.ways : 0) || judge_openssl(c->key, e, c->sig) != c->valid)
			complain(c, "the digest's way");
	}
	assert_int_equal(wrong, 0);
}

/* ---- batches ------------------------------------------------------------------------------------ */

static struct sm2_job job_of(const struct one *c)
{
	return (struct sm2_job){c->key->key, c->ident, c->msg, c->digest, c->sig, ERR_COUNT};
}

/* All cases in one call, in an order that mixes keys, good and bad ones; in parts of all small sizes. */
static void run_batches(const struct file *f, struct sm2_means by, size_t stride, size_t part)
{
	struct sm2_job *jobs = calloc(f->n_cases, sizeof(*jobs));

	assert_non_null(jobs);
	for (size_t i = 0; i < f->n_cases; i++)
		jobs[i] = job_of(&f->cases[i * stride % f->n_cases]);
	for (size_t at = 0; at < f->n_cases; at += part)
		sm2_verify_batch(by, jobs + at, part < f->n_cases - at ? part : f->n_cases - at);
	for (size_t i = 0; i < f->n_cases; i++) {
		const struct one *c = &f->cases[i * stride % f->n_cases];

		if (jobs[i].verdict == ERR_FIELD_TOO_LONG ? c->valid || c->ident.len <= SM2_ID_MAX
		                                          : jobs[i].verdict != (c->valid ? ERR_OK : ERR_SIGNATURE_BAD))
			complain(c, "the batch");
	}
	free(jobs);
}

static size_t coprime(size_t n, size_t from)
{
	for (;; from++) {
		size_t a = from, b = n, t;

		for (; b != 0; t = a % b, a = b, b = t)
			;
		if (a == 1)
			return from;
	}
}

static void batches_agree(void **state)
{
	static const size_t parts[] = {100000, 64, 63, 17, 9, 8, 7, 2, 1};
	const struct file *f = *state;
	struct sm2_means own = {.backend = SM2_OWN};

	wrong = 0;
	for (unsigned p = 0; judge_path(p) != NULL; p++) {
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			run_batches(f, own, i % 2 == 0 ? coprime(f->n_cases, 700 + i) : 1, parts[i]);
	}
	assert_int_equal(wrong, 0);
}

/* Keys without tables of their own, a cache with room for a few: tables come and go while the verdicts stay. */
static void cached_agrees(void **state)
{
	struct file *f = *state;
	struct sm2_means by = {.backend = SM2_OWN};
	struct rand r = rand_system();
	struct sm2_key *keys[KEYS_MAX] = {NULL};

	wrong = 0;
	assert_int_equal(sm2_cache_new(5 * sizeof(struct sm2_table) + 4096, &r, &by.tables), ERR_OK);
	for (size_t i = 0; i < f->n_keys; i++)
		assert_int_equal(sm2_key_new(span_of(f->keys[i]->point, 65), &keys[i]), ERR_OK);
	for (size_t i = 0; i < f->n_keys; i++) {
		struct sm2_key *own = f->keys[i]->key;

		f->keys[i]->key = keys[i];
		keys[i] = own;
	}
	run_batches(f, by, 1, 50);
	run_batches(f, by, coprime(f->n_cases, 701), 200);
	for (size_t i = 0; i < f->n_cases; i++) {
		const struct one *c = &f->cases[i];

		if (!c->has_digest && c->ident.len <= SM2_ID_MAX &&
		    (sm2_verify_by(by, c->key->key, c->ident, c->msg, c->sig) == ERR_OK) != c->valid)
			complain(c, "the door with a cache");
	}
	for (size_t i = 0; i < f->n_keys; i++) {
		sm2_key_free(f->keys[i]->key);
		f->keys[i]->key = keys[i];
	}
	sm2_cache_free(by.tables);
	assert_int_equal(wrong, 0);
}

/* ---- public keys -------------------------------------------------------------------------------- */

static bool accepts(struct file *f, const json_t *t)
{
	struct sm2_key *k = NULL;
	enum err e = ERR_FORMAT;

	if (json_object_get(t, "point") != NULL) {
		e = sm2_key_new(bytes(f, t, "point"), &k);
	} else {
		EVP_PKEY *pkey = pkey_from_der(bytes(f, t, "der"));

		if (pkey != NULL)
			e = sm2_key_from_pkey(pkey, &k);
		EVP_PKEY_free(pkey);
	}
	assert_int_equal(k != NULL, e == ERR_OK);
	sm2_key_free(k);
	return e == ERR_OK;
}

static void points_are_checked(void **state)
{
	struct file *f = *state;
	const json_t *groups = json_object_get(f->root, "testGroups");
	size_t n = 0;

	wrong = 0;
	for (size_t i = 0; i < json_array_size(groups); i++) {
		const json_t *g = json_array_get(groups, i), *tests = json_object_get(g, "tests");

		for (size_t j = 0; strcmp(text(g, "type"), "Sm2PublicKey") == 0 && j < json_array_size(tests); j++) {
			const json_t *t = json_array_get(tests, j);
			struct one c = {.id = json_integer_value(json_object_get(t, "tcId")), .comment = text(t, "comment")};

			n++;
			if (accepts(f, t) != says(t, "valid"))
				complain(&c, "ours");
			if (json_object_get(t, "point") != NULL && bytes(f, t, "point").len == 65) {
				struct judge_key *k = NULL; /* stops when OpenSSL and ours differ */

				if (judge_key_new(bytes(f, t, "point").ptr, &k) != says(t, "valid"))
					complain(&c, "OpenSSL");
				judge_key_free(k);
			}
		}
	}
	assert_true(n > 80);
	assert_int_equal(wrong, 0);
}

/* The signatures beside points of small order do pass where the point is not checked: so the check is what holds. */
static void unchecked_points_would_forge(void **state)
{
	struct file *f = *state;
	const json_t *groups = json_object_get(f->root, "testGroups");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(groups); i++) {
		const json_t *tests = json_object_get(json_array_get(groups, i), "tests");

		for (size_t j = 0; j < json_array_size(tests); j++) {
			const json_t *t = json_array_get(tests, j);
			struct sm2_affine at;
			struct sm2_value v;
			struct span point;

			if (json_object_get(t, "point") == NULL || json_object_get(t, "sig") == NULL)
				continue;
			point = bytes(f, t, "point");
			assert_true(sm2_fe_from_bytes(&at.x, point.ptr + 1) && sm2_fe_from_bytes(&at.y, point.ptr + 33));
			assert_false(sm2_point_on_curve(&at));
			assert_int_equal(sm2_value_read(bytes(f, t, "sig"), &v), ERR_OK);
			assert_true(sm2_core_verify_unknown(&at, bytes(f, t, "digest").ptr, v.r, v.s));
			n++;
		}
	}
	assert_int_equal(n, 8);
}

/* The arithmetic refuses by itself what no DER can say: r or s = 0, and numbers past n, where all else of the equation
 * holds modulo n. */
static void numbers_out_of_range(void **state)
{
	static const struct sm2_scalar zero = {{0}}, three = {{3, 0, 0, 0}};
	const struct file *f = *state;
	const struct judge_key *k = f->keys[0];
	const struct sm2_scalar r[] = {zero, three, three}, s[] = {three, zero, three};

	for (int i = 0; i < 3; i++) {
		uint8_t rb[32], sb[32], e[32], n[32], past[32];
		struct sm2_scalar t, x;
		struct sm2_jacobian sum;
		struct sm2_affine a;
		struct sm2_claim claim;
		bool good = i == 2;

		sm2_scalar_add(&t, &r[i], &s[i]);
		sm2_core_sum(&sum, &s[i], &t, &k->at);
		assert_true(sm2_point_to_affine_secret(&a, &sum));
		sm2_point_to_bytes(e, n, &a);
		sm2_scalar_reduce(&x, e);
		sm2_scalar_sub(&x, &r[i], &x);
		sm2_scalar_to_bytes(e, &x);
		sm2_scalar_to_bytes(rb, &r[i]);
		sm2_scalar_to_bytes(sb, &s[i]);
		for (int b = 0; b < 32; b++)
			n[b] = (uint8_t)(sm2_n[3 - b / 8] >> (56 - 8 * (b % 8)));
		for (unsigned path = 0; judge_path(path) != NULL; path++) {
			assert_int_equal(sm2_core_verify_known(k->table, e, rb, sb), good);
			assert_int_equal(sm2_core_verify_unknown(&k->at, e, rb, sb), good);
			assert_int_equal(sm2_core_claim(&claim, e, rb, sb), good);
			memcpy(past, n, 32);
			past[31] = (uint8_t)(past[31] + rb[31]); /* r + n: no carry for 3 */
			assert_false(sm2_core_verify_known(k->table, e, past, sb));
			assert_false(sm2_core_verify_unknown(&k->at, e, past, sb));
			past[31] = (uint8_t)(n[31] + sb[31]);
			assert_false(sm2_core_verify_known(k->table, e, rb, past));
			assert_false(sm2_core_verify_unknown(&k->at, e, rb, past));
		}
	}
}

static bool is_same(const struct sm2_jacobian *a, const struct sm2_jacobian *b)
{
	struct sm2_affine x, y;
	bool finite = sm2_point_to_affine_secret(&x, a);

	if (sm2_point_to_affine_secret(&y, b) != finite)
		return false;
	return !finite || (sm2_fe_equal_mask(&x.x, &y.x) & sm2_fe_equal_mask(&x.y, &y.y)) != 0;
}

/* The scalars that are special to verification are so to signing, too: the secret way gives the complete one's sum. */
static void secret_multiples_agree(void **state)
{
	static const struct sm2_scalar zero = {{0}};
	const struct file *f = *state;

	wrong = 0;
	for (size_t i = 0; i < f->n_cases; i++) {
		struct sm2_jacobian want, got;
		struct sm2_scalar k[2];
		struct sm2_value v;

		if (sm2_value_read(f->cases[i].sig, &v) != ERR_OK || !f->cases[i].has_digest)
			continue;
		sm2_scalar_reduce(&k[0], v.r);
		sm2_scalar_reduce(&k[1], v.s);
		sm2_scalar_add(&k[0], &k[0], &k[1]);
		for (int j = 0; j < 2; j++) {
			sm2_core_sum(&want, &k[j], &zero, &sm2_g);
			for (unsigned path = 0; judge_path(path) != NULL; path++) {
				sm2_core_base_secret(&got, &k[j]);
				if (!is_same(&got, &want))
					complain(&f->cases[i], "the secret multiple");
			}
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openssl_agrees),
	    cmocka_unit_test(ours_agrees),
	    cmocka_unit_test(digests_agree),
	    cmocka_unit_test(batches_agree),
	    cmocka_unit_test(cached_agrees),
	    cmocka_unit_test(points_are_checked),
	    cmocka_unit_test(unchecked_points_would_forge),
	    cmocka_unit_test(numbers_out_of_range),
	    cmocka_unit_test(secret_multiples_agree),
	};

	return cmocka_run_group_tests(tests, open_file, close_file);
}
