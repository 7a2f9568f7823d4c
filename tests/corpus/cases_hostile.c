/* Files that mean to cost the verifier its time, its memory or its stack. */
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "tests/corpus/helpers.h"

enum { DEEP = 100000, BIG_KEY = 16384 };

static const struct family seals = {"seal", NULL, "esl"};
static const struct family cms = {"signed_data", "data.txt", "p7"};

/* begin, then the same two bytes over and over. */
static struct span repeated(struct span begin, const char pair[2], size_t n)
{
	struct buf b;

	buf_init(&b, mem());
	buf_add(&b, begin);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, span_of(pair, 2));
	return done(&b);
}

static void nested_cases(void)
{
	static const char header[] = "\x30\x80\x30\x80\x30\x80\x16\x02"
	                             "ES";
	static const char gm[] = "\x30\x80\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x02";
	struct span begin = span_of(header, sizeof(header) - 1);

	fault(&seals, "deep-seal", repeated(begin, "\x30\x80", DEEP), "FORMAT_FAILURE", "only structure=FORMAT",
	      "a seal in BER, a hundred thousand levels deep");
	fault(&seals, "deep-strings", repeated(begin, "\x24\x80", DEEP), "FORMAT_FAILURE", "only structure=FORMAT",
	      "an OCTET STRING of parts of parts of parts");
	fault(&cms, "deep-signed-data", repeated(span_of(gm, sizeof(gm) - 1), "\xa0\x80", DEEP), "FORMAT_FAILURE",
	      "only structure=FORMAT", "a SignedData in BER, a hundred thousand levels deep");
	fault(&seals, "length-4g",
	      span_of("\x30\x84\xff\xff\xff\xff\x30\x84\xff\xff\xff\xf0\x30\x03\x16\x01"
	              "E",
	              17),
	      "FORMAT_FAILURE", "only structure=FORMAT", "lengths of four gigabytes in seventeen bytes");
	fault(&seals, "length-endless", repeated(begin, "\x16\x80", 16), "FORMAT_FAILURE", "only structure=FORMAT",
	      "indefinite length where only a primitive value may be");
	fault(&seals, "end-missing", span_sub(in_ber(SEAL(.version = 4), BER_INDEFINITE), 0, 200), "FORMAT_FAILURE",
	      "only structure=FORMAT", "indefinite lengths whose end never comes");
}

/* ---- keys that cost much -------------------------------------------------------------------------------------------
 */

static EVP_PKEY *rsa_of(int bits, int exponent_bits)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_new(), *e = BN_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	if (ctx == NULL || b == NULL || BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) != 1 ||
	    BN_rand(e, exponent_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) != 1 ||
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		give_up("RSA key");
	params = OSSL_PARAM_BLD_to_param(b);
	if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		give_up("RSA key");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return key;
}

/* A certificate for this key, and a value that some RSA key made. */
static void costly(const char *id, EVP_PKEY *key, const char *codes, const char *about)
{
	const struct people *p = people();
	struct actor holder = {.key = key};
	struct actor *who = new_actor(
	    &(struct cert_wish){.name = arena_printf(mem(), "RSA %s", id), .issuer = p->root, .same_key = &holder});

	doubt(&cms, id,
	      new_cms(
	          &(struct cms_wish){.attrs = true, .signer = who, .md = EVP_sha256(), .value = sign(p->signer, who->der)}),
	      "CRYPTO_CONSTRAINTS_FAILURE", codes, about);
}

void hostile_cases(void)
{
	static const char refused[] = "signature_algorithm=UNSUPPORTED_KEY signature_value=CANNOT_JUDGE";

	nested_cases();
	costly("rsa-16384", rsa_of(BIG_KEY, 17), refused, "an RSA key of 16384 bits");
	costly("rsa-exponent", rsa_of(2048, 2000), refused, "an RSA key whose exponent has 2000 bits");
}
