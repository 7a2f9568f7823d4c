/* Randomness and the handling of secrets. */
#ifndef YZ_CRYPTO_RAND_H
#define YZ_CRYPTO_RAND_H

#include "base/err.h"
#include "base/span.h"

/* A source of randomness; tests give their own. */
struct rand {
	enum err (*fill)(void *arg, uint8_t *out, size_t len);
	void *arg;
};

struct rand rand_system(void); /* OpenSSL's DRBG */
enum err rand_fill(const struct rand *r, uint8_t *out, size_t len) MUST_CHECK;
/* Constant time in the contents. */
bool secret_equal(struct span a, struct span b);
void secret_wipe(void *p, size_t len);

#endif
