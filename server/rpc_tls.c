/* Certificates that can be exchanged while listeners serve: gRPC asks at every handshake whether there are new ones. */
#include "server/rpc_internal.h"

#include "crypto/rand.h"
#include <stdlib.h>

struct rpc_tls {
	pthread_mutex_t lock;
	uint64_t version; /* from 1 */
	char *cert, *key, *client_ca;
};

static grpc_ssl_server_certificate_config *config_of(const struct rpc_pem *pem)
{
	grpc_ssl_pem_key_cert_pair pair = {pem->key, pem->cert};

	return grpc_ssl_server_certificate_config_create(pem->client_ca, &pair, 1);
}

static grpc_ssl_certificate_config_reload_status fetch(void *arg, grpc_ssl_server_certificate_config **config)
{
	struct rpc_tls_seen *seen = arg;
	struct rpc_tls *t = seen->tls;
	grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;

	pthread_mutex_lock(&t->lock);
	if (seen->version != t->version) {
		seen->version = t->version;
		*config = config_of(&(struct rpc_pem){t->cert, t->key, t->client_ca});
		status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
	}
	pthread_mutex_unlock(&t->lock);
	return status;
}

grpc_server_credentials *rpc_tls_credentials(struct rpc_tls_seen *seen)
{
	return grpc_ssl_server_credentials_create_with_options(
	    grpc_ssl_server_credentials_create_options_using_config_fetcher(
	        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, fetch, seen));
}

/* gRPC says only whether it would listen with them: on a port that nobody can have taken. */
static bool accepted(const struct rpc_pem *pem)
{
	grpc_server_credentials *creds =
	    grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config(
	        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, config_of(pem)));
	grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
	grpc_server *server = grpc_server_create(NULL, NULL);
	char tag;

	grpc_server_register_completion_queue(server, queue, NULL);
	bool ok = creds != NULL && grpc_server_add_http2_port(server, "127.0.0.1:0", creds) > 0;
	grpc_server_credentials_release(creds);
	grpc_server_shutdown_and_notify(server, queue, &tag);
	grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	grpc_completion_queue_shutdown(queue);
	while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type != GRPC_QUEUE_SHUTDOWN)
		;
	grpc_server_destroy(server);
	grpc_completion_queue_destroy(queue);
	return ok;
}

static void texts_free(struct rpc_tls *t)
{
	if (t->key != NULL)
		secret_wipe(t->key, strlen(t->key));
	free(t->cert);
	free(t->key);
	free(t->client_ca);
}

enum err rpc_tls_change(struct rpc_tls *t, const struct rpc_pem *pem, struct err_note *note)
{
	struct rpc_tls n = {.cert = strdup(pem->cert), .key = strdup(pem->key), .client_ca = strdup(pem->client_ca)};

	if (n.cert == NULL || n.key == NULL || n.client_ca == NULL || !accepted(pem)) {
		texts_free(&n);
		return err_note_set(note, ERR_CONFIG_INVALID, "tls",
		                    "the server's certificate, key or client_ca is not accepted");
	}
	pthread_mutex_lock(&t->lock);
	struct rpc_tls old = {.cert = t->cert, .key = t->key, .client_ca = t->client_ca};
	t->cert = n.cert;
	t->key = n.key;
	t->client_ca = n.client_ca;
	t->version++;
	pthread_mutex_unlock(&t->lock);
	texts_free(&old);
	return ERR_OK;
}

enum err rpc_tls_new(const struct rpc_pem *pem, struct rpc_tls **out, struct err_note *note)
{
	struct rpc_tls *t = calloc(1, sizeof(*t));
	enum err e;

	if (t == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&t->lock, NULL);
	grpc_init();
	if ((e = rpc_tls_change(t, pem, note)) != ERR_OK) {
		rpc_tls_free(t);
		return e;
	}
	*out = t;
	return ERR_OK;
}

void rpc_tls_free(struct rpc_tls *t)
{
	if (t == NULL)
		return;
	texts_free(t);
	pthread_mutex_destroy(&t->lock);
	free(t);
	grpc_shutdown();
}
