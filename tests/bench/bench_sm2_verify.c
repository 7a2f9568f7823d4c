/* Verifications of digests that are at hand, DER values read: what EVP_PKEY_verify() does, with its context kept. */
#include "tests/bench/bench_sm2.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sm2_core.h"
#include "crypto/sm2_key.h"

enum { SIGNERS = 32, JOBS = CASES };

/* ---- keys and values ---- */

static void make_values(struct signer_case *s)
{
	for (size_t i = 0; i < CASES; i++) {
		struct sm2_case *c = &s->at_case[i];

		must_be(RAND_bytes(c->e, sizeof(c->e)), "randomness");
		c->len = sizeof(c->der);
		must_be(EVP_PKEY_sign(s->sign, c->der, &c->len, c->e, sizeof(c->e)) == 1, "a signature of OpenSSL's");
	}
}

struct signer_case *make_signer(void)
{
	struct signer_case *s = calloc(1, sizeof(*s));
	uint8_t point[SM2_POINT];
	size_t len = 0;

	must_be(s != NULL, "memory");
	s->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	must_be(s->pkey != NULL, "a key");
	must_be(EVP_PKEY_get_octet_string_param(s->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) == 1 &&
	            len == sizeof(point),
	        "a public key");
	s->sign = EVP_PKEY_CTX_new_from_pkey(NULL, s->pkey, NULL);
	s->verify = EVP_PKEY_CTX_new_from_pkey(NULL, s->pkey, NULL);
	must_be(s->sign != NULL && s->verify != NULL && EVP_PKEY_sign_init(s->sign) == 1 &&
	            EVP_PKEY_verify_init(s->verify) == 1,
	        "contexts");
	must_be(sm2_key_new(span_of(point, sizeof(point)), &s->key) == ERR_OK && sm2_key_prepare(s->key) == ERR_OK,
	        "a key of ours");
	must_be(sm2_key_new(span_of(point, sizeof(point)), &s->unprepared) == ERR_OK, "a key without a table");
	s->at = *sm2_key_at(s->key);
	make_values(s);
	return s;
}

void free_signer(struct signer_case *s)
{
	EVP_PKEY_CTX_free(s->sign);
	EVP_PKEY_CTX_free(s->verify);
	EVP_PKEY_free(s->pkey);
	sm2_key_free(s->key);
	sm2_key_free(s->unprepared);
	free(s);
}

static const struct sm2_case *next_case(struct signer_case *s)
{
	return &s->at_case[s->next++ % CASES];
}

/* ---- contestants ---- */

static void openssl_run(void *arg)
{
	struct signer_case *s = arg;
	const struct sm2_case *c = next_case(s);

	must_be(EVP_PKEY_verify(s->verify, c->der, c->len, c->e, sizeof(c->e)) == 1, "OpenSSL refuses a good signature");
}

static void known_run(void *arg)
{
	struct signer_case *s = arg;
	const struct sm2_case *c = next_case(s);
	struct sm2_value v;

	must_be(sm2_value_read(span_of(c->der, c->len), &v) == ERR_OK &&
	            sm2_core_verify_known(sm2_key_table(s->key), c->e, v.r, v.s),
	        "known signer: a good signature is refused");
}

/* Turn by turn another of so many signers that their tables do not fit the second-level cache. */
struct crowd {
	struct signer_case *of[SIGNERS];
	size_t next;
};

static void crowd_run(void *arg)
{
	struct crowd *c = arg;

	known_run(c->of[c->next++ % SIGNERS]);
}

static void unknown_run(void *arg)
{
	struct signer_case *s = arg;
	const struct sm2_case *c = next_case(s);
	struct sm2_value v;

	must_be(sm2_value_read(span_of(c->der, c->len), &v) == ERR_OK && sm2_core_verify_unknown(&s->at, c->e, v.r, v.s),
	        "unknown signer: a good signature is refused");
}

struct batch {
	struct sm2_job jobs[JOBS];
};

static void batch_run(void *arg)
{
	struct batch *b = arg;

	sm2_verify_batch((struct sm2_means){0}, b->jobs, JOBS);
	for (size_t i = 0; i < JOBS; i++)
		must_be(b->jobs[i].verdict == ERR_OK, "batch: a good signature is refused");
}

static void fill_batch(struct batch *b, struct signer_case *const *of, size_t n, bool known)
{
	for (size_t i = 0; i < JOBS; i++) {
		const struct signer_case *s = of[i % n];
		const struct sm2_case *c = &s->at_case[i];

		b->jobs[i] =
		    (struct sm2_job){.key = known ? s->key : s->unprepared, .digest = c->e, .sig = span_of(c->der, c->len)};
	}
}

static void table_run(void *arg)
{
	static struct sm2_table t;

	sm2_table_build(&t, arg);
}

/* ---- from messages, through the doors of both ---- */

struct message {
	struct signer_case *s;
	uint8_t text[1024], der[SM2_SIG_MAX];
	size_t len;
	EVP_MD_CTX *ctx;
};

static void make_message(struct message *m, struct signer_case *s)
{
	EVP_PKEY_CTX *pctx = NULL;

	m->s = s;
	m->len = sizeof(m->der);
	m->ctx = EVP_MD_CTX_new();
	must_be(RAND_bytes(m->text, sizeof(m->text)) == 1 && m->ctx != NULL, "a message");
	must_be(EVP_DigestSignInit(m->ctx, &pctx, EVP_sm3(), NULL, s->pkey) == 1 &&
	            EVP_PKEY_CTX_set1_id(pctx, "1234567812345678", 16) == 1 &&
	            EVP_DigestSign(m->ctx, m->der, &m->len, m->text, sizeof(m->text)) == 1,
	        "a signed message");
}

static void openssl_message_run(void *arg)
{
	struct message *m = arg;
	EVP_PKEY_CTX *pctx = NULL;

	must_be(EVP_MD_CTX_reset(m->ctx) == 1 && EVP_DigestVerifyInit(m->ctx, &pctx, EVP_sm3(), NULL, m->s->pkey) == 1 &&
	            EVP_PKEY_CTX_set1_id(pctx, "1234567812345678", 16) == 1 &&
	            EVP_DigestVerify(m->ctx, m->der, m->len, m->text, sizeof(m->text)) == 1,
	        "OpenSSL refuses a good message");
}

static void message_run(void *arg)
{
	struct message *m = arg;

	must_be(sm2_verify(m->s->key, sm2_default_id(), span_of(m->text, sizeof(m->text)), span_of(m->der, m->len)) ==
	            ERR_OK,
	        "a good message is refused");
}

static void bench_table(struct signer_case *s)
{
	struct contestant c = {.paths = CPU_ALL, .run = table_run, .arg = &s->at, .ops = 1};
	double best = time_of(&c) / 1e3, plain;

	c.paths = CPU_PORTABLE;
	plain = time_of(&c) / 1e3;
	put_figure("table_build_us", best);
	put_figure("table_build_portable_us", plain);
	put_figure("table_bytes", (double)sizeof(struct sm2_table));
	printf("\nTable of a key: %zu octets, built in %.0f us (plain C: %.0f us)\n", sizeof(struct sm2_table), best,
	       plain);
}

void bench_verify(void)
{
	static struct crowd crowd;
	static struct batch one, many, unknown;
	static struct message message;

	for (size_t i = 0; i < SIGNERS; i++)
		crowd.of[i] = make_signer();
	fill_batch(&one, crowd.of, 1, true);
	fill_batch(&many, crowd.of, SIGNERS, true);
	fill_batch(&unknown, crowd.of, SIGNERS, false);
	make_message(&message, crowd.of[0]);
	struct signer_case *s = crowd.of[0];
	const struct contestant digests[] = {
	    {"openssl_verify_per_s", "OpenSSL, EVP_PKEY_verify()", CPU_ALL, 0, openssl_run, s, 1},
	    {"verify_known_ratio", "known signer", CPU_ALL, 0, known_run, s, 1},
	    {"verify_known_adx_ratio", "  MULX and ADX", CPU_ADX, CPU_ADX, known_run, s, 1},
	    {"verify_known_portable_ratio", "  plain C", CPU_PORTABLE, 0, known_run, s, 1},
	    {"verify_known_32_signers_ratio", "  32 signers in turn (8 MiB of tables)", CPU_ALL, 0, crowd_run, &crowd, 1},
	    {"verify_unknown_ratio", "unknown signer", CPU_ALL, 0, unknown_run, s, 1},
	    {"verify_unknown_adx_ratio", "  MULX and ADX", CPU_ADX, CPU_ADX, unknown_run, s, 1},
	    {"verify_unknown_portable_ratio", "  plain C", CPU_PORTABLE, 0, unknown_run, s, 1},
	    {"batch_ifma_ratio", "batch of 256, AVX-512 IFMA", CPU_ALL, CPU_IFMA, batch_run, &one, JOBS},
	    {"batch_ifma_32_signers_ratio", "  of 32 signers", CPU_ALL, CPU_IFMA, batch_run, &many, JOBS},
	    {"batch_unknown_ifma_ratio", "  of signers without a table", CPU_ALL, CPU_IFMA, batch_run, &unknown, JOBS},
	    {"batch_adx_ratio", "batch of 256, MULX and ADX", CPU_ADX, CPU_ADX, batch_run, &one, JOBS},
	    {"batch_portable_ratio", "batch of 256, plain C", CPU_PORTABLE, 0, batch_run, &one, JOBS},
	};
	const struct contestant messages[] = {
	    {"openssl_verify_message_per_s", "OpenSSL, EVP_DigestVerify()", CPU_ALL, 0, openssl_message_run, &message, 1},
	    {"verify_message_ratio", "sm2_verify(), known signer", CPU_ALL, 0, message_run, &message, 1},
	};

	contest("Verification of a digest", digests, sizeof(digests) / sizeof(digests[0]));
	contest("Verification of a message of 1 kB, identity and digest included", messages, 2);
	bench_table(s);
	EVP_MD_CTX_free(message.ctx);
	for (size_t i = 0; i < SIGNERS; i++)
		free_signer(crowd.of[i]);
}
