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
/* The same, drawn ahead: OpenSSL's generator takes microseconds per question, and as long for 4 KiB as for 16 bytes.
 * What was handed out is wiped from the pool; what will be stands in memory, as the keys do. Any thread; not for both
 * sides of a fork(). ERR_NO_MEMORY. */
struct rand_pool;
enum err rand_pool_new(struct rand_pool **out) MUST_CHECK;
/* When nobody uses it any more. p may be NULL. */
void rand_pool_free(struct rand_pool *p);
struct rand rand_pooled(struct rand_pool *p);

enum err rand_fill(const struct rand *r, uint8_t *out, size_t len) MUST_CHECK;
/* Constant time in the contents. */
bool secret_equal(struct span a, struct span b);
void secret_wipe(void *p, size_t len);

#endif
