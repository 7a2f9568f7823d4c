/*
 * Who calls? The peer's certificate names a principal by its key. What was found out is kept for as many certificates
 * as PEERS_MAX until some principal is changed: by this server at once, by another one within a second (store_epoch()).
 *
 * On a gateway's listener the peer must be a principal with the role gateway, and the caller is who the certificate in
 * PEERS_HEADER names: PEM, escaped as in a URL (nginx: $ssl_client_escaped_cert). It must be one certificate below
 * client_ca and within its time. Gateways do not forward gateways. On the ordinary listener the header is refused, by
 * whomever it is sent.
 */
#ifndef YZ_SERVER_PEERS_H
#define YZ_SERVER_PEERS_H

#include "server/rpc.h"
#include "server/service.h"

enum { PEERS_MAX = 1024, PEERS_FORWARDED_MAX = 6 * 1024 };

#define PEERS_HEADER "x-client-cert"

struct peers;
struct peer; /* does not change */

enum err peers_new(struct peers **out) MUST_CHECK;
/* After the last peer was given back. Accepts NULL. */
void peers_free(struct peers *p);

/* What a call says about its caller; views into the call, valid until it is finished. */
struct peer_evidence {
	struct span pem, header; /* of TLS; PEERS_HEADER */
	unsigned headers;        /* how many there are */
	bool gateway;            /* it came over a gateway's listener */
};
/* ERR_PRINCIPAL_UNKNOWN when TLS saw no certificate. */
enum err peers_evidence(struct rpc_call *c, struct peer_evidence *out) MUST_CHECK;
/* Who that is; may read the store. ERR_PRINCIPAL_UNKNOWN, _DISABLED, _EXPIRED, ERR_FORWARDED_REFUSED,
 * ERR_FORWARDED_INVALID; the store's. Give it back with peer_unref(). */
enum err peers_find(struct service *s, const struct app *app, const struct peer_evidence *in,
                    struct peer **out) MUST_CHECK;
/* Who is known, good, and not behind a gateway, without asking the store; else NULL: peers_find() tells. */
struct peer *peers_known(struct service *s, const struct peer_evidence *in);
/* Lives as long as the reference. */
const struct principal *peer_principal(const struct peer *peer);
struct peer *peer_ref(struct peer *peer);
/* Accepts NULL. */
void peer_unref(struct peer *peer);

/* The CA of their certificates has changed, or something else that the store does not know. */
void peers_forget(struct peers *p);

struct peers_figures {
	uint64_t hits, misses, bytes;
	unsigned entries;
};
void peers_figures(struct peers *p, struct peers_figures *out);

#endif
