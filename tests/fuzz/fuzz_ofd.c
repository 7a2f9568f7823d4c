/*
 * OFD packages from strangers. Target functions: verify_ofd, ofd_package_open, ofd_parse_*, ofd_displayed, ofd_xml_*.
 *
 * Checksums keep a fuzzer out of a ZIP, so a second form of input, which begins with 'F', is a list of files that is
 * packed here: name, NUL, contents, and the byte 0x01 between files.
 */
#include <zip.h>

#include "fuzz_form.h"

#include "form/ofd.h"
#include "verify/verify.h"

enum { BUDGET = 64 * 1024 * 1024, FILES = 32 };

static void judge(struct span bytes)
{
	const struct verify_policy p = {.name = "default"};
	const struct verify_input in = {.bytes = bytes, .now = INT64_C(1795000000000)};
	struct arena *a = arena_new(BUDGET);
	struct report *r = NULL;
	char *line = NULL;

	MUST(a != NULL);
	if (verify_ofd(a, &p, &in, &r) == ERR_OK) {
		MUST(r->indication != TOTAL_PASSED && r->indication != IND_NONE);
		MUST(report_reason(r) != NULL);
		for (const struct check *c = r->checks; c != NULL; c = c->next)
			MUST(report_code_find(c->code) != NULL);
		MUST(report_json(a, r, "file", &line) == ERR_OK);
	}
	arena_free(a);
}

static void parse(struct span text)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct ofd_document *docs;
	struct ofd_listed *listed;
	struct ofd_signature sig;
	struct ofd_fault fault;
	struct deviations list = {0};
	size_t n;

	MUST(a != NULL);
	if (ofd_parse_main(a, "x", text, &docs, &n, &fault) == ERR_OK)
		MUST(n <= OFD_DOCUMENTS_MAX);
	if (ofd_parse_list(a, "x", text, &listed, &n, &fault) == ERR_OK)
		MUST(n <= OFD_SIGNATURES_MAX);
	if (ofd_parse_signature(a, "x", text, &sig, &fault) == ERR_OK && sig.time != NULL)
		(void)ofd_time(sig.time, 480, &list);
	arena_free(a);
}

/* One file of the list; where the next begins. */
static const uint8_t *pack_one(zip_t *z, const uint8_t *at, const uint8_t *end)
{
	const uint8_t *nul = memchr(at, 0, (size_t)(end - at)), *stop;

	if (nul == NULL || nul - at > OFD_NAME_MAX)
		return end;
	stop = memchr(nul + 1, 1, (size_t)(end - nul - 1));
	stop = stop != NULL ? stop : end;
	zip_source_t *s = zip_source_buffer(z, nul + 1, (zip_uint64_t)(stop - nul - 1), 0);
	if (s != NULL && zip_file_add(z, (const char *)at, s, 0) < 0)
		zip_source_free(s);
	return stop < end ? stop + 1 : end;
}

static void judge_packed(const uint8_t *at, const uint8_t *end)
{
	zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *z = s != NULL ? zip_open_from_source(s, ZIP_TRUNCATE, NULL) : NULL;
	struct zip_stat st;
	uint8_t *zip;

	MUST(z != NULL);
	zip_source_keep(s);
	for (int i = 0; i < FILES && at < end; i++)
		at = pack_one(z, at, end);
	if (zip_close(z) != 0) {
		zip_discard(z);
	} else if (zip_source_stat(s, &st) == 0 && zip_source_open(s) == 0) {
		zip = malloc(st.size + 1);
		MUST(zip != NULL && zip_source_read(s, zip, st.size) == (zip_int64_t)st.size);
		zip_source_close(s);
		judge(span_of(zip, st.size));
		free(zip);
	}
	zip_source_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == '<')
		parse(span_of(data, size));
	else if (size > 0 && data[0] == 'F')
		judge_packed(data + 1, data + size);
	else
		judge(span_of(data, size));
	return 0;
}
