#include "crypto/rand.h"

#include "crypto/internal.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

enum { CHUNK = 1 << 20, POOL = 4096, FROM_POOL_MAX = POOL / 4 };

struct rand_pool {
	pthread_mutex_t lock;
	size_t left; /* of bytes, at their end */
	uint8_t bytes[POOL];
};

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

/* ---- drawn ahead ---------------------------------------------------------------------------- */

enum err rand_pool_new(struct rand_pool **out)
{
	struct rand_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return ERR_OK;
}

void rand_pool_free(struct rand_pool *p)
{
	if (p == NULL)
		return;
	secret_wipe(p->bytes, sizeof(p->bytes));
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static enum err pool_fill(void *arg, uint8_t *out, size_t len)
{
	struct rand_pool *p = arg;
	uint8_t *from;
	enum err e = ERR_OK;

	if (len > FROM_POOL_MAX)
		return system_fill(NULL, out, len);
	pthread_mutex_lock(&p->lock);
	if (p->left < len) {
		e = system_fill(NULL, p->bytes, sizeof(p->bytes));
		p->left = e == ERR_OK ? sizeof(p->bytes) : 0;
	}
	if (e == ERR_OK && len != 0) {
		from = p->bytes + sizeof(p->bytes) - p->left;
		memcpy(out, from, len);
		secret_wipe(from, len);
		p->left -= len;
	}
	pthread_mutex_unlock(&p->lock);
	return e;
}

struct rand rand_pooled(struct rand_pool *p)
{
	return (struct rand){.fill = pool_fill, .arg = p};
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
