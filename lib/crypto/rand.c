#include "crypto/rand.h"

#include "crypto/internal.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

enum { CHUNK = 1 << 20 };

static enum err system_fill(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	while (len > 0) {
		size_t n = len < CHUNK ? len : CHUNK;

		if (RAND_bytes(out, (int)n) != 1)
			return openssl_failed(ERR_RANDOM);
		out += n;
		len -= n;
	}
	return ERR_OK;
}

struct rand rand_system(void)
{
	return (struct rand){.fill = system_fill};
}

enum err rand_fill(const struct rand *r, uint8_t *out, size_t len)
{
	return r->fill(r->arg, out, len);
}

bool secret_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

void secret_wipe(void *p, size_t len)
{
	if (p != NULL)
		OPENSSL_cleanse(p, len);
}
