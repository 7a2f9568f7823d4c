/* Target: ses_seal_parse(); every view lies within the input, and our writer's seals read back. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_BUDGET);
	struct span in = span_of(data, size);
	struct err_note note = {0};
	struct ses_seal s;
	enum err e = ses_seal_parse(a, in, &s, &note);

	if (e == ERR_OK) {
		MUST(span_eq(s.raw, in) && fuzz_inside(s.info_raw, in) && fuzz_inside(s.picture, in));
		MUST(fuzz_inside(s.maker_cert, in) && fuzz_inside(s.value, in) && s.n_list <= SES_CERTS_MAX);
		for (size_t i = 0; i < s.n_list; i++)
			MUST(fuzz_inside(s.list[i], in));
		for (size_t i = 0; i < s.n_ext; i++)
			MUST(fuzz_inside(s.ext[i].value, in) && s.ext[i].oid != NULL);
		again(a, &s);
	} else {
		MUST(note.code == e || e == ERR_BUDGET);
	}
	arena_free(a);
	return 0;
}
