/*
 * The one way to use a private key. Nothing above this ever holds one: today a PKCS#8 file, used by our own arithmetic
 * or by OpenSSL's; later a key-holding process or PKCS#11 behind the same table.
 */
#ifndef YZ_CRYPTO_SIGNER_H
#define YZ_CRYPTO_SIGNER_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/sm2.h"

struct signer;

/* An SM2 key from a PEM PKCS#8 file, encrypted or not. `passphrase` may be empty for a plain one.
 * ERR_KEY_UNREADABLE (note: why, never the contents), also when the file may be read by others than its owner. */
enum err signer_open_file(const char *path, struct span passphrase, struct signer **out,
                          struct err_note *note) MUST_CHECK;
/* The same, signing by the means named; signer_open_file() takes our own arithmetic (sm2_sign.h). */
enum err signer_open_file_by(enum sm2_backend by, const char *path, struct span passphrase, struct signer **out,
                             struct err_note *note) MUST_CHECK;
void signer_free(struct signer *s);
/* The uncompressed public point. */
struct span signer_point(const struct signer *s);
/* Most messages begin so: that part is hashed only once, now. It is copied. Before the signer is shared with other
 * threads; a second one takes the first one's place. It decides how long a signature takes, never what it is.
 * ERR_NO_MEMORY, ERR_CRYPTO. */
enum err signer_expect(struct signer *s, struct span beginning) MUST_CHECK;
/* Sign msg with SM2/SM3 and the default identity. sig holds SM2_SIG_MAX; the result is checked before release, by our
 * own arithmetic whoever made it: ERR_CRYPTO when it does not verify. ERR_RANDOM.
 * May be called by several threads. */
enum err signer_sign(const struct signer *s, struct span msg, uint8_t sig[SM2_SIG_MAX], size_t *sig_len) MUST_CHECK;

/* A new key pair in an encrypted (passphrase not empty) or plain PKCS#8 PEM file, mode 0600; for tests and the
 * development PKI. */
enum err signer_make_file(const char *path, struct span passphrase, struct err_note *note) MUST_CHECK;

#endif
