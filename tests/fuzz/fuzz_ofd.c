/*
 * OFD packages from strangers. Target functions: verify_ofd, ofd_package_open, ofd_parse_*, ofd_displayed, ofd_xml_*.
 *
 * Checksums keep a fuzzer out of a ZIP, so a second form of input, which begins with 'F', is a list of files that is
 * packed here: name, NUL, contents, and the byte 0x01 between files.
 */
#include "fuzz_pack.h"

#include "verify/verify.h"

static void judge(struct span bytes)
{
	const struct verify_policy p = {.name = "default"};
	const struct verify_input in = {.bytes = bytes, .now = INT64_C(1795000000000)};
	struct arena *a = arena_new(FUZZ_PACK_BUDGET);
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

static void judge_packed(const uint8_t *at, const uint8_t *end)
{
	struct span zip = fuzz_pack(at, end);

	if (zip.len != 0)
		judge(zip);
	free((void *)(uintptr_t)zip.ptr);
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
