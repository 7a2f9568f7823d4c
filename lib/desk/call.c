/* What every use case needs: time, pages, texts, names. */
#include "base/text.h"
#include "desk/internal.h"

int64_t desk_now(const struct desk_call *call)
{
	return store_now(call->desk->o.store);
}

enum err desk_read(struct desk_call *call, store_fn *fn)
{
	return store_read(call->desk->o.store, fn, call);
}

enum err desk_look(struct desk_call *call, store_fn *fn)
{
	return store_look(call->desk->o.store, fn, call);
}

size_t desk_page(unsigned asked)
{
	if (asked == 0)
		return DESK_PAGE;
	return asked < DESK_PAGE_MAX ? asked : DESK_PAGE_MAX;
}

static const char alphabet[33] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum err desk_random_text(struct desk_call *call, const char *prefix, size_t n, char **out)
{
	size_t head = strlen(prefix), i;
	char *text = arena_alloc(call->arena, head + n + 1);
	enum err e;

	if (text == NULL)
		return ERR_BUDGET;
	memcpy(text, prefix, head);
	e = rand_fill(&call->desk->o.rand, (uint8_t *)text + head, n);
	if (e != ERR_OK)
		return e;
	for (i = 0; i < n; i++)
		text[head + i] = alphabet[(unsigned char)text[head + i] & 31];
	*out = text;
	return ERR_OK;
}

enum err desk_ulid(struct desk_call *call, const char *prefix, char **out)
{
	enum err e = desk_random_text(call, prefix, ULID_LEN, out);
	uint64_t ms = (uint64_t)desk_now(call);

	for (size_t i = ULID_TIME; e == ERR_OK && i-- > 0; ms >>= 5)
		(*out)[strlen(prefix) + i] = alphabet[ms & 31];
	return e;
}

enum err may_text(struct desk_call *call, const char *value, size_t max, const char *field)
{
	struct span s = span_str(value);

	if (s.len > max)
		return err_note_set(&call->note, ERR_FIELD_TOO_LONG, field, "At most %zu bytes are allowed.", max);
	if (!text_is_clean(s, max))
		return err_note_set(&call->note, ERR_TEXT_INVALID, field, NULL);
	return ERR_OK;
}

enum err need_text(struct desk_call *call, const char *value, size_t max, enum err missing, const char *field)
{
	if (value == NULL || text_is_blank(span_str(value)))
		return err_note_set(&call->note, missing, field, NULL);
	return may_text(call, value, max, field);
}

const char *seal_state_name(enum seal_state s)
{
	switch (s) {
	case SEAL_ACTIVE:
		return "active";
	case SEAL_SUSPENDED:
		return "suspended";
	case SEAL_REVOKED:
		return "revoked";
	}
	return "";
}
