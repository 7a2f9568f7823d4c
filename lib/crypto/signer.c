#include "crypto/signer.h"

#include "base/file.h"
#include "crypto/sm2_head.h"
#include "crypto/sm2_key.h"
#include "crypto/sm2_openssl.h"
#include "crypto/sm2_sign.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 16 * 1024, PASSPHRASE_MAX = 1024 };

/* Who holds a private key and signs with it; PKCS#11 would be one more row. Shared by threads. */
struct holder {
	/* Takes what it needs of the key. ERR_FORMAT: it is no pair. */
	enum err (*open)(EVP_PKEY *pkey, const struct sm2_key *public_key, void **secret);
	/* With the default identity, DER; the result is not checked. digest is e = SM3(Z || msg). */
	enum err (*sign)(void *secret, struct span msg, const uint8_t digest[SM2_DIGEST], uint8_t *sig, size_t *len);
	void (*close)(void *secret);
};

struct signer {
	const struct holder *holder;
	void *secret; /* the holder's */
	struct sm2_key *public_key;
	uint8_t *beginning; /* NULL: none is expected */
	struct sm2_head head;
};

/* What the passphrase callback is given, and whether it was asked. */
struct asked {
	struct span passphrase;
	bool was_asked;
};

static int give_passphrase(char *buf, int size, int writing, void *arg)
{
	struct asked *a = arg;

	(void)writing;
	a->was_asked = true;
	if (a->passphrase.len == 0 || size < 0 || a->passphrase.len > (size_t)size)
		return -1;
	memcpy(buf, a->passphrase.ptr, a->passphrase.len);
	return (int)a->passphrase.len;
}

static enum err unreadable(struct err_note *note, const char *path, const char *why)
{
	return err_note_set(note, ERR_KEY_UNREADABLE, NULL, "%s: %s", path, why);
}

/* The file into buf of KEY_FILE_MAX bytes. Its rights are looked at on the open file, not on the name. */
static enum err read_key_file(const char *path, uint8_t *buf, size_t *len, struct err_note *note)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n = 0;
	enum err e;

	if (fd < 0 || fstat(fd, &st) != 0) {
		const char *why = strerrordesc_np(errno);

		e = unreadable(note, path, why != NULL ? why : "cannot be opened");
		goto out;
	}
	e = ERR_OK;
	if (!S_ISREG(st.st_mode))
		e = unreadable(note, path, "not a regular file");
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		e = unreadable(note, path, "others than its owner may use this key file; chmod 600 it");
	else if (st.st_size > KEY_FILE_MAX)
		e = unreadable(note, path, "too large for a key file");
	*len = 0;
	while (e == ERR_OK && *len < KEY_FILE_MAX && (n = read(fd, buf + *len, KEY_FILE_MAX - *len)) > 0)
		*len += (size_t)n;
	if (e == ERR_OK && n < 0)
		e = unreadable(note, path, "cannot be read");
out:
	if (fd >= 0)
		close(fd);
	return e;
}

static bool is_pkcs8(const uint8_t *pem, size_t len)
{
	static const char plain[] = "-----BEGIN PRIVATE KEY-----", locked[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

	return memmem(pem, len, plain, sizeof(plain) - 1) != NULL || memmem(pem, len, locked, sizeof(locked) - 1) != NULL;
}

static enum err parse_key(const char *path, const uint8_t *pem, size_t len, struct span passphrase, EVP_PKEY **out,
                          struct err_note *note)
{
	struct asked asked = {.passphrase = passphrase};
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (!is_pkcs8(pem, len))
		return unreadable(note, path, "not a PEM file with a PKCS#8 private key");
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &asked);
	BIO_free(bio);
	if (pkey == NULL) {
		openssl_failed(ERR_KEY_UNREADABLE);
		if (asked.was_asked && passphrase.len == 0)
			return unreadable(note, path, "the key is encrypted and no passphrase was given");
		return unreadable(note, path, asked.was_asked ? "wrong passphrase, or damaged" : "damaged");
	}
	if (!sm2_openssl_is(pkey)) {
		EVP_PKEY_free(pkey);
		return unreadable(note, path, "not an SM2 key");
	}
	*out = pkey;
	return ERR_OK;
}

/* ---- who signs ------------------------------------------------------------------------------ */

static enum err own_open(EVP_PKEY *pkey, const struct sm2_key *public_key, void **secret)
{
	uint8_t d[SM2_NUMBER], point[SM2_POINT];
	struct sm2_secret *s = NULL;
	enum err e = sm2_openssl_private(pkey, d);

	if (e == ERR_OK)
		e = sm2_secret_new(d, &s, point);
	secret_wipe(d, sizeof(d));
	if (e == ERR_OK && !span_eq(span_of(point, sizeof(point)), sm2_key_point(public_key)))
		e = ERR_FORMAT;
	if (e == ERR_OK)
		*secret = s;
	else
		sm2_secret_free(s);
	return e;
}

static enum err own_sign(void *secret, struct span msg, const uint8_t digest[SM2_DIGEST], uint8_t *sig, size_t *len)
{
	const struct rand rand = rand_system();
	struct sm2_value v;
	enum err e = sm2_sign(secret, &rand, digest, &v);

	(void)msg;
	if (e == ERR_OK)
		*len = sm2_value_write(&v, sig);
	return e;
}

static void own_close(void *secret)
{
	sm2_secret_free(secret);
}

static enum err openssl_open(EVP_PKEY *pkey, const struct sm2_key *public_key, void **secret)
{
	if (EVP_PKEY_up_ref(pkey) != 1)
		return openssl_failed(ERR_CRYPTO);
	*secret = pkey;
	return ERR_OK;
}

static enum err openssl_sign(void *secret, struct span msg, const uint8_t digest[SM2_DIGEST], uint8_t *sig, size_t *len)
{
	(void)digest;
	return sm2_openssl_sign(secret, msg, sig, len);
}

static void openssl_close(void *secret)
{
	EVP_PKEY_free(secret); /* wipes the private number */
}

static const struct holder holders[] = {
    [SM2_OWN] = {own_open, own_sign, own_close},
    [SM2_OPENSSL] = {openssl_open, openssl_sign, openssl_close},
};

/* ---- signers -------------------------------------------------------------------------------- */

static enum err signer_new(EVP_PKEY *pkey, enum sm2_backend by, struct signer **out)
{
	struct signer *s = calloc(1, sizeof(*s));
	enum err e = s != NULL ? ERR_OK : ERR_NO_MEMORY;

	if (e == ERR_OK)
		e = sm2_key_from_pkey(pkey, &s->public_key);
	if (e == ERR_OK)
		e = sm2_key_prepare(s->public_key); /* every signature is checked with it */
	if (e == ERR_OK)
		e = holders[by].open(pkey, s->public_key, &s->secret);
	if (e != ERR_OK) {
		signer_free(s);
		return e;
	}
	s->holder = &holders[by];
	*out = s;
	return ERR_OK;
}

enum err signer_open_file_by(enum sm2_backend by, const char *path, struct span passphrase, struct signer **out,
                             struct err_note *note)
{
	uint8_t buf[KEY_FILE_MAX];
	size_t len = 0;
	EVP_PKEY *pkey = NULL;
	enum err e = read_key_file(path, buf, &len, note);

	if (e == ERR_OK)
		e = parse_key(path, buf, len, passphrase, &pkey, note);
	secret_wipe(buf, sizeof(buf));
	if (e != ERR_OK)
		return e;
	e = signer_new(pkey, by, out);
	EVP_PKEY_free(pkey);
	return e == ERR_FORMAT ? unreadable(note, path, "its two halves are no SM2 key pair") : e;
}

enum err signer_open_file(const char *path, struct span passphrase, struct signer **out, struct err_note *note)
{
	return signer_open_file_by(SM2_OWN, path, passphrase, out, note);
}

void signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	if (s->holder != NULL)
		s->holder->close(s->secret);
	sm2_key_free(s->public_key);
	free(s->beginning);
	free(s);
}

enum err signer_expect(struct signer *s, struct span beginning)
{
	uint8_t *copy = malloc(beginning.len), by_head[SM2_DIGEST], whole[SM2_DIGEST];
	struct sm2_head head;

	if (copy == NULL)
		return ERR_NO_MEMORY;
	memcpy(copy, beginning.ptr, beginning.len);
	sm2_head_make(&head, s->public_key, span_of(copy, beginning.len), span_of(NULL, 0));
	if (!sm2_head_digest(&head, 1, s->public_key, beginning, by_head) ||
	    sm2_digest(s->public_key, sm2_default_id(), beginning, whole) != ERR_OK ||
	    memcmp(by_head, whole, SM2_DIGEST) != 0) {
		free(copy);
		return ERR_CRYPTO;
	}
	free(s->beginning);
	s->beginning = copy;
	s->head = head;
	return ERR_OK;
}

struct span signer_point(const struct signer *s)
{
	return sm2_key_point(s->public_key);
}

/* Once: what a wrong digest gives is a good signature of something else, and no part of the key. */
static enum err digest_of(const struct signer *s, struct span msg, uint8_t digest[SM2_DIGEST])
{
	if (s->beginning != NULL && sm2_head_digest(&s->head, 1, s->public_key, msg, digest))
		return ERR_OK;
	return sm2_digest(s->public_key, sm2_default_id(), msg, digest);
}

enum err signer_sign(const struct signer *s, struct span msg, uint8_t sig[SM2_SIG_MAX], size_t *sig_len)
{
	uint8_t made[SM2_SIG_MAX], digest[SM2_DIGEST];
	size_t len = 0;
	enum err e = digest_of(s, msg, digest);

	if (e == ERR_OK)
		e = s->holder->sign(s->secret, msg, digest, made, &len);
	if (e != ERR_OK)
		return e;
	/* A signature made by a faulty computation can give the key away. */
	if (sm2_verify_digest_by((struct sm2_means){0}, s->public_key, digest, span_of(made, len)) != ERR_OK)
		return ERR_CRYPTO;
	memcpy(sig, made, len);
	*sig_len = len;
	return ERR_OK;
}

enum err signer_make_file(const char *path, struct span passphrase, struct err_note *note)
{
	const EVP_CIPHER *cipher = passphrase.len != 0 ? EVP_aes_256_cbc() : NULL;
	struct asked asked = {.passphrase = passphrase};
	EVP_PKEY *pkey = NULL;
	BIO *bio = NULL;
	char *pem = NULL;
	long len = 0;
	enum err e = ERR_CRYPTO;

	if (passphrase.len > PASSPHRASE_MAX)
		return err_note_set(note, ERR_FIELD_TOO_LONG, "passphrase", NULL);
	pkey = sm2_openssl_make();
	bio = BIO_new(BIO_s_mem()); /* wiped when freed */
	if (pkey != NULL && bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher, NULL, 0, give_passphrase, &asked) == 1)
		len = BIO_get_mem_data(bio, &pem);
	if (len > 0)
		e = file_write(path, span_of(pem, (size_t)len), 0600, note);
	else
		err_note_set(note, openssl_failed(e), NULL, NULL);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return e;
}
