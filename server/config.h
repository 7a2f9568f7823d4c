/* The configuration file (INI), read along one table; docs/operations.md is its reference. Paths in it are relative to
 * the file's own folder. */
#ifndef YZ_SERVER_CONFIG_H
#define YZ_SERVER_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

enum { CONFIG_FILE_MAX = 256 * 1024, CONFIG_SEAL_KEYS_MAX = 32, CONFIG_TRUST_MAX = 64 };

struct config_key {
	char *name;                         /* the section: "receipt", "maker", "seal-key NAME" without its first word */
	char *key, *cert, *passphrase_file; /* "" when not stated */
};

struct config {
	/* [server] */
	char *listen, *port_file, *health_socket;
	unsigned workers, queue, wait_ms, commits, connections, armed, grace_seconds, max_concurrent_streams;
	/* [gateway], [metrics] */
	char *gateway_listen, *metrics_listen; /* "" none */
	/* [service] */
	char *service_name;
	/* [tls] */
	char *tls_cert, *tls_key, *tls_client_ca;
	/* [store] */
	char *store_url, *master_key;
	unsigned store_readers, store_writers; /* 0: as many as fit the workers, and the database */
	/* [trust] */
	size_t n_trust;
	char *trust[CONFIG_TRUST_MAX];
	/* [receipt], [verdict], [maker], [seal-key NAME] */
	struct config_key receipt;
	struct config_key verdict, maker; /* key "": this service signs no verdicts, makes no seals */
	size_t n_seal_keys;
	struct config_key seal_keys[CONFIG_SEAL_KEYS_MAX];
	/* [limits] */
	unsigned operator_per_minute, principal_per_minute;
	/* [retention] */
	unsigned codes_days, audit_values_days; /* 0: for ever */
	/* [cache] */
	unsigned cache_mib;
	/* [sm2] */
	unsigned sm2_sign, sm2_verify; /* enum sm2_backend */
	/* [log] */
	unsigned log_level; /* enum log_level */
};

enum config_kind { CONFIG_TEXT, CONFIG_PATH, CONFIG_PATHS, CONFIG_URL, CONFIG_NUMBER, CONFIG_LEVEL, CONFIG_SM2 };

/* One row per key; also what docs/operations.md is checked against. */
struct config_row {
	const char *section, *key;
	enum config_kind kind;
	size_t offset;            /* in struct config, or in struct config_key for the key sections */
	const char *default_text; /* NULL: mandatory; "" none */
	unsigned min, max;        /* CONFIG_NUMBER */
};
extern const struct config_row config_rows[];
extern const size_t config_rows_count;

/* ERR_CONFIG_INVALID with a note "FILE:LINE: …"; ERR_FILE_UNREADABLE. */
enum err config_load(struct arena *a, const char *path, struct config *out, struct err_note *note) MUST_CHECK;
/* The same from memory; `path` is for messages and relative names. */
enum err config_parse(struct arena *a, const char *path, struct span text, struct config *out,
                      struct err_note *note) MUST_CHECK;

#endif
