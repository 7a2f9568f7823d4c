/* What no verification of the same document can leave out, straight on libzip and OpenSSL. */
#include <string.h>
#include <zip.h>

#include "base/file.h"
#include "crypto/cert.h"
#include "form/ofd_package.h"
#include "tests/bench/bench_verify.h"

enum { OPS_MAX = 8, CHUNK = 16 * 1024 };

struct op {
	EVP_PKEY *key;
	struct span msg, value;
};

struct floor {
	struct span bytes;
	struct op op[OPS_MAX];
	size_t n, octets;
};

/* ---- what is to be verified ---- */

static X509 *cert_of(struct span der)
{
	const unsigned char *p = der.ptr;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);

	if (x == NULL)
		give_up("bench: certificate");
	return x;
}

static void add_op(struct floor *f, X509 *by, struct span msg, struct span value)
{
	EVP_PKEY *key = X509_get_pubkey(by);

	if (key == NULL || f->n == OPS_MAX)
		give_up("bench: key");
	f->op[f->n++] = (struct op){key, msg, value};
}

static void add_link(struct floor *f, X509 *anchor, X509 *cert)
{
	const ASN1_BIT_STRING *value;
	unsigned char *tbs = NULL;
	int n = i2d_re_X509_tbs(cert, &tbs);

	X509_get0_signature(&value, NULL, cert);
	if (n <= 0)
		give_up("bench: certificate");
	add_op(f, anchor, arena_dup(mem(), span_of(tbs, (size_t)n)),
	       arena_dup(mem(), span_of(value->data, (size_t)value->length)));
	OPENSSL_free(tbs);
}

/* The only signature of the package: its value, its seal's, and with an anchor the link of either certificate. */
static void add_signature(struct floor *f, struct span file, const char *anchor)
{
	struct deviations noted = {0};
	const struct ses_reading how = {&noted, 480};
	struct ses_signature *s = arena_alloc(mem(), sizeof(*s));
	struct span value, seal_value, root;
	X509 *signer, *maker, *x;

	must(ses_signature_read(mem(), file, &how, s, NULL), "bench: signature");
	must(ses_value_read(mem(), s->value, &noted, "", &value), "bench: value");
	must(ses_value_read(mem(), s->seal.value, &noted, "", &seal_value), "bench: value");
	signer = cert_of(s->cert);
	maker = cert_of(s->seal.maker_cert);
	add_op(f, signer, s->tbs_raw, value);
	add_op(f, maker, s->seal.signed_raw, seal_value);
	if (anchor != NULL) {
		must(file_read(mem(), anchor, CERT_MAX, &root, NULL), anchor);
		x = cert_of(root);
		add_link(f, x, signer);
		add_link(f, x, maker);
		X509_free(x);
	}
	X509_free(signer);
	X509_free(maker);
}

struct floor *floor_new(const struct bench_doc *doc)
{
	static const char end[] = "/SignedValue.dat";
	struct floor *f = arena_alloc(mem(), sizeof(*f));
	struct deviations noted = {0};
	struct ofd_fault fault;
	struct ofd_package *p;
	struct span file;

	f->bytes = doc->bytes;
	must(ofd_package_open(mem(), doc->bytes, &noted, &p, &fault), doc->path);
	f->octets = p->inflated;
	for (size_t i = 0; i < p->n; i++) {
		size_t n = strlen(p->entries[i].name);
		if (n < sizeof(end) || strcmp(p->entries[i].name + n - (sizeof(end) - 1), end) != 0)
			continue;
		must(ofd_read(p, mem(), &p->entries[i], SES_MAX, &file, &fault), doc->path);
		add_signature(f, file, doc->anchor);
	}
	ofd_package_close(p);
	return f;
}

size_t floor_signatures(const struct floor *f)
{
	return f->n;
}

size_t floor_octets(const struct floor *f)
{
	return f->octets;
}

/* ---- one turn ---- */

static void digest_entry(zip_t *z, zip_uint64_t i)
{
	zip_file_t *file = zip_fopen_index(z, i, 0);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t chunk[CHUNK], out[EVP_MAX_MD_SIZE];
	zip_int64_t n;

	if (file == NULL || ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sm3(), NULL) != 1)
		give_up("bench: entry");
	while ((n = zip_fread(file, chunk, sizeof(chunk))) > 0)
		if (EVP_DigestUpdate(ctx, chunk, (size_t)n) != 1)
			give_up("bench: SM3");
	if (n != 0 || EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		give_up("bench: entry");
	EVP_MD_CTX_free(ctx);
	zip_fclose(file);
}

static void verify_one(const struct op *op)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;

	if (ctx == NULL || EVP_DigestVerifyInit(ctx, &pctx, EVP_sm3(), NULL, op->key) != 1 ||
	    EVP_PKEY_CTX_set1_id(pctx, "1234567812345678", 16) != 1 ||
	    EVP_DigestVerify(ctx, op->value.ptr, op->value.len, op->msg.ptr, op->msg.len) != 1)
		give_up("bench: a signature of the floor does not verify");
	EVP_MD_CTX_free(ctx);
}

void floor_run(const struct floor *f)
{
	zip_source_t *source = zip_source_buffer_create(f->bytes.ptr, f->bytes.len, 0, NULL);
	zip_t *z = source != NULL ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;

	if (z == NULL)
		give_up("bench: ZIP");
	for (zip_int64_t i = 0; i < zip_get_num_entries(z, 0); i++)
		digest_entry(z, (zip_uint64_t)i);
	zip_discard(z);
	for (size_t i = 0; i < f->n; i++)
		verify_one(&f->op[i]);
}
