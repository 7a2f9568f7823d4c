/*
 * SM2 signatures (GB/T 32918.2) with SM3, values as DER SEQUENCE{ INTEGER r, INTEGER s } (GM/T 0009 7.3). Every SM2
 * signature in the project is verified through this door and made through crypto/signer.h, whatever it stands in.
 * The signer's identity is always an argument: OpenSSL's own default is the empty one.
 *
 * Behind the door stands our own arithmetic (docs/sm2.md); OpenSSL's can be chosen in its place, as a cross-check. Both
 * give the same verdicts for all input.
 */
#ifndef YZ_CRYPTO_SM2_H
#define YZ_CRYPTO_SM2_H

#include "base/err.h"
#include "base/span.h"

enum { SM2_POINT = 65, SM2_SIG_MAX = 72, SM2_DIGEST = 32, SM2_ID_MAX = 8190 };

/* "1234567812345678": the identity of every Chinese certificate, seal, signature, CRL and time stamp. */
struct span sm2_default_id(void);

struct sm2_key; /* a public key, ready for use by several threads: point and Z for the default identity */

/* From the uncompressed point 04||X||Y; ERR_FORMAT when not on the curve. */
enum err sm2_key_new(struct span point, struct sm2_key **out) MUST_CHECK;
void sm2_key_free(struct sm2_key *k);
/* The point it was made from. */
struct span sm2_key_point(const struct sm2_key *k);
/* A table of the key's own (256 KiB, sm2_table.h), for one that is known to return, such as our signers': before it is
 * shared with other threads. Other keys get theirs from a cache. ERR_NO_MEMORY; the key is as good without. */
enum err sm2_key_prepare(struct sm2_key *k) MUST_CHECK;

/* By what means signatures are verified: given down by value from who opened them to whatever verifies (the trust list
 * carries it, cert_store_use()). All zeros: our own arithmetic, no tables kept. It decides how long a verification
 * takes, never what comes out. */
enum sm2_backend { SM2_OWN, SM2_OPENSSL };
struct sm2_cache; /* sm2_cache.h */
struct memo;      /* memo.h */
struct sm2_ahead; /* sm2_batch.h */
struct sm2_head;  /* sm2_head.h */
struct seal_memo; /* verify/seal_memo.h: carried here for whoever verifies seals */
enum memo_kind {
	MEMO_NONE,    /* not kept: a document comes once */
	MEMO_SEAL,    /* a maker's value over a seal */
	MEMO_CHAIN,   /* an issuer's value over a certificate */
	MEMO_LICENCE, /* a signer's value over a licence */
	MEMO_CERT,    /* a certificate, parsed */
	MEMO_KINDS
};
struct sm2_means {
	enum sm2_backend backend;
	struct sm2_cache *tables;      /* of signers that return; NULL: none */
	struct memo *memo;             /* of what was found good before; NULL: none */
	enum memo_kind kind;           /* what this value stands in: set where that is known */
	const struct sm2_ahead *ahead; /* what was verified in a batch just before; NULL: nothing */
	const struct sm2_head *heads;  /* n_heads beginnings that the message may have; NULL: none */
	size_t n_heads;
	struct seal_memo *seals; /* seals that were found good before; NULL: none */
};

/* ERR_SIGNATURE_BAD when it does not verify, including a malformed signature (trailing bytes, raw r||s,
 * non-minimal or negative INTEGERs). `id` is at most SM2_ID_MAX bytes (OpenSSL's limit; ERR_FIELD_TOO_LONG). */
enum err sm2_verify(const struct sm2_key *k, struct span id, struct span msg, struct span sig) MUST_CHECK;
enum err sm2_verify_by(struct sm2_means by, const struct sm2_key *k, struct span id, struct span msg,
                       struct span sig) MUST_CHECK;

/* The steps of the above, for who verifies many at once: e = SM3(Z || msg), and the numbers of a DER value. */
struct sm2_value {
	uint8_t r[32], s[32]; /* most significant first */
};
/* ERR_FIELD_TOO_LONG as above. */
enum err sm2_digest(const struct sm2_key *k, struct span id, struct span msg, uint8_t e[SM2_DIGEST]) MUST_CHECK;
/* Strict DER; ERR_FORMAT. Whether the numbers are below n is not checked. */
enum err sm2_value_read(struct span der, struct sm2_value *out) MUST_CHECK;
size_t sm2_value_write(const struct sm2_value *v, uint8_t der[SM2_SIG_MAX]);

#endif
