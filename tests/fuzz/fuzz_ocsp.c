/* OCSP responses from strangers: parsed, and used as evidence for a path of two certificates. */
#include <stdlib.h>

#include "crypto/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A certificate after two bytes that say how long it is. */
static enum err take_cert(struct span *in, struct cert **out)
{
	size_t n = in->len >= 2 ? (size_t)in->ptr[0] << 8 | in->ptr[1] : 0;
	struct span der = span_sub(*in, 2, n);

	*in = span_sub(*in, 2 + der.len, in->len);
	return cert_parse(der, out);
}

static void check(struct cert *leaf, struct cert *issuer, struct cert_store *evidence)
{
	const int64_t now = INT64_C(1795000000000);
	struct cert_store *s = NULL;
	struct chain_result res;

	if (cert_store_new(&s) == ERR_OK && cert_store_add_anchor(s, issuer) == ERR_OK &&
	    chain_check_with(s, evidence, leaf, (struct cert_list){NULL, 0}, now, now, &res) != ERR_OK)
		abort();
	cert_store_free(s);
}

/* Leaf, issuer, response. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct ocsp *ocsp = NULL;
	struct cert *leaf = NULL, *issuer = NULL;
	struct cert_store *evidence = NULL;

	if (take_cert(&in, &leaf) == ERR_OK && take_cert(&in, &issuer) == ERR_OK && ocsp_parse(in, &ocsp) == ERR_OK &&
	    cert_store_new(&evidence) == ERR_OK && cert_store_add_ocsp(evidence, ocsp) == ERR_OK) {
		ocsp = NULL;
		check(leaf, issuer, evidence);
	}
	ocsp_free(ocsp);
	cert_free(leaf);
	cert_free(issuer);
	cert_store_free(evidence);
	return 0;
}
