#include "form/ofd_package.h"

#include <stdlib.h>
#include <strings.h>
#include <zip.h>

#include "base/text.h"

enum {
	EOCD_LEN = 22,
	EOCD_REACH = EOCD_LEN + 65535, /* libzip looks for the directory's end in the last bytes, as far as this */
	LOCATOR_LEN = 20,              /* of ZIP64, before the directory's end */
	CHUNK = 16 * 1024
};

static enum err refuse(struct ofd_fault *fault, const char *code, const char *detail)
{
	*fault = (struct ofd_fault){code, detail};
	return ERR_FORMAT;
}

/* ---- before libzip: where the directory is, and that there is just one ---- */

static uint32_t le(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* Would a reader take this for the end of a directory? `at` is the signature's place. */
static bool is_directory_end(struct span s, size_t at)
{
	const uint8_t *p = s.ptr + at;
	uint32_t size = le(p + 12, 4), offset = le(p + 16, 4);

	if (le(p + 20, 2) > s.len - at - EOCD_LEN || offset > at || size > at - offset)
		return false;
	return le(p + 8, 2) == 0 || (s.len - offset >= 4 && memcmp(s.ptr + offset, "PK\1\2", 4) == 0);
}

/* Exactly one directory, that ends where the file ends, and is no ZIP64: so every reader finds the same one, and libzip
 * takes no memory for more entries than OFD_ENTRIES_MAX. */
static enum err find_directory(struct span s, struct ofd_fault *fault)
{
	size_t from = s.len > EOCD_REACH ? s.len - EOCD_REACH : 0, end = 0;
	const uint8_t *p;

	for (size_t at = from; s.len >= EOCD_LEN && at <= s.len - EOCD_LEN; at++) {
		if (memcmp(s.ptr + at, "PK\5\6", 4) != 0 || !is_directory_end(s, at))
			continue;
		if (end != 0)
			return refuse(fault, "PACKAGE_AMBIGUOUS", "two directories");
		end = at + 1; /* so that 0 means none */
	}
	if (end == 0)
		return refuse(fault, "PACKAGE_BROKEN", "no directory: truncated, or not a ZIP");
	p = s.ptr + end - 1;
	if (end >= LOCATOR_LEN + 1 && memcmp(p - LOCATOR_LEN, "PK\6\7", 4) == 0)
		return refuse(fault, "PACKAGE_BROKEN", "ZIP64");
	if (le(p + 4, 4) != 0 || le(p + 8, 2) != le(p + 10, 2))
		return refuse(fault, "PACKAGE_BROKEN", "a part of a split archive");
	if (le(p + 20, 2) != s.len - (end - 1) - EOCD_LEN || le(p + 12, 4) + le(p + 16, 4) != end - 1)
		return refuse(fault, "PACKAGE_AMBIGUOUS", "bytes around the directory");
	if (le(p + 10, 2) > OFD_ENTRIES_MAX)
		return refuse(fault, "TOO_LARGE", "entries");
	return ERR_OK;
}

/* ---- entries ---- */

static const char *shown(struct arena *a, const char *name)
{
	return text_is_clean(span_str(name), OFD_NAME_MAX) ? arena_strdup(a, name) : "(a name that is not clean text)";
}

static bool is_safe_segment(const char *s, size_t n)
{
	if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == ':')
			return false;
	return true;
}

/* A folder's name ends with '/', and is looked at without it. */
static bool is_safe_name(const char *name, size_t len)
{
	size_t depth = 0;

	if (len == 0 || len > OFD_NAME_MAX)
		return false;
	for (;;) {
		size_t n = strcspn(name, "/");
		if (!is_safe_segment(name, n) || ++depth > OFD_DEPTH_MAX)
			return false;
		if (name[n] == '\0' || name[n + 1] == '\0')
			return true;
		name += n + 1;
	}
}

static enum err normal_name(struct ofd_package *p, struct deviations *list, const char *raw, char **out)
{
	char *name = arena_strdup(p->arena, raw);

	if (name == NULL)
		return ERR_BUDGET;
	for (char *c = name; *c != '\0'; c++) {
		if (*c != '\\')
			continue;
		*c = '/';
		if (deviation_add(list, "PATH_BACKSLASH", "ZIP entry") != ERR_OK)
			return ERR_FORMAT;
	}
	*out = name;
	return ERR_OK;
}

static enum err check_size(struct ofd_package *p, const struct zip_stat *st, const char *name, struct ofd_fault *fault)
{
	uint64_t floor = st->size / OFD_RATIO_MAX;

	if (st->size > OFD_INFLATED_MAX || p->inflated + st->size > OFD_INFLATED_MAX)
		return refuse(fault, "PACKAGE_BOMB", shown(p->arena, name));
	if (st->size > OFD_RATIO_FROM && st->comp_size < floor)
		return refuse(fault, "PACKAGE_BOMB", shown(p->arena, name));
	p->inflated += st->size;
	return ERR_OK;
}

static enum err add_entry(struct ofd_package *p, uint64_t i, struct deviations *list, struct ofd_fault *fault)
{
	enum {
		NEEDED = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD
	};
	struct zip_stat st;
	char *name = NULL;
	size_t len;
	enum err e;

	if (zip_stat_index(p->zip, i, ZIP_FL_ENC_RAW, &st) != 0 || (st.valid & NEEDED) != NEEDED || st.name == NULL)
		return refuse(fault, "PACKAGE_BROKEN", "entry without data");
	e = normal_name(p, list, st.name, &name);
	if (e != ERR_OK)
		return e == ERR_FORMAT ? refuse(fault, "PATH_UNSAFE", shown(p->arena, st.name)) : e;
	len = strlen(name);
	if (!is_safe_name(name, len))
		return refuse(fault, "PATH_UNSAFE", shown(p->arena, name));
	if (st.encryption_method != ZIP_EM_NONE)
		return refuse(fault, "ENCRYPTED_ENTRY", shown(p->arena, name));
	if (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE)
		return refuse(fault, "PACKAGE_BROKEN", "compression method");
	if (name[len - 1] == '/')
		return st.size == 0 ? ERR_OK : refuse(fault, "PATH_UNSAFE", shown(p->arena, name));
	e = check_size(p, &st, name, fault);
	if (e == ERR_OK)
		p->entries[p->n++] = (struct ofd_entry){.name = name, .size = st.size, .index = i};
	return e;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct ofd_entry *)x)->name, ((const struct ofd_entry *)y)->name);
}

static int by_folded_name(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;

	return strcasecmp(*a, *b);
}

static enum err check_twins(struct ofd_package *p, struct ofd_fault *fault)
{
	const char **names = arena_array(p->arena, p->n + 1, sizeof(*names));

	if (names == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < p->n; i++) {
		names[i] = p->entries[i].name;
		if (i > 0 && strcmp(names[i - 1], names[i]) == 0)
			return refuse(fault, "DUPLICATE_ENTRY", shown(p->arena, names[i]));
	}
	qsort(names, p->n, sizeof(*names), by_folded_name);
	for (size_t i = 1; i < p->n; i++)
		if (strcasecmp(names[i - 1], names[i]) == 0)
			return refuse(fault, "CASE_TWINS", shown(p->arena, names[i]));
	return ERR_OK;
}

static enum err list_entries(struct ofd_package *p, struct deviations *list, struct ofd_fault *fault)
{
	zip_int64_t n = zip_get_num_entries(p->zip, 0);

	if (n < 0 || n > OFD_ENTRIES_MAX)
		return refuse(fault, "TOO_LARGE", "entries");
	p->entries = arena_array(p->arena, (size_t)n + 1, sizeof(*p->entries));
	if (p->entries == NULL)
		return ERR_BUDGET;
	for (uint64_t i = 0; i < (uint64_t)n; i++) {
		enum err e = add_entry(p, i, list, fault);
		if (e != ERR_OK)
			return e;
	}
	if (p->inflated > OFD_RATIO_FROM && p->inflated / OFD_RATIO_ALL > p->packed)
		return refuse(fault, "PACKAGE_BOMB", "all entries together");
	qsort(p->entries, p->n, sizeof(*p->entries), by_name);
	return check_twins(p, fault);
}

/* Memory is libzip's own fault, all else the file's. */
static enum err zip_failed(zip_error_t *ze, struct ofd_fault *fault)
{
	int code = zip_error_code_zip(ze);

	zip_error_fini(ze);
	if (code == ZIP_ER_MEMORY)
		return ERR_NO_MEMORY;
	if (code == ZIP_ER_EXISTS)
		return refuse(fault, "DUPLICATE_ENTRY", NULL);
	return refuse(fault, "PACKAGE_BROKEN",
	              code == ZIP_ER_INCONS ? "directory and entries contradict one another" : NULL);
}

static enum err open_zip(struct span bytes, zip_t **out, struct ofd_fault *fault)
{
	zip_error_t ze;
	zip_source_t *source;

	zip_error_init(&ze);
	source = zip_source_buffer_create(bytes.ptr, bytes.len, 0, &ze);
	if (source == NULL)
		return zip_failed(&ze, fault);
	*out = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &ze);
	if (*out == NULL) {
		zip_source_free(source);
		return zip_failed(&ze, fault);
	}
	zip_error_fini(&ze);
	return ERR_OK;
}

enum err ofd_package_open(struct arena *a, struct span bytes, struct deviations *list, struct ofd_package **out,
                          struct ofd_fault *fault)
{
	struct ofd_package *p = arena_alloc(a, sizeof(*p));
	zip_t *zip = NULL;
	enum err e;

	if (p == NULL)
		return ERR_BUDGET;
	p->arena = a;
	p->packed = bytes.len;
	e = find_directory(bytes, fault);
	if (e == ERR_OK)
		e = open_zip(bytes, &zip, fault);
	p->zip = zip;
	if (e == ERR_OK)
		e = list_entries(p, list, fault);
	if (e == ERR_OK)
		*out = p;
	else
		ofd_package_close(p);
	return e;
}

void ofd_package_close(struct ofd_package *p)
{
	if (p == NULL || p->zip == NULL)
		return;
	zip_discard(p->zip);
	p->zip = NULL;
}

struct ofd_entry *ofd_find(const struct ofd_package *p, const char *name)
{
	const struct ofd_entry key = {.name = name};

	return p->n != 0 ? bsearch(&key, p->entries, p->n, sizeof(key), by_name) : NULL;
}

/* ---- contents ---- */

/* Exactly the bytes that the directory announced, with a right checksum (libzip compares it at the end), to `take`. */
static enum err pass(struct ofd_package *p, const struct ofd_entry *e, enum err (*take)(void *arg, struct span piece),
                     void *arg)
{
	zip_file_t *f = zip_fopen_index(p->zip, e->index, 0);
	uint8_t chunk[CHUNK];
	uint64_t done = 0;
	zip_int64_t n = -1;
	enum err err = f != NULL ? ERR_OK : ERR_FORMAT;

	while (err == ERR_OK) {
		n = zip_fread(f, chunk, sizeof(chunk));
		if (n <= 0)
			break;
		done += (uint64_t)n;
		err = done <= e->size ? take(arg, span_of(chunk, (size_t)n)) : ERR_FORMAT;
	}
	if (err == ERR_OK && (n != 0 || done != e->size))
		err = ERR_FORMAT;
	if (f != NULL)
		zip_fclose(f);
	return err;
}

struct cursor {
	uint8_t *to;
};

static enum err take_copy(void *arg, struct span piece)
{
	struct cursor *c = arg;

	memcpy(c->to, piece.ptr, piece.len);
	c->to += piece.len;
	return ERR_OK;
}

enum err ofd_read(struct ofd_package *p, struct arena *a, const struct ofd_entry *e, size_t max, struct span *out,
                  struct ofd_fault *fault)
{
	struct cursor c;
	uint8_t *copy;
	enum err err;

	if (e->size > max || e->size > OFD_READ_MAX - p->held)
		return refuse(fault, "TOO_LARGE", shown(p->arena, e->name));
	p->held += (size_t)e->size;
	copy = arena_alloc(a, (size_t)e->size);
	if (copy == NULL)
		return ERR_BUDGET;
	c.to = copy;
	err = pass(p, e, take_copy, &c);
	if (err == ERR_OK)
		*out = span_of(copy, (size_t)e->size);
	return err == ERR_FORMAT ? refuse(fault, "PACKAGE_BROKEN", shown(p->arena, e->name)) : err;
}

enum err ofd_peek(struct ofd_package *p, const struct ofd_entry *e, uint8_t *to, size_t n, size_t *len,
                  struct ofd_fault *fault)
{
	zip_file_t *f = zip_fopen_index(p->zip, e->index, 0);
	zip_int64_t got = f != NULL ? zip_fread(f, to, n) : -1;

	if (f != NULL)
		zip_fclose(f);
	if (got < 0)
		return refuse(fault, "PACKAGE_BROKEN", shown(p->arena, e->name));
	*len = (size_t)got;
	return ERR_OK;
}

static enum err take_digest(void *arg, struct span piece)
{
	return digest_run_add(arg, piece);
}

static void keep_digests(struct ofd_entry *e, unsigned algs, const struct run_digests *d)
{
	for (size_t i = 0; i < RUN_ALGS; i++)
		if ((algs & RUN_BIT(i)) != 0)
			memcpy(e->digests.value[i], d->value[i], RUN_LEN_MAX);
	e->digested |= algs;
}

enum err ofd_digest(struct ofd_package *p, struct ofd_entry *e, unsigned algs, struct ofd_fault *fault)
{
	struct digest_run *run = NULL;
	struct run_digests d;
	enum err err;

	algs &= ~e->digested;
	if (algs == 0)
		return ERR_OK;
	if (e->broken)
		return refuse(fault, "PACKAGE_BROKEN", shown(p->arena, e->name));
	err = digest_run_new(algs, &run);
	if (err == ERR_OK)
		err = pass(p, e, take_digest, run);
	if (err == ERR_OK)
		err = digest_run_done(run, &d);
	if (err == ERR_OK)
		keep_digests(e, algs, &d);
	digest_run_free(run);
	e->broken = err == ERR_FORMAT;
	return err == ERR_FORMAT ? refuse(fault, "PACKAGE_BROKEN", shown(p->arena, e->name)) : err;
}
