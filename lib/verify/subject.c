/* Does a certificate's subject name an organisation? Reads RFC 2253 text with its escapes, one attribute at a time. */
#include "verify/subject.h"

#include "form/ids.h"
#include <string.h>

enum { SUBJECT_VALUE_MAX = 512 };

struct attribute {
	char type[64];
	char value[SUBJECT_VALUE_MAX];
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a value, escapes undone. */
static char take_char(const char **p)
{
	char c = *(*p)++;

	if (c != '\\' || **p == '\0')
		return c;
	if (hex_digit((*p)[0]) >= 0 && hex_digit((*p)[1]) >= 0) {
		c = (char)(hex_digit((*p)[0]) * 16 + hex_digit((*p)[1]));
		*p += 2;
		return c;
	}
	return *(*p)++;
}

/* Values that do not fit come out empty: they name nobody. */
static void take_value(const char **p, char out[SUBJECT_VALUE_MAX])
{
	size_t n = 0;
	bool fits = true;

	while (**p != '\0' && **p != ',' && **p != '+') {
		char c = take_char(p);
		if (n + 1 < SUBJECT_VALUE_MAX && c != '\0')
			out[n++] = c;
		else
			fits = false;
	}
	out[fits ? n : 0] = '\0';
}

static bool take_attribute(const char **p, struct attribute *out)
{
	size_t n = 0;

	while (**p == ',' || **p == '+' || **p == ' ')
		(*p)++;
	if (**p == '\0')
		return false;
	while (**p != '\0' && **p != '=') {
		if (n + 1 < sizeof(out->type))
			out->type[n++] = **p;
		(*p)++;
	}
	out->type[n] = '\0';
	if (**p == '=')
		(*p)++;
	take_value(p, out->value);
	return true;
}

static bool is_one_of(const char *type, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(type, *names) == 0)
			return true;
	return false;
}

/* The code alone, or with the prefix of ETSI EN 319 412-1 ("NTRCN-…"). */
static const char *bare_code(const char *value)
{
	const char *dash = strchr(value, '-');

	return dash != NULL && dash - value == 5 ? dash + 1 : value;
}

struct named {
	bool this_code, other_code, name;
};

static bool read_names(struct arena *a, const char *subject, const char *code, const char *name, struct named *out)
{
	static const char *const code_types[] = {"organizationIdentifier", "2.5.4.97", "serialNumber", "2.5.4.5", NULL};
	static const char *const name_types[] = {"O", "OU", "2.5.4.10", "2.5.4.11", NULL};
	struct attribute *at = arena_alloc(a, sizeof(*at));

	if (at == NULL)
		return false;
	while (take_attribute(&subject, at)) {
		const char *bare = bare_code(at->value);
		if (is_one_of(at->type, code_types)) {
			bool same = strcmp(bare, code) == 0;
			out->this_code = out->this_code || same;
			out->other_code = out->other_code || (!same && credit_code_ok(span_str(bare)));
		}
		if (is_one_of(at->type, name_types) && name[0] != '\0' && strcmp(at->value, name) == 0)
			out->name = true;
	}
	return true;
}

bool subject_names_org(struct arena *a, const char *subject, const char *code, const char *name)
{
	struct named n = {false, false, false};

	return read_names(a, subject, code, name, &n) && (n.this_code || (n.name && !n.other_code));
}

bool subject_names_other(struct arena *a, const char *subject, const char *code)
{
	struct named n = {false, false, false};

	return !read_names(a, subject, code, "", &n) || (n.other_code && !n.this_code);
}
