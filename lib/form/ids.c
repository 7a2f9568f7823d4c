#include "form/ids.h"

#include "base/clock.h"
#include "base/text.h"

static const char digits[] = "0123456789";
static const char alnum[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char credit_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/* Index of c in an alphabet, -1 when it is not there (NUL never is). */
static int index_in(const char *alphabet, uint8_t c)
{
	const char *p = c != '\0' ? strchr(alphabet, c) : NULL;

	return p != NULL ? (int)(p - alphabet) : -1;
}

char credit_code_check(struct span first17)
{
	unsigned sum = 0, weight = 1;

	if (first17.len != CREDIT_CODE_LEN - 1)
		return '\0';
	for (size_t i = 0; i < first17.len; i++) {
		int v = index_in(credit_alphabet, first17.ptr[i]);

		if (v < 0)
			return '\0';
		sum += (unsigned)v * weight;
		weight = weight * 3 % 31;
	}
	return credit_alphabet[(31 - sum % 31) % 31];
}

bool credit_code_ok(struct span s)
{
	char check = s.len == CREDIT_CODE_LEN ? credit_code_check(span_sub(s, 0, CREDIT_CODE_LEN - 1)) : '\0';

	/* Characters 3 to 8 are the region, always digits. */
	return check != '\0' && text_only(span_sub(s, 2, 6), digits) && s.ptr[CREDIT_CODE_LEN - 1] == (uint8_t)check;
}

static int number(struct span s)
{
	int v = 0;

	for (size_t i = 0; i < s.len; i++)
		v = v * 10 + (s.ptr[i] - '0');
	return v;
}

char resident_id_check(struct span first17)
{
	static const uint8_t weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	unsigned sum = 0;

	if (first17.len != RESIDENT_ID_LEN - 1 || !text_only(first17, digits))
		return '\0';
	for (size_t i = 0; i < first17.len; i++)
		sum += (unsigned)(first17.ptr[i] - '0') * weights[i];
	return "10X98765432"[sum % 11];
}

bool resident_id_ok(struct span s)
{
	char check = s.len == RESIDENT_ID_LEN ? resident_id_check(span_sub(s, 0, RESIDENT_ID_LEN - 1)) : '\0';
	int64_t birth;
	int year;

	if (check == '\0' || s.ptr[RESIDENT_ID_LEN - 1] != (uint8_t)check || s.ptr[0] == '0')
		return false;
	year = number(span_sub(s, 6, 4));
	return year >= 1800 &&
	       time_from_parts(year, number(span_sub(s, 10, 2)), number(span_sub(s, 12, 2)), 0, 0, 0, &birth) == ERR_OK;
}

bool type_code_ok(struct span s)
{
	return s.len == TYPE_CODE_LEN && credit_code_ok(span_sub(s, 0, CREDIT_CODE_LEN)) &&
	       text_only(span_sub(s, CREDIT_CODE_LEN, 3), digits);
}

enum err holder_code_check(const char *code_type, const char *code)
{
	/* GB/T 36903 annex A, beside 001 and 111. */
	static const char others[][4] = {"099", "114", "115", "118", "119", "120", "122",
	                                 "411", "412", "413", "414", "511", "516", "999"};
	struct span s = span_str(code);

	if (code_type == NULL || code == NULL)
		return ERR_HOLDER_CODE_INVALID;
	if (strcmp(code_type, "001") == 0)
		return credit_code_ok(s) ? ERR_OK : ERR_HOLDER_CODE_INVALID;
	if (strcmp(code_type, "111") == 0)
		return resident_id_ok(s) ? ERR_OK : ERR_HOLDER_CODE_INVALID;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(code_type, others[i]) == 0 && s.len >= 1 && s.len <= 40 &&
		    text_only(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"))
			return ERR_OK;
	}
	return ERR_HOLDER_CODE_INVALID;
}

/* ISO 7064 MOD 37,36: one more part goes into the running product. */
static unsigned mod37_36(unsigned p, struct span part)
{
	for (size_t i = 0; i < part.len; i++) {
		p = (p + (unsigned)index_in(alnum, part.ptr[i])) % 36;
		p = (p == 0 ? 36 : p) * 2 % 37;
	}
	return p;
}

static char licence_check(const struct licence_id *id)
{
	unsigned p = 36;

	p = mod37_36(p, id->type);
	p = mod37_36(p, id->issuer);
	p = mod37_36(p, id->serial);
	p = mod37_36(p, id->version);
	return alnum[(37 - p) % 36];
}

/* Cut the part behind the last dot off *s; false when there is no dot or nothing before it. */
static bool cut_last(struct span *s, struct span *part)
{
	size_t i = s->len;

	while (i > 0 && s->ptr[i - 1] != '.')
		i--;
	if (i < 2)
		return false;
	*part = span_sub(*s, i, s->len - i);
	s->len = i - 1;
	return true;
}

static bool part_ok(struct span part, const char *alphabet, size_t min, size_t max)
{
	return part.len >= min && part.len <= max && text_only(part, alphabet);
}

/* A dotted object identifier, loosely: numbers between single dots. */
static bool root_shape(struct span s)
{
	if (!text_only(s, "0123456789.") || s.len == 0 || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.')
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '.' && s.ptr[i - 1] == '.')
			return false;
	}
	return true;
}

enum err licence_id_parse(struct span s, struct licence_id *out)
{
	struct licence_id id;
	struct span check;

	if (s.len > LICENCE_ID_MAX || !cut_last(&s, &check) || !cut_last(&s, &id.version) || !cut_last(&s, &id.serial) ||
	    !cut_last(&s, &id.issuer) || !cut_last(&s, &id.type))
		return ERR_LICENCE_ID_INVALID;
	if (!part_ok(check, alnum, 1, 1) || !part_ok(id.version, digits, 3, 3) ||
	    !part_ok(id.serial, alnum, 1, LICENCE_SERIAL_MAX) || !part_ok(id.issuer, alnum, 1, LICENCE_ID_MAX) ||
	    !part_ok(id.type, alnum, 1, LICENCE_ID_MAX) || !root_shape(s))
		return ERR_LICENCE_ID_INVALID;
	id.check = (char)check.ptr[0];
	id.computed = licence_check(&id);
	id.root_ok = span_eq(s, span_str(LICENCE_ID_ROOT));
	id.issuer_ok = credit_code_ok(id.issuer);
	id.type_ok = type_code_ok(id.type);
	*out = id;
	return ERR_OK;
}

bool licence_id_ok(struct span s)
{
	struct licence_id id;

	return licence_id_parse(s, &id) == ERR_OK && id.root_ok && id.type_ok && id.issuer_ok && id.check == id.computed &&
	       !span_eq(id.version, span_str("000"));
}

enum err licence_id_make(struct arena *a, const char *type, const char *issuer, const char *serial, unsigned version,
                         char **out)
{
	char *draft;
	struct licence_id id;
	enum err e;

	if (type == NULL || issuer == NULL || serial == NULL || version < 1 || version > 999)
		return ERR_LICENCE_ID_INVALID;
	if (!part_ok(span_str(serial), alnum, 1, LICENCE_SERIAL_MAX) || !type_code_ok(span_str(type)) ||
	    !credit_code_ok(span_str(issuer)))
		return ERR_LICENCE_ID_INVALID;
	draft = arena_printf(a, LICENCE_ID_ROOT ".%s.%s.%s.%03u.0", type, issuer, serial, version);
	if (draft == NULL)
		return ERR_BUDGET;
	e = licence_id_parse(span_str(draft), &id);
	if (e != ERR_OK)
		return e;
	draft[strlen(draft) - 1] = id.computed;
	*out = draft;
	return ERR_OK;
}
