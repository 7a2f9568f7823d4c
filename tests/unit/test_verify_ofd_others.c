/* OFD packages of other producers get the verdict of the corpus' manifest. */
#include "verify_help.h"

#include <unistd.h>

static const char *shared(void)
{
	const char *dir = getenv("SHARED");

	return dir != NULL ? dir : "../shared";
}

/* Every step that needs no trust passed. */
static void expect_sound(const char *file, const struct signature_report *s)
{
	static const char *const steps[] = {"reference_digest", "data_hash", "signature_value"};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		bool passed = false;
		for (const struct check *c = s->checks; c != NULL; c = c->next) {
			if (strcmp(c->step, steps[i]) == 0)
				passed = c->result == CHECK_PASS;
			if (c->indication == TOTAL_FAILED)
				fail_msg("%s, %s: %s %s", file, s->id, c->step, c->code);
		}
		if (!passed)
			fail_msg("%s, %s: %s", file, s->id, steps[i]);
	}
}

static void expect_row(const struct report *r, char *const *col)
{
	const char *file = col[0], *id = col[7], *verdict = col[22], *reason = col[23];
	const struct signature_report *s = r->signatures;

	while (s != NULL && strcmp(s->id, id) != 0)
		s = s->next;
	if (strcmp(verdict, "UNSIGNED") == 0) {
		assert_int_equal(r->indication, NO_SIGNATURE_FOUND);
		return;
	}
	if (s == NULL)
		fail_msg("%s: no signature %s", file, id);
	if (strncmp(verdict, "PASS", 4) == 0)
		expect_sound(file, s);
	if (strcmp(verdict, "FAIL") == 0)
		assert_int_equal(s->indication, TOTAL_FAILED);
	else
		assert_int_equal(s->indication, INDETERMINATE); /* nobody is trusted */
	if (strstr(reason, "DIGEST_MISMATCH") != NULL)
		assert_int_equal(s->sub, SUB_HASH_FAILURE);
	if (strstr(reason, "NOT_VALID_AT_SIGNING") != NULL)
		assert_int_equal(s->sub, SUB_EXPIRED);
	if (strcmp(verdict, "PASS") == 0 || strcmp(verdict, "PASS_DEVIATION") == 0)
		assert_int_equal(s->sub, SUB_NO_CERTIFICATE_CHAIN_FOUND);
}

/* A line of the manifest in its columns; how many there are. */
static size_t columns(char *line, char **col, size_t max)
{
	size_t n = 0;

	while (line != NULL && n < max)
		col[n++] = strsep(&line, "\t");
	return n;
}

static bool is_package(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".ofd") == 0;
}

static void packages_of_others_get_the_manifests_verdict(void **state)
{
	const struct verify_policy policy = {.name = "default"};
	struct verify_input in = {.now = INT64_C(1795000000000)};
	struct span manifest;
	char *text, *line;
	size_t judged = 0;

	if (access(arena_printf(*state, "%s/corpus/ofd/MANIFEST.tsv", shared()), R_OK) != 0) {
		printf("note: corpus absent, skipped\n");
		return;
	}
	assert_err(
	    file_read(*state, arena_printf(*state, "%s/corpus/ofd/MANIFEST.tsv", shared()), 1 << 20, &manifest, NULL),
	    ERR_OK);
	text = arena_strndup(*state, manifest.ptr, manifest.len);
	while ((line = strsep(&text, "\n")) != NULL) {
		char *col[25] = {NULL};
		struct report *r = NULL;

		if (columns(line, col, 25) != 25 || !is_package(col[0]))
			continue;
		assert_err(file_read(*state, arena_printf(*state, "%s/corpus/ofd/%s", shared(), col[0]), VERIFY_FILE_MAX,
		                     &in.bytes, NULL),
		           ERR_OK);
		assert_err(verify_any(*state, &policy, &in, &r), ERR_OK);
		assert_codes_known(r);
		expect_row(r, col);
		judged++;
	}
	assert_int_equal(judged, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(packages_of_others_get_the_manifests_verdict),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
