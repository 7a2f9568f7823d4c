/* Certificates, bundles, CRLs and SM2 signature values from strangers; a certificate that parses is then looked for
 * in paths with itself as anchor and as its own helper. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
	if (!condition)
		abort();
}

/* The base point of the curve: a public key that every SM2 implementation knows. */
static const uint8_t point[SM2_POINT] = {
    0x04, 0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94,
    0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7, 0xbc,
    0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53, 0xd0, 0xa9,
    0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
};

static void read_fields(const struct cert *c)
{
	uint8_t print[CERT_FINGERPRINT];

	need(text_is_clean(span_str(cert_subject(c)), 4096) && text_is_clean(span_str(cert_issuer(c)), 4096));
	need(text_is_clean(span_str(cert_common_name(c)), 4096) && strlen(cert_serial_hex(c)) >= 2);
	cert_key_fingerprint(c, print);
	(void)cert_has_eku(c, "1.3.6.1.5.5.7.3.8");
}

static void check_paths(struct cert **certs, size_t n, struct span crl_bytes)
{
	struct cert_store *s = NULL;
	struct crl *crl = NULL;
	struct chain_result r;

	need(cert_store_new(&s) == ERR_OK);
	need(chain_check(s, certs[0], certs, n, 1, 1, &r) == ERR_OK && r.status != CHAIN_OK);
	need(cert_store_add_anchor(s, certs[n - 1]) == ERR_OK);
	if (crl_parse(crl_bytes, &crl) == ERR_OK)
		need(cert_store_add_crl(s, crl) == ERR_OK);
	need(chain_check(s, certs[0], certs, n, cert_not_before(certs[0]), cert_not_before(certs[0]), &r) == ERR_OK);
	need(text_is_utf8(span_str(r.subject)));
	cert_store_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct arena *a = arena_new(1 << 20);
	struct cert **certs = NULL;
	struct crl *crl = NULL;
	struct sm2_key *key = NULL;
	size_t n = 0;

	if (cert_parse_bundle(a, in, &certs, &n) == ERR_OK) {
		for (size_t i = 0; i < n; i++)
			read_fields(certs[i]);
		check_paths(certs, n, in);
		for (size_t i = 0; i < n; i++)
			cert_free(certs[i]);
	}
	if (crl_parse_pem_or_der(in, &crl) == ERR_OK)
		need(text_is_clean(span_str(crl_issuer(crl)), 4096));
	crl_free(crl);
	need(sm2_key_new(span_of(point, sizeof(point)), &key) == ERR_OK);
	need(sm2_verify(key, sm2_default_id(), span_str("message"), in) != ERR_OK);
	sm2_key_free(key);
	arena_free(a);
	return 0;
}
