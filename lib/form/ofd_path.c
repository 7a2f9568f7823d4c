/* Names within a package. */
#include "form/ofd_package.h"

struct path {
	char *text;
	size_t len;
};

static void drop_last(struct path *p)
{
	while (p->len > 0 && p->text[p->len - 1] != '/')
		p->len--;
	if (p->len > 0)
		p->len--;
}

/* One segment; false when it climbs out of the package. */
static bool add_segment(struct path *p, const char *s, size_t n)
{
	if (n == 0 || (n == 1 && s[0] == '.'))
		return true;
	if (n == 2 && s[0] == '.' && s[1] == '.') {
		bool inside = p->len > 0;
		drop_last(p);
		return inside;
	}
	if (p->len + n + 1 > OFD_NAME_MAX)
		return false;
	if (p->len > 0)
		p->text[p->len++] = '/';
	memcpy(p->text + p->len, s, n);
	p->len += n;
	return true;
}

static bool add_segments(struct path *p, const char *s, size_t len)
{
	for (size_t at = 0; at <= len;) {
		size_t n = strcspn(s + at, "/\\");
		if (n > len - at)
			n = len - at;
		if (!add_segment(p, s + at, n))
			return false;
		at += n + 1;
	}
	return true;
}

bool ofd_resolve(const char *from, const char *loc, char out[OFD_NAME_MAX + 1])
{
	struct path p = {.text = out};

	if (loc[0] != '/' && loc[0] != '\\') {
		const char *last = strrchr(from, '/');
		if (last != NULL && !add_segments(&p, from, (size_t)(last - from)))
			return false;
	}
	if (!add_segments(&p, loc, strlen(loc)) || p.len == 0)
		return false;
	out[p.len] = '\0';
	return true;
}

struct ofd_entry *ofd_locate(const struct ofd_package *p, const char *from, const char *loc, struct deviations *list)
{
	char name[OFD_NAME_MAX + 1];
	struct ofd_entry *e = ofd_resolve(from, loc, name) ? ofd_find(p, name) : NULL;

	if (e != NULL || list == NULL || loc[0] == '/' || loc[0] == '\\')
		return e;
	e = ofd_resolve("", loc, name) ? ofd_find(p, name) : NULL;
	return e != NULL && deviation_add(list, "PATH_FROM_ROOT", "ST_Loc") == ERR_OK ? e : NULL;
}
