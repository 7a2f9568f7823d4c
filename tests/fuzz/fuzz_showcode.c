/* Target: showcode_read() and the checks of identifiers; what is read is canonical, and reading it again changes
 * nothing. */
#include "tests/fuzz/fuzz_form.h"

#include "form/ids.h"
#include "form/showcode.h"

static void ids(struct arena *a, struct span in)
{
	struct licence_id id;
	char *text = arena_strndup(a, in.ptr, in.len);

	if (licence_id_parse(in, &id) == ERR_OK) {
		MUST(fuzz_inside(id.type, in) && fuzz_inside(id.serial, in) && id.version.len == 3);
		MUST(!licence_id_ok(in) || id.check == id.computed);
	} else {
		MUST(!licence_id_ok(in));
	}
	MUST(!credit_code_ok(in) || credit_code_check(span_sub(in, 0, 17)) == (char)in.ptr[17]);
	MUST(!resident_id_ok(in) || holder_code_check("111", text) == ERR_OK);
	MUST(!type_code_ok(in) || credit_code_ok(span_sub(in, 0, 18)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct span in = span_of(data, size);
	char *code, *again;

	if (showcode_read(a, in, &code) == ERR_OK) {
		MUST(strlen(code) == SHOWCODE_TEXT);
		MUST(showcode_read(a, span_str(code), &again) == ERR_OK && strcmp(code, again) == 0);
	}
	ids(a, in);
	arena_free(a);
	return 0;
}
