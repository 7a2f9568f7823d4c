/* Policies: the shipped ones, what a file may say, and every way to say it wrongly. */
#include "form_help.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "verify/verify.h"

#define HEAD "[policy]\nname = mine\nversion = 7\n"

static const struct policy_rules *parsed(struct arena *a, const char *text)
{
	struct policy_file *f = arena_alloc(a, sizeof(*f));
	struct err_note note = {0};
	enum err e = policy_parse(a, "mine.ini", span_str(text), f, &note);

	if (e != ERR_OK)
		fail_msg("%s: %s", err_name(e), err_note_text(&note));
	return &f->rules;
}

static int64_t day(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(span_str(text), &ms), ERR_OK);
	return ms;
}

static void default_ini_says_what_stands_behind_all(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct policy_file *f = arena_alloc(a, sizeof(*f));
	const struct verify_policy none = {0};
	struct policy_rules base = *policy_rules(&none);
	struct err_note note = {0};

	assert_int_equal(policy_parse(a, "default.ini", policy_shipped("default"), f, &note), ERR_OK);
	memcpy(base.digest, f->rules.digest, sizeof(base.digest));
	assert_memory_equal(&f->rules, &base, sizeof(base));
	arena_free(a);
}

static void shipped_policies_load_by_name(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct verify_policy p = {0};
	struct err_note note = {0};
	size_t n = 0;

	for (const char *name; (name = policy_shipped_name(n)) != NULL; n++) {
		assert_int_equal(policy_load(a, name, &p, &note), ERR_OK);
		assert_string_equal(p.name, name);
		assert_null(p.trust);
		policy_release(&p);
	}
	assert_int_equal(n, 3);
	assert_int_equal(policy_load(a, "strict", &p, &note), ERR_OK);
	assert_int_equal(policy_rules(&p)->revocation, POLICY_REVOCATION_REQUIRED);
	assert_int_equal(policy_rules(&p)->coverage, POLICY_COVERAGE_ALL);
	assert_int_equal(policy_deviation(&p, "ANY"), POLICY_REFUSE);
	assert_false(policy_fresh(&p, day("2026-01-01"), day("2026-03-01")));
	assert_true(policy_fresh(&p, day("2026-01-01"), day("2026-01-31")));
	policy_release(&p);
	assert_int_equal(policy_load(a, "archive", &p, &note), ERR_OK);
	assert_true(policy_rules(&p)->time_stamp_required);
	assert_int_equal(policy_deviation(&p, "ALG_MISLABELLED"), POLICY_ACCEPT_WITH_NOTICE);
	policy_release(&p);
	arena_free(a);
}

static void old_algorithms_are_refused_without_a_line(void **state)
{
	const struct verify_policy p = {0};
	static const char *const good[] = {"1.2.156.10197.1.501",  "sm2-sm3", "SM3",
	                                   "1.2.156.10197.1.401",  "SHA-256", "RSA-SHA256",
	                                   "1.2.840.113549.1.1.11"};
	static const char *const bad[] = {"MD5",     "1.2.840.113549.2.5",   "SHA-1", "1.3.14.3.2.26", "RSA-SHA1",
	                                  "RSA-MD5", "1.2.840.113549.1.1.5", "",      "1.2.3",         "SM4"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(policy_algorithm(&p, good[i], day("2026-01-01")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(policy_algorithm(&p, bad[i], day("2026-01-01")));
	assert_int_equal(policy_deviation(&p, "ALG_MISLABELLED"), POLICY_REFUSE);
	assert_int_equal(policy_deviation(&p, "EXT_UNTAGGED"), POLICY_ACCEPT_WITH_NOTICE);
}

static void a_file_changes_what_it_names_alone(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct verify_policy p = {
	    .rules =
	        parsed(a, HEAD "[algorithms]\nSHA-1 = until 2016-12-31\nrsa-sha256 = no\n[time]\nzone = -03:30\n"
	                       "stamp=required\n[revocation]\ncheck=off\nmax_age_days = 2\n[coverage]\nrequire=off\n"
	                       "[keys]\nrsa_min_bits = 3072\n[deviations]\nALG_MISLABELLED = accept\nFORMAT = refuse\n")};
	const struct policy_rules *r = policy_rules(&p);

	assert_string_equal(r->name, "mine");
	assert_string_equal(r->version, "7");
	assert_true(policy_algorithm(&p, "SHA-1", day("2016-12-31T23:59:59Z")));
	assert_false(policy_algorithm(&p, "SHA-1", day("2017-01-01")));
	assert_false(policy_algorithm(&p, "RSA-SHA256", day("2016-01-01")));
	assert_true(policy_algorithm(&p, "SM2-SM3", day("2016-01-01")));
	assert_int_equal(r->zone_minutes, -210);
	assert_int_equal(r->rsa_min_bits, 3072);
	assert_int_equal(r->revocation, POLICY_REVOCATION_OFF);
	assert_int_equal(r->coverage, POLICY_COVERAGE_OFF);
	assert_int_equal(policy_deviation(&p, "ALG_MISLABELLED"), POLICY_ACCEPT_WITH_NOTICE);
	assert_int_equal(policy_deviation(&p, "FORMAT"), POLICY_REFUSE);
	assert_true(policy_fresh(&p, day("2026-01-01"), day("2026-01-03")));
	assert_false(policy_fresh(&p, day("2026-01-01"), day("2026-01-04")));
	arena_free(a);
}

static void faults_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"", "[policy] must state name and version"},
	    {"[policy]\nname = x\n", "[policy] must state name and version"},
	    {"[policy]\nname = a b\n", ":2: name must be letters"},
	    {"[policy]\nname = ../../x\n", ":2: name must be letters"},
	    {"[policy]\nname =\n", ":2: name must be letters"},
	    {"[policy]\nname = x\nname = y\n", ":3: name is stated twice"},
	    {"[policy]\nname = aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg\n", ":2: name must be"},
	    {"[policy]\ncolour = x\n", ":2: no key \"colour\""},
	    {"[polcy]\nname = x\n", ":2: no key \"name\" in section [polcy]"},
	    {"name = x\n", ":1: no key \"name\""},
	    {"nonsense\n", ":1: neither [section]"},
	    {"[policy\nname = x\n", ":1: neither [section]"},
	    {"[revocation]\ncheck = maybe\n", ":2: check must be"},
	    {"[revocation]\ncheck = Required\n", ":2: check must be"},
	    {"[revocation]\nmax_age_days = -1\n", ":2: max_age_days must be"},
	    {"[revocation]\nmax_age_days = 99999999999999999999\n", ":2: max_age_days must be"},
	    {"[revocation]\nmax_age_days = 3d\n", ":2: max_age_days must be"},
	    {"[time]\nzone = 8\n", ":2: zone must be"},
	    {"[time]\nzone = +8:000\n", ":2: zone must be"},
	    {"[time]\nzone = +14:01\n", ":2: zone must be"},
	    {"[time]\nzone = +07:60\n", ":2: zone must be"},
	    {"[time]\nstamp = off\n", ":2: stamp must be"},
	    {"[coverage]\nrequire = some\n", ":2: require must be"},
	    {"[keys]\nrsa_min_bits = 512\n", ":2: rsa_min_bits must be"},
	    {"[algorithms]\nROT13 = yes\n", ":2: no algorithm \"ROT13\""},
	    {"[algorithms]\nMD5 = until 2016-13-31\n", ":2: MD5 must be"},
	    {"[algorithms]\nMD5 = until 2016-12-31T00:00:00Z\n", ":2: MD5 must be"},
	    {"[algorithms]\nMD5 = until\n", ":2: MD5 must be"},
	    {"[algorithms]\nMD5 =\n", ":2: MD5 must be"},
	    {"[algorithms]\nMD5 = no\n1.2.840.113549.2.5 = yes\n", ":3: MD5 is stated twice"},
	    {"[deviations]\nNO_SUCH_CODE = accept\n", ":2: there is no code \"NO_SUCH_CODE\""},
	    {"[deviations]\nFORMAT = yes\n", ":2: FORMAT must be accept or refuse"},
	    {"[deviations]\nFORMAT = accept\nFORMAT = refuse\n", ":3: FORMAT is stated twice"},
	    {"[trust]\nnobody = x\n", ":2: roles of trust are"},
	    {"[trust]\nmaker = a,,b\n", ":2: maker must be paths"},
	    {"[trust]\nmaker =\n", ":2: maker must be paths"},
	    {"[trust]\ntsa = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n", ":2: tsa must be at most 16 paths"},
	    {"[policy]\nname = \x01\n", ":2: not clean text"},
	    {"[policy]\nname = \xff\n", ":2: not clean text"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(1 << 20);
		struct policy_file *f = arena_alloc(a, sizeof(*f));
		struct err_note note = {0};
		enum err e = policy_parse(a, "p.ini", span_str(cases[i].text), f, &note);

		if (e != ERR_CONFIG_INVALID || strstr(note.help, cases[i].says) == NULL || strncmp(note.help, "p.ini:", 6) != 0)
			fail_msg("%s: %s %s", cases[i].text, err_name(e), note.help);
		arena_free(a);
	}
}

static void nul_long_lines_and_long_files_are_refused(void **state)
{
	static char big[POLICY_FILE_MAX + 1];
	char line[400];
	struct arena *a = arena_new(1 << 20);
	struct policy_file *f = arena_alloc(a, sizeof(*f));
	struct err_note note = {0};

	memset(line, 'x', sizeof(line));
	assert_int_equal(policy_parse(a, "p", span_of(line, sizeof(line)), f, &note), ERR_CONFIG_INVALID);
	assert_non_null(strstr(note.help, "too long"));
	assert_int_equal(policy_parse(a, "p", span_of("[policy]\0\n", 10), f, &note), ERR_CONFIG_INVALID);
	assert_int_equal(policy_parse(a, "p", span_of(big, sizeof(big)), f, &note), ERR_TOO_LARGE);
	arena_free(a);
}

static void write_text(const char *path, const char *text)
{
	struct err_note note = {0};

	assert_int_equal(file_write(path, span_str(text), 0600, &note), ERR_OK);
}

static void files_are_found_by_path_and_names_are_not(void **state)
{
	char dir[] = "/tmp/yz-policy-XXXXXX", path[64];
	struct arena *a = arena_new(1 << 20);
	struct verify_policy p = {0};
	struct err_note note = {0};

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mine.ini", dir);
	write_text(path, HEAD);
	assert_int_equal(policy_load(a, path, &p, &note), ERR_OK);
	assert_string_equal(p.name, "mine");
	policy_release(&p);
	write_text(path, HEAD "[trust]\nmaker = absent.pem\n");
	assert_int_equal(policy_load(a, path, &p, &note), ERR_FILE_UNREADABLE);
	assert_non_null(strstr(note.help, dir));
	assert_int_equal(policy_load(a, "lenient", &p, &note), ERR_CONFIG_INVALID);
	assert_non_null(strstr(note.help, "archive"));
	assert_int_equal(policy_load(a, "/nowhere/x.ini", &p, &note), ERR_FILE_UNREADABLE);
	assert_int_equal(policy_load(a, dir, &p, &note), ERR_FILE_UNREADABLE);
	unlink(path);
	rmdir(dir);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(default_ini_says_what_stands_behind_all),
	    cmocka_unit_test(shipped_policies_load_by_name),
	    cmocka_unit_test(old_algorithms_are_refused_without_a_line),
	    cmocka_unit_test(a_file_changes_what_it_names_alone),
	    cmocka_unit_test(faults_are_refused_with_their_line),
	    cmocka_unit_test(nul_long_lines_and_long_files_are_refused),
	    cmocka_unit_test(files_are_found_by_path_and_names_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
