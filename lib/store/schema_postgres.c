/*
 * The tables, as PostgreSQL wants them; docs/store.md says what stands in them. A published migration is never edited:
 * the next one is appended. Migrations run while servers of the version before still work on the database, so one may
 * add, and may not take away or rename what they use.
 *
 *  - Every number is a BIGINT, because parameters are sent as such. Text is ordered by its bytes, as SQLite does.
 *  - Holders are spread over partitions by their hash. Tables with a unique key other than that are not.
 *  - References are kept by the verbs, not by foreign keys: each would lock a row that many calls share.
 *  - Rows that are written at every call (writers, audit_inbox) leave room in their pages and are cleaned early.
 */
#include "store/driver.h"

static const char people[] =
    "CREATE TABLE meta (key TEXT COLLATE \"C\" PRIMARY KEY, num BIGINT NOT NULL, bytes BYTEA);"
    "COMMENT ON TABLE meta IS 'yinzheng store';"

    "CREATE TABLE principals (id TEXT COLLATE \"C\" PRIMARY KEY, name BYTEA NOT NULL, org_code TEXT NOT NULL,"
    " org_name TEXT NOT NULL, roles BIGINT NOT NULL, statutory BIGINT NOT NULL, disabled BIGINT NOT NULL,"
    " version BIGINT NOT NULL);"
    "CREATE TABLE principal_keys (fingerprint BYTEA PRIMARY KEY, principal TEXT COLLATE \"C\" NOT NULL,"
    " pos BIGINT NOT NULL, not_before BIGINT NOT NULL, not_after BIGINT NOT NULL);"
    "CREATE INDEX principal_keys_principal ON principal_keys(principal, pos);"
    "CREATE TABLE principal_scopes (principal TEXT COLLATE \"C\" NOT NULL, kind BIGINT NOT NULL, pos BIGINT NOT NULL,"
    " code TEXT NOT NULL, PRIMARY KEY (principal, kind, pos));"
    "CREATE TABLE grants (principal TEXT COLLATE \"C\" PRIMARY KEY, digest BYTEA NOT NULL, proposed_by TEXT NOT NULL,"
    " time BIGINT NOT NULL);"
    "CREATE TABLE replays (principal TEXT COLLATE \"C\" NOT NULL, request_id BYTEA NOT NULL, digest BYTEA NOT NULL,"
    " reply BYTEA NOT NULL, time BIGINT NOT NULL, PRIMARY KEY (principal, request_id))"
    " WITH (autovacuum_vacuum_scale_factor = 0.05);"
    "CREATE INDEX replays_time ON replays(time);"
    "ALTER TABLE replays ALTER COLUMN reply SET STORAGE EXTERNAL;" /* what is encrypted cannot be compressed */

    "CREATE TABLE catalog (kind BIGINT NOT NULL, code TEXT COLLATE \"C\" NOT NULL, json BYTEA NOT NULL,"
    " version BIGINT NOT NULL, PRIMARY KEY (kind, code));"

    "CREATE TABLE events (object TEXT COLLATE \"C\" NOT NULL, sequence BIGINT NOT NULL, state BIGINT NOT NULL,"
    " reason BYTEA NOT NULL, effective BIGINT NOT NULL, recorded BIGINT NOT NULL, principal TEXT NOT NULL,"
    " PRIMARY KEY (object, sequence));";

static const char papers[] =
    "CREATE TABLE seals (id TEXT COLLATE \"C\" PRIMARY KEY, name TEXT NOT NULL, owner_code TEXT COLLATE \"C\" NOT NULL,"
    " maker TEXT NOT NULL, type BIGINT NOT NULL, state BIGINT NOT NULL, valid_start BIGINT NOT NULL,"
    " valid_end BIGINT NOT NULL, application BYTEA NOT NULL, approver BYTEA NOT NULL, created_by TEXT NOT NULL,"
    " hash BYTEA NOT NULL UNIQUE, version BIGINT NOT NULL, der BYTEA NOT NULL);"
    "ALTER TABLE seals ALTER COLUMN der SET STORAGE EXTERNAL;"

    "CREATE TABLE licences (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id_hash BYTEA NOT NULL UNIQUE,"
    " number_hash BYTEA UNIQUE, id BYTEA NOT NULL, type_code TEXT COLLATE \"C\" NOT NULL,"
    " issuer_code TEXT COLLATE \"C\" NOT NULL, seal_id TEXT COLLATE \"C\" NOT NULL, state BIGINT NOT NULL,"
    " state_since BIGINT NOT NULL, issued BIGINT NOT NULL, valid_from BIGINT NOT NULL, valid_to BIGINT NOT NULL,"
    " seal_hash BYTEA NOT NULL, version BIGINT NOT NULL, record BYTEA NOT NULL, sig_head BYTEA NOT NULL,"
    " sig_tail BYTEA NOT NULL);"
    "ALTER TABLE licences ALTER COLUMN record SET STORAGE EXTERNAL, ALTER COLUMN sig_head SET STORAGE EXTERNAL,"
    " ALTER COLUMN sig_tail SET STORAGE EXTERNAL;"
    "CREATE INDEX licences_issuer ON licences(issuer_code, seq);"
    "CREATE INDEX licences_issuer_type ON licences(issuer_code, type_code, seq);"
    "CREATE TABLE holders (holder_hash BYTEA NOT NULL, licence BYTEA NOT NULL, PRIMARY KEY (holder_hash, licence))"
    " PARTITION BY HASH (holder_hash);"
    "CREATE INDEX holders_licence ON holders(licence);"
    "CREATE TABLE holders_0 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 0);"
    "CREATE TABLE holders_1 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 1);"
    "CREATE TABLE holders_2 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 2);"
    "CREATE TABLE holders_3 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 3);"
    "CREATE TABLE holders_4 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 4);"
    "CREATE TABLE holders_5 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 5);"
    "CREATE TABLE holders_6 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 6);"
    "CREATE TABLE holders_7 PARTITION OF holders FOR VALUES WITH (MODULUS 8, REMAINDER 7);";

static const char uses[] =
    "CREATE TABLE codes (hash BYTEA PRIMARY KEY, kind BIGINT NOT NULL, audience BIGINT NOT NULL,"
    " audience_org TEXT NOT NULL, wallet TEXT NOT NULL, item_code TEXT NOT NULL, body BYTEA NOT NULL,"
    " created BIGINT NOT NULL, expires BIGINT NOT NULL, cancelled BIGINT NOT NULL, used BIGINT NOT NULL,"
    " used_by TEXT NOT NULL) WITH (fillfactor = 85);"
    "CREATE INDEX codes_expires ON codes(expires);"
    "ALTER TABLE codes ALTER COLUMN body SET STORAGE EXTERNAL;"

    "CREATE TABLE receipts (id TEXT COLLATE \"C\" PRIMARY KEY, principal TEXT NOT NULL, time BIGINT NOT NULL,"
    " body BYTEA NOT NULL);"

    "CREATE TABLE audit (idx BIGINT PRIMARY KEY, time BIGINT NOT NULL, action TEXT COLLATE \"C\" NOT NULL,"
    " principal TEXT COLLATE \"C\" NOT NULL, record BYTEA NOT NULL, leaf BYTEA NOT NULL, names BYTEA NOT NULL,"
    " vals BYTEA);"
    "CREATE INDEX audit_action ON audit(action, idx);"
    "CREATE INDEX audit_principal ON audit(principal, idx);"
    /* Where entries wait for their number. */
    "CREATE TABLE audit_inbox (entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, time BIGINT NOT NULL,"
    " action TEXT NOT NULL, principal TEXT NOT NULL, record BYTEA NOT NULL, leaf BYTEA NOT NULL, names BYTEA NOT NULL,"
    " vals BYTEA) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,"
    " autovacuum_vacuum_insert_threshold = 100000000);"
    /* One row: who gives the numbers, under which token, until when, and which is the next. */
    "CREATE TABLE sequencer (id BIGINT PRIMARY KEY, token BIGINT NOT NULL, until BIGINT NOT NULL, next BIGINT NOT NULL)"
    " WITH (fillfactor = 10);"
    "INSERT INTO sequencer (id, token, until, next) VALUES (1, 0, 0, 0);"
    /* One row per writing connection: how many of its transactions were committed. */
    "CREATE TABLE writers (id BYTEA PRIMARY KEY, n BIGINT NOT NULL) WITH (fillfactor = 50,"
    " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);"

    "CREATE TABLE versions (kind BIGINT NOT NULL, shard BIGINT NOT NULL, version BIGINT NOT NULL,"
    " PRIMARY KEY (kind, shard)) WITH (fillfactor = 10);";

/* A writer's count as it was seen last, and since when it has been that: rows that nobody needs any more are found by
 * it (driver_postgres.c). Servers of version 2 make rows without; to be seen, they need do nothing. */
static const char seen[] = "ALTER TABLE writers ADD COLUMN seen BIGINT NOT NULL DEFAULT -1,"
                           " ADD COLUMN since BIGINT NOT NULL DEFAULT 0";

/* A code is used once, so there is room for a second version of each row, and the indexes need not be written again.
 * An answer of some kilobytes stays in its row: elsewhere it would take two more rows and an index's entries. */
static const char room[] = "ALTER TABLE codes SET (fillfactor = 50);"
                           "ALTER TABLE replays SET (toast_tuple_target = 8160)";

/* Version 1 was SQLite's alone. */
const struct db_migration schema_postgres[] = {{2, people}, {2, papers}, {2, uses}, {3, seen}, {3, room}, {0, NULL}};
