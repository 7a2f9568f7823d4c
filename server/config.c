#include "server/config.h"

#include "base/file.h"
#include "base/ini.h"
#include "base/text.h"
#include "crypto/sm2.h"
#include "server/log.h"
#include "store/store.h"
#include <stdio.h>
#include <stdlib.h>

#define AT(member)     offsetof(struct config, member)
#define KEY_AT(member) offsetof(struct config_key, member)

/* Sections whose rows describe a struct config_key. */
#define SEAL_KEY "seal-key"

const struct config_row config_rows[] = {
    {"server", "listen", CONFIG_TEXT, AT(listen), "127.0.0.1:7443", 0, 0},
    {"server", "port_file", CONFIG_PATH, AT(port_file), "", 0, 0},
    {"server", "workers", CONFIG_NUMBER, AT(workers), "4", 1, 256},
    {"server", "queue", CONFIG_NUMBER, AT(queue), "256", 1, 65536},
    {"server", "wait_ms", CONFIG_NUMBER, AT(wait_ms), "20", 1, 10000},
    {"server", "commits", CONFIG_NUMBER, AT(commits), "64", 1, 4096},
    {"server", "connections", CONFIG_NUMBER, AT(connections), "1000", 1, 100000},
    {"server", "armed", CONFIG_NUMBER, AT(armed), "16", 1, 1024},
    {"server", "grace_seconds", CONFIG_NUMBER, AT(grace_seconds), "10", 0, 600},
    {"server", "max_concurrent_streams", CONFIG_NUMBER, AT(max_concurrent_streams), "128", 1, 10000},
    {"server", "health_socket", CONFIG_PATH, AT(health_socket), "", 0, 0},
    {"gateway", "listen", CONFIG_TEXT, AT(gateway_listen), "", 0, 0},
    {"metrics", "listen", CONFIG_TEXT, AT(metrics_listen), "", 0, 0},
    {"service", "name", CONFIG_TEXT, AT(service_name), NULL, 0, 0},
    {"tls", "cert", CONFIG_PATH, AT(tls_cert), NULL, 0, 0},
    {"tls", "key", CONFIG_PATH, AT(tls_key), NULL, 0, 0},
    {"tls", "client_ca", CONFIG_PATH, AT(tls_client_ca), NULL, 0, 0},
    {"store", "url", CONFIG_URL, AT(store_url), NULL, 0, 0},
    {"store", "readers", CONFIG_NUMBER, AT(store_readers), "0", 0, STORE_READERS_MAX},
    {"store", "writers", CONFIG_NUMBER, AT(store_writers), "0", 0, STORE_WRITERS_MAX},
    {"store", "master_key", CONFIG_PATH, AT(master_key), NULL, 0, 0},
    {"trust", "path", CONFIG_PATHS, AT(trust), NULL, 0, 0},
    {"receipt", "key", CONFIG_PATH, KEY_AT(key), NULL, 0, 0},
    {"receipt", "cert", CONFIG_PATH, KEY_AT(cert), NULL, 0, 0},
    {"receipt", "passphrase_file", CONFIG_PATH, KEY_AT(passphrase_file), "", 0, 0},
    {"verdict", "key", CONFIG_PATH, KEY_AT(key), "", 0, 0},
    {"verdict", "cert", CONFIG_PATH, KEY_AT(cert), "", 0, 0},
    {"verdict", "passphrase_file", CONFIG_PATH, KEY_AT(passphrase_file), "", 0, 0},
    {"maker", "key", CONFIG_PATH, KEY_AT(key), "", 0, 0},
    {"maker", "cert", CONFIG_PATH, KEY_AT(cert), "", 0, 0},
    {"maker", "passphrase_file", CONFIG_PATH, KEY_AT(passphrase_file), "", 0, 0},
    {SEAL_KEY, "key", CONFIG_PATH, KEY_AT(key), "", 0, 0},
    {SEAL_KEY, "cert", CONFIG_PATH, KEY_AT(cert), "", 0, 0},
    {SEAL_KEY, "passphrase_file", CONFIG_PATH, KEY_AT(passphrase_file), "", 0, 0},
    {"limits", "operator_per_minute", CONFIG_NUMBER, AT(operator_per_minute), "0", 0, 1000000},
    {"limits", "principal_per_minute", CONFIG_NUMBER, AT(principal_per_minute), "0", 0, 1000000},
    {"retention", "codes_days", CONFIG_NUMBER, AT(codes_days), "30", 1, 36500},
    {"retention", "audit_values_days", CONFIG_NUMBER, AT(audit_values_days), "0", 0, 36500},
    {"cache", "memory_mib", CONFIG_NUMBER, AT(cache_mib), "96", 0, 65536},
    {"sm2", "sign", CONFIG_SM2, AT(sm2_sign), "own", 0, 0},
    {"sm2", "verify", CONFIG_SM2, AT(sm2_verify), "own", 0, 0},
    {"log", "level", CONFIG_LEVEL, AT(log_level), "info", 0, 0},
};
const size_t config_rows_count = sizeof(config_rows) / sizeof(config_rows[0]);

enum { ROWS = sizeof(config_rows) / sizeof(config_rows[0]) };

struct reading {
	struct arena *a;
	const char *path;
	struct config *c;
	struct err_note *note;
	bool seen[ROWS]; /* of the sections that stand once */
};

/* The reader adds file and line. */
static enum err complain(struct reading *r, const char *field, const char *what)
{
	return err_note_set(r->note, ERR_CONFIG_INVALID, field, "%s", what);
}

/* ---- values --------------------------------------------------------------------------------- */

static char *beside(struct reading *r, const char *value)
{
	const char *slash = strrchr(r->path, '/');

	if (*value == '/' || *value == '\0' || slash == NULL)
		return arena_strdup(r->a, value);
	return arena_printf(r->a, "%.*s/%s", (int)(slash - r->path), r->path, value);
}

static enum err set_text(struct reading *r, char **slot, char *text)
{
	if (text == NULL)
		return ERR_BUDGET;
	*slot = text;
	return ERR_OK;
}

static enum err set_number(struct reading *r, const struct config_row *row, const char *value, unsigned *slot)
{
	char what[96];
	char *end;
	unsigned long v = strtoul(value, &end, 10);

	if (*value >= '0' && *value <= '9' && *end == '\0' && v >= row->min && v <= row->max) {
		*slot = (unsigned)v;
		return ERR_OK;
	}
	snprintf(what, sizeof(what), "must be a number from %u to %u", row->min, row->max);
	return complain(r, row->key, what);
}

static enum err set_level(struct reading *r, const char *value, unsigned *slot)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (unsigned i = 0; i < 4; i++)
		if (strcmp(names[i], value) == 0) {
			*slot = i;
			return ERR_OK;
		}
	return complain(r, "level", "must be error, warn, info or debug");
}

static enum err set_sm2(struct reading *r, const struct config_row *row, const char *value, unsigned *slot)
{
	if (strcmp(value, "own") != 0 && strcmp(value, "openssl") != 0)
		return complain(r, row->key, "must be own or openssl");
	*slot = strcmp(value, "own") == 0 ? SM2_OWN : SM2_OPENSSL;
	return ERR_OK;
}

static enum err set_url(struct reading *r, const char *value, char **slot)
{
	static const char scheme[] = "sqlite:";
	char *path;

	if (strncmp(value, "postgres://", 11) == 0 || strncmp(value, "postgresql://", 13) == 0)
		return set_text(r, slot, arena_strdup(r->a, value));
	if (strncmp(value, scheme, sizeof(scheme) - 1) != 0 || value[sizeof(scheme) - 1] == '\0')
		return complain(r, "url", "must be sqlite:PATH or postgres://USER@HOST:PORT/DATABASE");
	path = beside(r, value + sizeof(scheme) - 1);
	return set_text(r, slot, path != NULL ? arena_printf(r->a, "%s%s", scheme, path) : NULL);
}

/* Comma separated. */
static enum err add_paths(struct reading *r, const char *value)
{
	while (*value != '\0') {
		size_t n = strcspn(value, ","), from = strspn(value, " \t"), end = n;
		while (end > from && (value[end - 1] == ' ' || value[end - 1] == '\t'))
			end--;
		if (from >= end)
			return complain(r, "path", "an empty path");
		if (r->c->n_trust == CONFIG_TRUST_MAX)
			return complain(r, "path", "too many paths");
		char *one = arena_strndup(r->a, value + from, end - from);
		enum err e = set_text(r, &r->c->trust[r->c->n_trust], one != NULL ? beside(r, one) : NULL);
		if (e != ERR_OK)
			return e;
		r->c->n_trust++;
		value += n + (value[n] == ',');
	}
	return ERR_OK;
}

static enum err set_value(struct reading *r, const struct config_row *row, void *base, const char *value)
{
	void *slot = (char *)base + row->offset;

	switch (row->kind) {
	case CONFIG_TEXT:
		return set_text(r, slot, arena_strdup(r->a, value));
	case CONFIG_PATH:
		return set_text(r, slot, beside(r, value));
	case CONFIG_PATHS:
		return add_paths(r, value);
	case CONFIG_URL:
		return set_url(r, value, slot);
	case CONFIG_NUMBER:
		return set_number(r, row, value, slot);
	case CONFIG_LEVEL:
		return set_level(r, value, slot);
	case CONFIG_SM2:
		return set_sm2(r, row, value, slot);
	}
	return ERR_OK;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static enum err seal_key(struct reading *r, const char *name, struct config_key **out)
{
	struct config *c = r->c;

	for (size_t i = 0; i < c->n_seal_keys; i++)
		if (strcmp(c->seal_keys[i].name, name) == 0) {
			*out = &c->seal_keys[i];
			return ERR_OK;
		}
	if (*name == '\0')
		return complain(r, SEAL_KEY, "write [seal-key NAME]");
	if (c->n_seal_keys == CONFIG_SEAL_KEYS_MAX)
		return complain(r, SEAL_KEY, "too many seal keys");
	struct config_key *k = &c->seal_keys[c->n_seal_keys];
	*k = (struct config_key){arena_strdup(r->a, name), (char *)"", (char *)"", (char *)""};
	if (k->name == NULL)
		return ERR_BUDGET;
	c->n_seal_keys++;
	*out = k;
	return ERR_OK;
}

static const struct config_row *find_row(const char *section, const char *key)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(config_rows[i].section, section) == 0 && strcmp(config_rows[i].key, key) == 0)
			return &config_rows[i];
	return NULL;
}

static enum err seal_key_line(struct reading *r, const char *name, const char *key, const char *value)
{
	const struct config_row *row = find_row(SEAL_KEY, key);
	struct config_key *k = NULL;
	enum err e;

	if (row == NULL)
		return complain(r, key, "no such key in [seal-key NAME]");
	if ((e = seal_key(r, name, &k)) != ERR_OK)
		return e;
	if (**(char **)((char *)k + row->offset) != '\0')
		return complain(r, key, "stated twice");
	return set_value(r, row, k, value);
}

static void *base_of(struct config *c, const char *section)
{
	if (strcmp(section, "receipt") == 0)
		return &c->receipt;
	if (strcmp(section, "verdict") == 0)
		return &c->verdict;
	return strcmp(section, "maker") == 0 ? (void *)&c->maker : (void *)c;
}

static enum err plain_line(struct reading *r, const char *section, const char *key, const char *value)
{
	const struct config_row *row = find_row(section, key);
	char what[120];

	if (row == NULL) {
		snprintf(what, sizeof(what), "no key \"%.40s\" in section [%.40s]", key, section);
		return complain(r, NULL, what);
	}
	size_t i = (size_t)(row - config_rows);
	if (r->seen[i] && row->kind != CONFIG_PATHS)
		return complain(r, key, "stated twice");
	r->seen[i] = true;
	if (*value == '\0' && row->default_text == NULL)
		return complain(r, key, "must not be empty");
	return set_value(r, row, base_of(r->c, section), value);
}

static enum err on_line(void *arg, const struct ini_line *line, struct err_note *note)
{
	static const char prefix[] = SEAL_KEY " ";
	struct reading *r = arg;

	r->note = note;
	if (strncmp(line->section, prefix, sizeof(prefix) - 1) == 0)
		return seal_key_line(r, line->section + sizeof(prefix) - 1, line->key, line->value);
	return plain_line(r, line->section, line->key, line->value);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static enum err set_defaults(struct reading *r)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		if (strcmp(row->section, SEAL_KEY) == 0 || row->kind == CONFIG_PATHS)
			continue;
		void *base = base_of(r->c, row->section);
		enum err e = row->default_text != NULL || row->kind == CONFIG_TEXT || row->kind == CONFIG_PATH
		                 ? set_value(r, row, base, row->default_text != NULL ? row->default_text : "")
		                 : ERR_OK;
		if (e != ERR_OK)
			return e;
	}
	r->c->receipt.name = (char *)"receipt";
	r->c->verdict.name = (char *)"verdict";
	r->c->maker.name = (char *)"maker";
	return ERR_OK;
}

static enum err missing(struct reading *r, const char *section, const char *key)
{
	return err_note_set(r->note, ERR_CONFIG_INVALID, key, "%s: [%s] %s is missing", r->path, section, key);
}

static enum err check_complete(struct reading *r)
{
	const struct config *c = r->c;

	for (size_t i = 0; i < ROWS; i++)
		if (config_rows[i].default_text == NULL && !r->seen[i])
			return missing(r, config_rows[i].section, config_rows[i].key);
	if ((*c->verdict.key != '\0') != (*c->verdict.cert != '\0'))
		return missing(r, "verdict", *c->verdict.key != '\0' ? "cert" : "key");
	if ((*c->maker.key != '\0') != (*c->maker.cert != '\0'))
		return missing(r, "maker", *c->maker.key != '\0' ? "cert" : "key");
	for (size_t i = 0; i < c->n_seal_keys; i++)
		if (*c->seal_keys[i].key == '\0' || *c->seal_keys[i].cert == '\0')
			return missing(r, SEAL_KEY, *c->seal_keys[i].key == '\0' ? "key" : "cert");
	return ERR_OK;
}

enum err config_parse(struct arena *a, const char *path, struct span text, struct config *out, struct err_note *note)
{
	struct config c = {0};
	struct reading r = {.a = a, .path = path, .c = &c, .note = note};
	enum err e;

	if ((e = set_defaults(&r)) != ERR_OK || (e = ini_read(path, text, on_line, &r, note)) != ERR_OK)
		return e;
	r.note = note;
	if ((e = check_complete(&r)) != ERR_OK)
		return e;
	*out = c;
	return ERR_OK;
}

enum err config_load(struct arena *a, const char *path, struct config *out, struct err_note *note)
{
	struct span text;
	enum err e = file_read(a, path, CONFIG_FILE_MAX, &text, note);

	return e == ERR_OK ? config_parse(a, path, text, out, note) : e;
}
