/* Signatures, time stamps and OCSP responses by OpenSSL's command line (signed_material.sh), and how a verdict is
 * named. */
#ifndef YZ_TESTS_SIGNED_MATERIAL_H
#define YZ_TESTS_SIGNED_MATERIAL_H

#include "signed_help.h"

#define MATERIAL "build/signed"

static const struct span data_signed = {(const uint8_t *)"the signed data", 15};

static struct material {
	struct cert *tsa;
	struct signer *tsa_key;
} material;

static inline struct span read_material(struct arena *a, const char *name)
{
	struct span s;

	assert_err(file_read(a, arena_printf(a, MATERIAL "/%s", name), 1 << 20, &s, NULL), ERR_OK);
	return s;
}

static inline int signed_setup(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct cert **certs;
	size_t n;

	if (a == NULL || pki_setup(state) != 0 || system("tests/unit/signed_material.sh " PKI " " MATERIAL) != 0)
		return -1;
	assert_err(cert_parse_bundle(a, read_material(a, "sm2tsa.crt"), &certs, &n), ERR_OK);
	material.tsa = certs[0];
	assert_err(signer_open_file(MATERIAL "/sm2tsa.key", span_of(NULL, 0), &material.tsa_key, NULL), ERR_OK);
	arena_free(a);
	return 0;
}

static inline int signed_teardown(void **state)
{
	cert_free(material.tsa);
	signer_free(material.tsa_key);
	return pki_teardown(state);
}

#define PASSES(code)          TOTAL_PASSED, SUB_NONE, (code)
#define FAILS(sub, code)      TOTAL_FAILED, SUB_##sub, (code)
#define IS_UNCLEAR(sub, code) INDETERMINATE, SUB_##sub, (code)

#endif
