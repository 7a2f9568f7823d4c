/* The tables, as SQLite wants them. docs/store.md says what stands in them and what is encrypted. A published
 * migration is never edited: the next one is appended. */
#include "store/driver.h"

/* 0x595a5354 = 1499091796 = "YZST", as in driver_sqlite.c */
static const char version_1[] =
    "PRAGMA application_id = 1499091796;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, num INTEGER NOT NULL, bytes BLOB) STRICT, WITHOUT ROWID;"

    "CREATE TABLE principals (id TEXT PRIMARY KEY, name BLOB NOT NULL, org_code TEXT NOT NULL, org_name TEXT NOT NULL,"
    " roles INTEGER NOT NULL, statutory INTEGER NOT NULL, disabled INTEGER NOT NULL, version INTEGER NOT NULL) STRICT;"
    "CREATE TABLE principal_keys (fingerprint BLOB PRIMARY KEY, principal TEXT NOT NULL REFERENCES principals(id),"
    " pos INTEGER NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX principal_keys_principal ON principal_keys(principal, pos);"
    "CREATE TABLE principal_scopes (principal TEXT NOT NULL REFERENCES principals(id), kind INTEGER NOT NULL,"
    " pos INTEGER NOT NULL, code TEXT NOT NULL, PRIMARY KEY (principal, kind, pos)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE grants (principal TEXT PRIMARY KEY, digest BLOB NOT NULL, proposed_by TEXT NOT NULL,"
    " time INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE replays (principal TEXT NOT NULL, request_id BLOB NOT NULL, digest BLOB NOT NULL,"
    " reply BLOB NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (principal, request_id)) STRICT;"
    "CREATE INDEX replays_time ON replays(time);"

    "CREATE TABLE catalog (kind INTEGER NOT NULL, code TEXT NOT NULL, json BLOB NOT NULL, version INTEGER NOT NULL,"
    " PRIMARY KEY (kind, code)) STRICT;"

    "CREATE TABLE events (object TEXT NOT NULL, sequence INTEGER NOT NULL, state INTEGER NOT NULL, reason BLOB NOT "
    "NULL,"
    " effective INTEGER NOT NULL, recorded INTEGER NOT NULL, principal TEXT NOT NULL,"
    " PRIMARY KEY (object, sequence)) STRICT;"
    "CREATE TABLE seals (id TEXT PRIMARY KEY, name TEXT NOT NULL, owner_code TEXT NOT NULL, maker TEXT NOT NULL,"
    " type INTEGER NOT NULL, state INTEGER NOT NULL, valid_start INTEGER NOT NULL, valid_end INTEGER NOT NULL,"
    " application BLOB NOT NULL, approver BLOB NOT NULL, created_by TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,"
    " version INTEGER NOT NULL, der BLOB NOT NULL) STRICT;"

    "CREATE TABLE licences (seq INTEGER PRIMARY KEY AUTOINCREMENT, id_hash BLOB NOT NULL UNIQUE, number_hash BLOB "
    "UNIQUE,"
    " id BLOB NOT NULL, type_code TEXT NOT NULL, issuer_code TEXT NOT NULL, seal_id TEXT NOT NULL,"
    " state INTEGER NOT NULL, state_since INTEGER NOT NULL, issued INTEGER NOT NULL, valid_from INTEGER NOT NULL,"
    " valid_to INTEGER NOT NULL, seal_hash BLOB NOT NULL, version INTEGER NOT NULL, record BLOB NOT NULL,"
    " sig_head BLOB NOT NULL, sig_tail BLOB NOT NULL) STRICT;"
    "CREATE INDEX licences_issuer ON licences(issuer_code, seq);"
    "CREATE INDEX licences_issuer_type ON licences(issuer_code, type_code, seq);"
    "CREATE TABLE holders (holder_hash BLOB NOT NULL, licence BLOB NOT NULL REFERENCES licences(id_hash),"
    " PRIMARY KEY (holder_hash, licence)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX holders_licence ON holders(licence);"

    "CREATE TABLE codes (hash BLOB PRIMARY KEY, kind INTEGER NOT NULL, audience INTEGER NOT NULL,"
    " audience_org TEXT NOT NULL, wallet TEXT NOT NULL, item_code TEXT NOT NULL, body BLOB NOT NULL,"
    " created INTEGER NOT NULL, expires INTEGER NOT NULL, cancelled INTEGER NOT NULL, used INTEGER NOT NULL,"
    " used_by TEXT NOT NULL) STRICT;"
    "CREATE INDEX codes_expires ON codes(expires);"

    "CREATE TABLE receipts (id TEXT PRIMARY KEY, principal TEXT NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL)"
    " STRICT;"

    "CREATE TABLE audit (idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, action TEXT NOT NULL, principal TEXT NOT NULL,"
    " record BLOB NOT NULL, leaf BLOB NOT NULL) STRICT;"
    "CREATE INDEX audit_action ON audit(action, idx);"
    "CREATE INDEX audit_principal ON audit(principal, idx);"
    "CREATE INDEX audit_time ON audit(time);"
    "CREATE TABLE audit_values (idx INTEGER NOT NULL REFERENCES audit(idx), pos INTEGER NOT NULL, name TEXT NOT NULL,"
    " value BLOB, PRIMARY KEY (idx, pos)) STRICT;";

/* An entry's personal values stand in its own row now; audit_values_join() moves those of version 1. */
static const char version_2[] =
    "ALTER TABLE audit ADD COLUMN names BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE audit ADD COLUMN vals BLOB;"
    "CREATE TABLE versions (kind INTEGER NOT NULL, shard INTEGER NOT NULL, version INTEGER NOT NULL,"
    " PRIMARY KEY (kind, shard)) STRICT, WITHOUT ROWID;";

const struct db_migration schema_sqlite[] = {{1, version_1}, {2, version_2}, {0, NULL}};
