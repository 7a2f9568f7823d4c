/* The configuration: good files, and every kind of bad line with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "server/config.h"

#define MINIMAL                                                                                                        \
	"[service]\nname = 示例\n[tls]\ncert = a.crt\nkey = a.key\nclient_ca = /etc/ca.crt\n"                            \
	"[store]\nurl = sqlite:data/store.db\nmaster_key = m.key\n[trust]\npath = t1, /t2\n"                               \
	"[receipt]\nkey = r.key\ncert = r.crt\n" /* 14 lines */

static enum err parse(struct arena *a, const char *text, struct config *c, struct err_note *note)
{
	return config_parse(a, "/etc/yinzheng/d.ini", span_str(text), c, note);
}

static void a_small_file_is_enough(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct err_note note = {0};
	struct config c;

	if (parse(a, MINIMAL, &c, &note) != ERR_OK)
		fail_msg("%s", note.help);
	assert_string_equal(c.listen, "127.0.0.1:7443");
	assert_string_equal(c.tls_cert, "/etc/yinzheng/a.crt");
	assert_string_equal(c.tls_client_ca, "/etc/ca.crt");
	assert_string_equal(c.store_url, "sqlite:/etc/yinzheng/data/store.db");
	assert_int_equal(c.n_trust, 2);
	assert_string_equal(c.trust[0], "/etc/yinzheng/t1");
	assert_string_equal(c.trust[1], "/t2");
	assert_string_equal(c.health_socket, "");
	assert_string_equal(c.maker.key, "");
	assert_int_equal(c.workers, 4);
	assert_int_equal(c.store_readers, 0);
	assert_int_equal(c.store_writers, 0);
	arena_free(a);
}

static void seal_keys_are_many(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct err_note note = {0};
	struct config c;

	assert_int_equal(
	    parse(a, MINIMAL "[seal-key samr]\nkey = k1\ncert = c1\n[seal-key mnr]\ncert = c2\nkey = k2\n", &c, &note),
	    ERR_OK);
	assert_int_equal(c.n_seal_keys, 2);
	assert_string_equal(c.seal_keys[0].name, "samr");
	assert_string_equal(c.seal_keys[1].key, "/etc/yinzheng/k2");
	assert_string_equal(c.seal_keys[1].passphrase_file, "");
	arena_free(a);
}

static void bad_lines_are_named(void **state)
{
	static const struct {
		const char *text, *place;
	} cases[] = {
	    {MINIMAL "[server]\nlisten = a\nlisten = b\n", "d.ini:17: "},
	    {MINIMAL "[server]\nlissen = a\n", "d.ini:16: no key \"lissen\" in section [server]"},
	    {MINIMAL "[serve]\nlisten = a\n", "d.ini:16: no key \"listen\" in section [serve]"},
	    {MINIMAL "[server]\nworkers = 0\n", "d.ini:16: must be a number from 1 to 256"},
	    {MINIMAL "[server]\nworkers = 4x\n", "d.ini:16: must be a number"},
	    {MINIMAL "[server]\nworkers = -1\n", "d.ini:16: must be a number"},
	    {MINIMAL "[server]\nworkers =\n", "d.ini:16: must be a number"},
	    {MINIMAL "[server]\nworkers = 99999999999999999999\n", "d.ini:16: must be a number"},
	    {MINIMAL "[store]\nreaders = 257\n", "d.ini:16: must be a number from 0 to 256"},
	    {MINIMAL "[store]\nwriters = 65\n", "d.ini:16: must be a number from 0 to 64"},
	    {MINIMAL "[store]\nwriters = 3\nwriters = 3\n", "d.ini:17: stated twice"},
	    {MINIMAL "[log]\nlevel = loud\n", "d.ini:16: must be error"},
	    {MINIMAL "[sm2]\nsign = OpenSSL\n", "d.ini:16: must be own or openssl"},
	    {MINIMAL "[sm2]\nverify =\n", "d.ini:16: must be own or openssl"},
	    {MINIMAL "[server\nlisten = a\n", "d.ini:15: neither"},
	    {MINIMAL "just text\n", "d.ini:15: neither"},
	    {MINIMAL "[seal-key ]\nkey = k\n", "d.ini:16: "},
	    {MINIMAL "[seal-key a]\nkee = k\n", "d.ini:16: no such key"},
	    {MINIMAL "[seal-key a]\nkey = k\nkey = k\n", "d.ini:17: stated twice"},
	    {MINIMAL "[seal-key a]\nkey = k\n", "[seal-key] cert is missing"},
	    {MINIMAL "[maker]\ncert = k\n", "[maker] key is missing"},
	    {MINIMAL "[trust]\npath = a,,b\n", "d.ini:16: an empty path"},
	    {MINIMAL "[log]\nlevel = \xff\n", "d.ini:16: not clean text"},
	    {"[service]\nname =\n", "d.ini:2: must not be empty"},
	    {"[service]\nname = x\n", "[tls] cert is missing"},
	    {"", "[service] name is missing"},
	    {"[store]\nurl = mysql:x\n", "d.ini:2: must be sqlite:PATH or postgres://USER@HOST:PORT/DATABASE"},
	    {"[store]\nurl = sqlite:\n", "d.ini:2: must be sqlite:PATH or postgres://USER@HOST:PORT/DATABASE"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(1 << 20);
		struct err_note note = {0};
		struct config c;
		enum err e = parse(a, cases[i].text, &c, &note);
		if (e != ERR_CONFIG_INVALID || strstr(note.help, cases[i].place) == NULL)
			fail_msg("case %zu: %s \"%s\"", i, err_name(e), note.help);
		arena_free(a);
	}
}

static void a_long_line_is_not_cut(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct err_note note = {0};
	struct config c;
	char text[1024] = MINIMAL "[server]\nlisten = ";

	memset(text + strlen(text), 'a', 300);
	assert_int_equal(parse(a, text, &c, &note), ERR_CONFIG_INVALID);
	assert_non_null(strstr(note.help, "d.ini:16: the line is too long"));
	arena_free(a);
}

static void a_nul_is_seen(void **state)
{
	static const char text[] = MINIMAL "[server]\nlisten = a\0b\n";
	struct arena *a = arena_new(1 << 20);
	struct err_note note = {0};
	struct config c;

	assert_int_equal(config_parse(a, "d.ini", span_of(text, sizeof(text) - 1), &c, &note), ERR_CONFIG_INVALID);
	assert_non_null(strstr(note.help, "d.ini:16: the line has a NUL"));
	arena_free(a);
}

static void the_sample_is_good(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct err_note note = {0};
	struct config c;

	if (config_load(a, "share/yinzhengd.ini", &c, &note) != ERR_OK)
		fail_msg("%s", note.help);
	assert_int_equal(config_load(a, "share/absent.ini", &c, &note), ERR_FILE_UNREADABLE);
	arena_free(a);
}

/* docs/operations.md has a row for every key, with its default. */
static void docs_list_every_key(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct err_note note = {0};
	struct span doc;
	char row[160];

	assert_int_equal(file_read(a, "docs/operations.md", 1 << 18, &doc, &note), ERR_OK);
	for (size_t i = 0; i < config_rows_count; i++) {
		const struct config_row *r = &config_rows[i];
		const char *def = r->default_text == NULL ? "mandatory" : *r->default_text == '\0' ? "none" : r->default_text;
		snprintf(row, sizeof(row), "| `[%s]` | `%s` | %s |", r->section, r->key, def);
		if (memmem(doc.ptr, doc.len, row, strlen(row)) == NULL)
			fail_msg("docs/operations.md lacks or contradicts: %s", row);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_small_file_is_enough), cmocka_unit_test(seal_keys_are_many),
	    cmocka_unit_test(bad_lines_are_named),    cmocka_unit_test(a_long_line_is_not_cut),
	    cmocka_unit_test(a_nul_is_seen),          cmocka_unit_test(the_sample_is_good),
	    cmocka_unit_test(docs_list_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
