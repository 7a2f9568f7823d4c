/* PostgreSQL: from an address to a connection with our settings; what its failures mean. */
#include "store/postgres.h"

#include "base/clock.h"
#include "crypto/rand.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum { READY_MS = 2000, BACKOFF_FIRST_MS = 20, BACKOFF_MAX_MS = 400, OPTIONS_MAX = 80, OLDEST = 150000 };

/* What the address does not say. A host that is gone without a word is given up within about 6 s, so that another one
 * can serve within 10; of several hosts the one that takes writes is meant. */
static const char *const defaults[][2] = {
    {"application_name", "yinzheng"}, {"connect_timeout", "2"},     {"target_session_attrs", "read-write"},
    {"keepalives_idle", "2"},         {"keepalives_interval", "1"}, {"keepalives_count", "3"},
    {"tcp_user_timeout", "4000"},
};

/* A commit that is answered is on the disk, and with synchronous replicas on theirs; whatever the server's default.
 * Plans are made once and may be older than the statistics: what was planned for an empty table must not read a full
 * one from end to end. */
static const char settings[] =
    "SELECT set_config('statement_timeout', '10000', false), set_config('lock_timeout', '3000', false),"
    " set_config('idle_in_transaction_session_timeout', '60000', false), set_config('jit', 'off', false),"
    " set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),"
    " set_config('client_min_messages', 'warning', false),"
    " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local',"
    " 'remote_write') THEN 'on' ELSE current_setting('synchronous_commit') END, false),"
    " current_setting('fsync'), current_setting('server_encoding'), current_setting('server_version_num')";

enum { COLUMN_FSYNC = 8, COLUMN_ENCODING, COLUMN_VERSION };

/* ---- what failures mean --------------------------------------------------------------------- */

struct meaning {
	const char *state; /* of five characters, or the first two: a class */
	enum err err;
	enum db_fault fault;
};

static const struct meaning meanings[] = {
    {"23505", ERR_ALREADY_EXISTS, DB_FINE}, {"22012", ERR_STORE_CHANGED, DB_FINE}, /* divided by zero: what was expected
                                                                                      was not there (postgres_pipe.c) */
    {"40001", ERR_STORE_BUSY, DB_CONFLICT}, {"40P01", ERR_STORE_BUSY, DB_CONFLICT}, {"55P03", ERR_STORE_BUSY, DB_FINE},
    {"57014", ERR_STORE_BUSY, DB_FINE},     {"25006", ERR_STORE_IO, DB_FINE},       {"25P03", ERR_STORE_IO, DB_LOST},
    {"53100", ERR_STORE_FULL, DB_FINE},     {"53", ERR_STORE_BUSY, DB_FINE},        {"54", ERR_TOO_LARGE, DB_FINE},
    {"57P", ERR_STORE_IO, DB_LOST},         {"08", ERR_STORE_IO, DB_LOST},          {"58", ERR_STORE_IO, DB_FINE},
    {"XX001", ERR_STORE_CORRUPT, DB_FINE},  {"XX002", ERR_STORE_CORRUPT, DB_FINE},
};

enum err pg_classify(struct pg *pg, const PGresult *res)
{
	const char *state = res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;

	if (PQstatus(pg->conn) == CONNECTION_BAD || state == NULL) {
		pg->fault = DB_LOST;
		return ERR_STORE_IO;
	}
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) != 0)
			continue;
		pg->fault = meanings[i].fault;
		/* a server that became a replica is no place to write to */
		if (strcmp(state, "25006") == 0 && pg->use >= DB_WRITE)
			pg->fault = DB_LOST;
		return meanings[i].err;
	}
	pg->fault = DB_FINE;
	return ERR_INTERNAL;
}

/* ---- one attempt ---------------------------------------------------------------------------- */

/* Warnings are not for standard error. One that comes with a commit says that the replica may not have it. */
static void take_notice(void *arg, const PGresult *res)
{
	struct pg *pg = arg;

	(void)res;
	if (pg->asked)
		pg->warned = true;
}

struct options {
	const char *keys[OPTIONS_MAX], *values[OPTIONS_MAX];
	size_t n;
};

static bool has_option(const struct options *o, const char *key)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->keys[i], key) == 0)
			return true;
	return false;
}

static void add_option(struct options *o, const char *key, const char *value)
{
	if (o->n + 1 < OPTIONS_MAX && !has_option(o, key)) {
		o->keys[o->n] = key;
		o->values[o->n++] = value;
	}
}

/* The address may hold a password: nothing of it goes into the note. */
static enum err bad_address(struct err_note *note)
{
	return err_note_set(note, ERR_CONFIG_INVALID, "store",
	                    "The store's address must look like postgres://user@host:5432/database.");
}

/* A password in which '@' or '/' is not escaped ends early for libpq: its rest is taken for a host or a port, and would
 * stand in libpq's complaint about it. ('@' begins the name of an abstract socket.) */
static bool is_torn(const PQconninfoOption *given)
{
	for (; given->keyword != NULL; given++) {
		const char *v = given->val != NULL ? given->val : "";

		if (strcmp(given->keyword, "port") == 0 && v[strspn(v, "0123456789,")] != '\0')
			return true;
		if (strcmp(given->keyword, "host") != 0)
			continue;
		for (const char *at = strchr(v, '@'); at != NULL; at = strchr(at + 1, '@'))
			if (at != v && at[-1] != ',')
				return true;
	}
	return false;
}

static enum err dial(struct pg *pg, struct err_note *note)
{
	PQconninfoOption *given = PQconninfoParse(pg->url, NULL);
	struct options o = {0};

	if (given == NULL || is_torn(given)) {
		PQconninfoFree(given);
		return bad_address(note);
	}
	add_option(&o, "client_encoding", "UTF8");
	for (const PQconninfoOption *p = given; p->keyword != NULL; p++)
		if (p->val != NULL)
			add_option(&o, p->keyword, p->val);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		add_option(&o, defaults[i][0], defaults[i][1]);
	pg->conn = PQconnectdbParams(o.keys, o.values, 0);
	PQconninfoFree(given);
	if (pg->conn == NULL)
		return ERR_NO_MEMORY;
	return PQstatus(pg->conn) == CONNECTION_OK ? ERR_OK : ERR_STORE_IO;
}

/* The server's words (host, user, database, reason; libpq puts no password into them), cut to fit. */
static enum err cannot_connect(struct pg *pg, struct err_note *note)
{
	char why[160];
	size_t n = 0;

	for (const char *p = PQerrorMessage(pg->conn); *p != '\0' && n + 1 < sizeof(why); p++)
		why[n++] = (char)(*p == '\n' ? ' ' : *p);
	why[n] = '\0';
	return err_note_set(note, ERR_STORE_IO, NULL, "The database cannot be reached: %s", why);
}

static enum err check_server(const PGresult *res, struct err_note *note)
{
	if (atoi(PQgetvalue(res, 0, COLUMN_VERSION)) < OLDEST)
		return err_note_set(note, ERR_CONFIG_INVALID, "store", "The database must be PostgreSQL 15 or later.");
	if (strcmp(PQgetvalue(res, 0, COLUMN_ENCODING), "UTF8") != 0)
		return err_note_set(note, ERR_CONFIG_INVALID, "store", "The database's encoding must be UTF8.");
	if (strcmp(PQgetvalue(res, 0, COLUMN_FSYNC), "on") != 0)
		return err_note_set(note, ERR_CONFIG_INVALID, "store",
		                    "The database runs with fsync off: what it has acknowledged could be lost.");
	return ERR_OK;
}

/* LISTEN takes no parameters, so the server writes the statement. Where it cannot listen we go without: whatever was
 * told before it did was not heard anyway, and is looked for. */
static void start_listening(struct pg *pg)
{
	PGresult *res = PQexec(pg->conn, "SELECT 'LISTEN ' || " PG_CHANNEL);

	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		PQclear(PQexec(pg->conn, PQgetvalue(res, 0, 0)));
	PQclear(res);
	pg->told = true;
}

static enum err set_up(struct pg *pg, struct err_note *note)
{
	PGresult *res;
	enum err e = ERR_OK;

	PQsetNoticeReceiver(pg->conn, take_notice, pg);
	res = PQexec(pg->conn, settings);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		e = cannot_connect(pg, note);
	else
		e = check_server(res, note);
	PQclear(res);
	if (e == ERR_OK && pg->listens)
		start_listening(pg);
	if (e == ERR_OK && PQenterPipelineMode(pg->conn) == 0)
		e = ERR_INTERNAL;
	return e;
}

enum err pg_connect(struct pg *pg, struct err_note *note)
{
	enum err e = dial(pg, note);

	if (e == ERR_STORE_IO)
		e = cannot_connect(pg, note);
	if (e == ERR_OK)
		e = set_up(pg, note);
	if (e != ERR_OK)
		pg_lose(pg);
	else if (pg->db.counts != NULL)
		pg->db.counts->connects++;
	return e;
}

void pg_lose(struct pg *pg)
{
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->in_tx = false;
	pg->unsynced = false;
	pg->head = pg->count = 0;
	for (size_t i = 0; i < PG_STATEMENTS; i++)
		pg->cache[i].prepared = false;
}

/* ---- again and again ------------------------------------------------------------------------ */

/* Did the server hang up while we were not looking? */
static bool is_dead(struct pg *pg)
{
	struct pollfd p = {.fd = PQsocket(pg->conn), .events = POLLIN};

	if (poll(&p, 1, 0) > 0 && PQconsumeInput(pg->conn) == 0)
		return true;
	return PQstatus(pg->conn) == CONNECTION_BAD;
}

static void nap(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L}, NULL);
}

enum err pg_ready(struct pg *pg)
{
	int64_t until = clock_monotonic_ms() + READY_MS;
	unsigned wait = BACKOFF_FIRST_MS;
	enum err e;

	if (pg->conn != NULL && is_dead(pg))
		pg_lose(pg);
	while (pg->conn == NULL) {
		e = pg_connect(pg, NULL);
		if (e == ERR_OK)
			break;
		pg->fault = DB_LOST;
		if (pg->use >= DB_WRITE || clock_monotonic_ms() + (int64_t)wait > until)
			return e;
		nap(wait);
		wait = 2 * wait < BACKOFF_MAX_MS ? 2 * wait : BACKOFF_MAX_MS;
	}
	return ERR_OK;
}

/* ---- being told ----------------------------------------------------------------------------- */

bool pg_heard(struct pg *pg)
{
	bool told = pg->told;
	PGnotify *n;

	pg->told = false;
	if (pg->conn != NULL && PQconsumeInput(pg->conn) == 0)
		pg_lose(pg); /* the next begin() makes another */
	while (pg->conn != NULL && (n = PQnotifies(pg->conn)) != NULL) {
		told = true;
		PQfreemem(n);
	}
	return told;
}
