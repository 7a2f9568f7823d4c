#include "server/peers.h"

#include "base/text.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { WAYS = 8, SETS = PEERS_MAX / WAYS, PEER_BUDGET = 1024 * 1024, PARSE_BUDGET = 256 * 1024, NAMED_MAX = 64 * 1024 };

struct peer {
	atomic_uint refs;
	/* what it was found by */
	uint64_t hash;
	bool forwarded;
	uint8_t *cert;
	size_t cert_len;
	/* the certificate */
	uint8_t fingerprint[CERT_FINGERPRINT];
	int64_t not_before, not_after;
	/* the principal, as looked up at this epoch */
	struct arena *arena;
	struct principal who;
	enum err e; /* ERR_OK, or why it is nobody */
	uint64_t epoch;
};

struct peers {
	pthread_mutex_t lock;
	atomic_uint_least64_t epoch;
	struct peer *table[SETS][WAYS];
	unsigned oldest[SETS]; /* the way to be given up next */
	uint64_t hits, misses;
};

/* ---- one ------------------------------------------------------------------------------------ */

struct peer *peer_ref(struct peer *peer)
{
	atomic_fetch_add(&peer->refs, 1);
	return peer;
}

void peer_unref(struct peer *peer)
{
	if (peer == NULL || atomic_fetch_sub(&peer->refs, 1) != 1)
		return;
	arena_free(peer->arena);
	free(peer->cert);
	free(peer);
}

const struct principal *peer_principal(const struct peer *peer)
{
	return &peer->who;
}

/* FNV-1a. Whoever could choose a certificate to collide gains nothing: all of it is compared. */
static uint64_t hash_of(struct span cert, bool forwarded)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)forwarded;

	for (size_t i = 0; i < cert.len; i++)
		h = (h ^ cert.ptr[i]) * 1099511628211u;
	return h ^ h >> 32;
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%0A" and so on; '+' stands for itself. */
static enum err unescape(struct arena *a, struct span in, struct span *out)
{
	uint8_t *p = arena_alloc(a, in.len);
	size_t n = 0;

	if (p == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in.len; i++) {
		p[n] = in.ptr[i];
		if (in.ptr[i] == '%') {
			int hi = i + 2 < in.len ? digit(in.ptr[i + 1]) : -1, lo = i + 2 < in.len ? digit(in.ptr[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return ERR_FORWARDED_INVALID;
			p[n] = (uint8_t)(hi << 4 | lo);
			i += 2;
		}
		n++;
	}
	*out = span_of(p, n);
	return ERR_OK;
}

/* TLS has not seen this certificate: is it below client_ca, now? */
static enum err check_chain(const struct app *app, struct cert *c, int64_t now)
{
	struct chain_result r;
	enum err e = chain_check(app->client_ca, c, NULL, 0, now, now, &r);

	if (e != ERR_OK)
		return e;
	if (r.status == CHAIN_EXPIRED || r.status == CHAIN_NOT_YET)
		return ERR_PRINCIPAL_EXPIRED;
	return r.status == CHAIN_OK && r.revocation != REVOCATION_REVOKED ? ERR_OK : ERR_FORWARDED_INVALID;
}

static enum err take_facts(struct peer *p, const struct app *app, struct cert **certs, size_t n, int64_t now)
{
	if (n == 0 || (p->forwarded && n != 1))
		return p->forwarded ? ERR_FORWARDED_INVALID : ERR_PRINCIPAL_UNKNOWN;
	p->not_before = cert_not_before(certs[0]);
	p->not_after = cert_not_after(certs[0]);
	cert_key_fingerprint(certs[0], p->fingerprint);
	return p->forwarded ? check_chain(app, certs[0], now) : ERR_OK;
}

static enum err read_cert(struct peer *p, const struct app *app, int64_t now)
{
	struct arena *a = arena_new(PARSE_BUDGET);
	struct span pem = span_of(p->cert, p->cert_len);
	struct cert **certs = NULL;
	size_t n = 0;
	enum err e = a != NULL ? ERR_OK : ERR_NO_MEMORY;

	if (e == ERR_OK && p->forwarded)
		e = unescape(a, pem, &pem);
	if (e == ERR_OK && (e = cert_parse_bundle(a, pem, &certs, &n)) == ERR_CERT_UNREADABLE)
		e = p->forwarded ? ERR_FORWARDED_INVALID : ERR_PRINCIPAL_UNKNOWN;
	if (e == ERR_OK)
		e = take_facts(p, app, certs, n, now);
	for (size_t i = 0; i < n; i++)
		cert_free(certs[i]);
	arena_free(a);
	return e;
}

/* Is it an answer about the peer, which holds for a while, or did we fail? */
static bool is_verdict(enum err e)
{
	return e == ERR_OK || err_class_of(e) == ERRC_UNAUTHENTICATED || err_class_of(e) == ERRC_DENIED;
}

static enum err find_principal(struct peer *p, const struct app *app)
{
	p->arena = arena_new(PEER_BUDGET);
	if (p->arena == NULL)
		return ERR_NO_MEMORY;
	enum err e = desk_principal(app->desk, p->arena, p->fingerprint, &p->who);
	if (e == ERR_OK && p->forwarded && (p->who.roles & ROLE_GATEWAY) != 0)
		e = ERR_FORWARDED_REFUSED;
	return e;
}

/* Both only go up. */
static uint64_t epoch_now(struct service *s)
{
	return store_epoch(s->store, STORE_PRINCIPALS) + atomic_load(&s->peers->epoch);
}

static enum err peer_make(struct service *s, const struct app *app, struct span cert, bool forwarded, struct peer **out)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NO_MEMORY;
	atomic_init(&p->refs, 1);
	p->epoch = epoch_now(s); /* before anything is read */
	p->hash = hash_of(cert, forwarded);
	p->forwarded = forwarded;
	p->cert = malloc(cert.len + 1);
	p->cert_len = cert.len;
	if (p->cert == NULL) {
		peer_unref(p);
		return ERR_NO_MEMORY;
	}
	memcpy(p->cert, cert.ptr, cert.len);
	p->e = read_cert(p, app, clock_now(&s->clock));
	if (p->e == ERR_OK)
		p->e = find_principal(p, app);
	enum err e = p->e;
	if (!is_verdict(e)) {
		peer_unref(p);
		return e;
	}
	*out = p;
	return ERR_OK;
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* The lock is held. */
static struct peer **place_of(struct peers *all, uint64_t hash, struct span cert, bool forwarded)
{
	struct peer **set = all->table[hash % SETS];

	for (int i = 0; i < WAYS; i++)
		if (set[i] != NULL && set[i]->hash == hash && set[i]->forwarded == forwarded &&
		    span_eq(span_of(set[i]->cert, set[i]->cert_len), cert))
			return &set[i];
	return NULL;
}

static struct peer *recall(struct service *s, struct span cert, bool forwarded)
{
	uint64_t hash = hash_of(cert, forwarded), epoch = epoch_now(s);
	struct peers *all = s->peers;
	struct peer *found = NULL;

	pthread_mutex_lock(&all->lock);
	struct peer **at = place_of(all, hash, cert, forwarded);
	if (at != NULL && (*at)->epoch == epoch)
		found = peer_ref(*at);
	if (found != NULL)
		all->hits++;
	else
		all->misses++;
	pthread_mutex_unlock(&all->lock);
	return found;
}

static void keep(struct peers *all, struct peer *p)
{
	size_t set = p->hash % SETS;

	pthread_mutex_lock(&all->lock);
	struct peer **at = place_of(all, p->hash, span_of(p->cert, p->cert_len), p->forwarded);
	for (int i = 0; at == NULL && i < WAYS; i++)
		if (all->table[set][i] == NULL)
			at = &all->table[set][i];
	if (at == NULL)
		at = &all->table[set][all->oldest[set]++ % WAYS];
	struct peer *old = *at;
	*at = peer_ref(p);
	pthread_mutex_unlock(&all->lock);
	peer_unref(old);
}

static enum err lookup(struct service *s, const struct app *app, struct span cert, bool forwarded, struct peer **out)
{
	struct peer *p = recall(s, cert, forwarded);
	int64_t now = clock_now(&s->clock);
	enum err e = ERR_OK;

	if (p == NULL) {
		if ((e = peer_make(s, app, cert, forwarded, &p)) != ERR_OK)
			return e;
		if (cert.len <= NAMED_MAX)
			keep(s->peers, p);
	}
	e = p->e;
	/* TLS has checked this, but perhaps an hour ago. */
	if (e == ERR_OK && (now < p->not_before || now > p->not_after))
		e = ERR_PRINCIPAL_EXPIRED;
	if (e != ERR_OK) {
		peer_unref(p);
		return e;
	}
	*out = p;
	return ERR_OK;
}

struct peer *peers_known(struct service *s, const struct peer_evidence *in)
{
	int64_t now = clock_now(&s->clock);
	struct peer *p = !in->gateway && in->headers == 0 ? recall(s, in->pem, false) : NULL;

	if (p == NULL || (p->e == ERR_OK && now >= p->not_before && now <= p->not_after))
		return p;
	peer_unref(p);
	return NULL;
}

/* May the one at the other end of a gateway's listener forward? */
static enum err check_gateway(struct service *s, const struct app *app, struct span pem)
{
	struct peer *gateway;
	enum err e = lookup(s, app, pem, false, &gateway);

	if (e != ERR_OK)
		return e;
	if ((gateway->who.roles & ROLE_GATEWAY) == 0)
		e = ERR_FORWARDED_REFUSED;
	peer_unref(gateway);
	return e;
}

enum err peers_evidence(struct rpc_call *c, struct peer_evidence *out)
{
	struct peer_evidence e = {.gateway = rpc_gateway(c)};

	e.headers = rpc_header(c, PEERS_HEADER, &e.header);
	if (!rpc_peer_pem(c, &e.pem))
		return ERR_PRINCIPAL_UNKNOWN;
	*out = e;
	return ERR_OK;
}

enum err peers_find(struct service *s, const struct app *app, const struct peer_evidence *in, struct peer **out)
{
	enum err e;

	if (!in->gateway)
		return in->headers == 0 ? lookup(s, app, in->pem, false, out) : ERR_FORWARDED_REFUSED;
	if ((e = check_gateway(s, app, in->pem)) != ERR_OK)
		return e;
	if (in->headers != 1 || in->header.len == 0 || in->header.len > PEERS_FORWARDED_MAX)
		return ERR_FORWARDED_INVALID;
	return lookup(s, app, in->header, true, out);
}

void peers_forget(struct peers *p)
{
	atomic_fetch_add(&p->epoch, 1);
}

void peers_figures(struct peers *p, struct peers_figures *out)
{
	pthread_mutex_lock(&p->lock);
	*out = (struct peers_figures){.hits = p->hits, .misses = p->misses};
	for (int i = 0; i < SETS; i++)
		for (int k = 0; k < WAYS; k++) {
			const struct peer *one = p->table[i][k];
			if (one == NULL)
				continue;
			out->entries++;
			out->bytes += sizeof(*one) + one->cert_len + (one->arena != NULL ? arena_used(one->arena) : 0);
		}
	pthread_mutex_unlock(&p->lock);
}

enum err peers_new(struct peers **out)
{
	struct peers *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return ERR_OK;
}

void peers_free(struct peers *p)
{
	if (p == NULL)
		return;
	for (int i = 0; i < SETS; i++)
		for (int k = 0; k < WAYS; k++)
			peer_unref(p->table[i][k]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
