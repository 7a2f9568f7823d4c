/* Targets: ses_seal_parse(), ses_seal_read(). Every view lies within the input, our writer's seals read back, and what
 * is read without a deviation is read by the strict reader, too. */
#include "tests/fuzz/fuzz_form.h"

#include "form/ses.h"

/* Whatever the reader takes and the writer can say, the writer writes so that it is read the same. */
static void again(struct arena *a, const struct ses_seal *s)
{
	struct ses_seal_new in = {
	    s->vendor,      s->id,        s->name,         s->type,    s->n_list,        s->list,          s->created,
	    s->valid_start, s->valid_end, s->picture_type, s->picture, s->picture_width, s->picture_height};
	struct span info, seal;
	struct ses_seal back;

	if (s->list_kind != SES_LIST_CERTS || ses_seal_info_encode(a, &in, &info) != ERR_OK ||
	    ses_seal_encode(a, info, s->maker_cert, s->value, &seal) != ERR_OK)
		return;
	MUST(ses_seal_parse(a, seal, &back, NULL) == ERR_OK);
	MUST(span_eq(back.info_raw, info) && span_eq(back.picture, s->picture) && strcmp(back.name, s->name) == 0);
	MUST(s->n_ext != 0 || span_eq(info, s->info_raw));
}

static void strictly(struct arena *a, struct span in)
{
	struct err_note note = {0};
	struct ses_seal s;
	enum err e = ses_seal_parse(a, in, &s, &note);

	if (e != ERR_OK) {
		MUST(note.code == e || e == ERR_BUDGET);
		return;
	}
	MUST(span_eq(s.raw, in) && fuzz_inside(s.info_raw, in) && fuzz_inside(s.picture, in));
	MUST(fuzz_inside(s.maker_cert, in) && fuzz_inside(s.value, in) && s.n_list <= SES_CERTS_MAX && s.version == 4);
	for (size_t i = 0; i < s.n_list; i++)
		MUST(fuzz_inside(s.list[i], in));
	for (size_t i = 0; i < s.n_ext; i++)
		MUST(fuzz_inside(s.ext[i].value, in) && s.ext[i].oid != NULL);
	again(a, &s);
}

static void tolerantly(struct arena *a, struct span in)
{
	struct deviations list = {0};
	const struct ses_reading lax = {&list, 480}, none = {NULL, 0};
	struct err_note note = {0};
	struct ses_seal s, t;
	struct span value;
	enum err e = ses_seal_read(a, in, &lax, &s, &note);

	if (e != ERR_OK) {
		MUST(note.code == e || e == ERR_BUDGET);
		MUST(e == ERR_BUDGET || ses_seal_read(a, in, &none, &t, NULL) != ERR_OK);
		return;
	}
	MUST(s.version == 1 || s.version == 4 || s.version == 5);
	MUST(fuzz_inside(s.info_raw, s.raw) && fuzz_inside(s.received, in) && s.n_list <= SES_CERTS_MAX);
	MUST(fuzz_inside(s.maker_cert, s.raw) && s.signed_raw.len >= s.info_raw.len && s.maker_cert.len != 0);
	MUST(list.n != 0 || ses_seal_read(a, in, &none, &t, NULL) == ERR_OK);
	if (ses_value_read(a, s.value, &list, "value", &value) == ERR_OK && value.ptr != s.value.ptr)
		MUST(value.len <= 72);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);

	strictly(a, span_of(data, size));
	tolerantly(a, span_of(data, size));
	arena_free(a);
	return 0;
}
