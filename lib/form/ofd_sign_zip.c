/* The new package: libzip takes over the packed bytes of every entry that stays. */
#include <stdlib.h>
#include <zip.h>

#include "form/ofd_sign.h"

static enum err put_part(zip_t *zip, const struct ofd_part *part, struct span bytes, int64_t time)
{
	zip_source_t *source = zip_source_buffer(zip, bytes.ptr, bytes.len, 0);
	zip_int64_t i = (zip_int64_t)part->index;

	if (source == NULL)
		return ERR_NO_MEMORY;
	if (!part->replaces)
		i = zip_file_add(zip, part->name, source, ZIP_FL_ENC_UTF_8);
	else if (zip_file_replace(zip, part->index, source, 0) != 0)
		i = -1;
	if (i < 0) {
		zip_source_free(source);
		return ERR_INTERNAL;
	}
	return zip_file_set_mtime(zip, (zip_uint64_t)i, (time_t)(time / 1000), 0) == 0 ? ERR_OK : ERR_INTERNAL;
}

static enum err put_parts(zip_t *zip, const struct ofd_signing *s, struct span value)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < s->n_parts; i++)
		e = put_part(zip, &s->parts[i], i + 1 < s->n_parts ? s->parts[i].bytes : value, s->time);
	return e;
}

static enum err take_out(struct arena *a, zip_source_t *source, struct span *out)
{
	zip_stat_t st;
	uint8_t *copy;
	enum err e = ERR_INTERNAL;

	if (zip_source_stat(source, &st) != 0 || (st.valid & ZIP_STAT_SIZE) == 0 || zip_source_open(source) != 0)
		return ERR_INTERNAL;
	copy = arena_alloc(a, (size_t)st.size);
	if (copy == NULL)
		e = ERR_BUDGET;
	else if (zip_source_read(source, copy, st.size) == (zip_int64_t)st.size)
		e = ERR_OK;
	zip_source_close(source);
	if (e == ERR_OK)
		*out = span_of(copy, (size_t)st.size);
	return e;
}

/* Its own copy of the bytes: where a package begins with entries that stay, libzip 1.7 hands their memory on to what it
 * writes and frees it with that, even when it was told that it is not its own. */
static zip_source_t *source_of(struct span bytes, zip_error_t *ze)
{
	void *copy = malloc(bytes.len);
	zip_source_t *source = NULL;

	if (copy != NULL) {
		memcpy(copy, bytes.ptr, bytes.len);
		source = zip_source_buffer_create(copy, bytes.len, 1, ze);
	}
	if (source == NULL)
		free(copy);
	return source;
}

enum err ofd_sign_finish(struct arena *a, const struct ofd_signing *s, struct span value, struct span *out)
{
	zip_error_t ze;
	zip_source_t *source;
	zip_t *zip;
	enum err e;

	zip_error_init(&ze);
	source = source_of(s->package, &ze);
	zip = source != NULL ? zip_open_from_source(source, 0, &ze) : NULL;
	zip_error_fini(&ze);
	if (zip == NULL) {
		zip_source_free(source);
		return source != NULL ? ERR_INTERNAL : ERR_NO_MEMORY;
	}
	zip_source_keep(source); /* what close() writes is read from it */
	e = put_parts(zip, s, value);
	if (e != ERR_OK)
		zip_discard(zip);
	else if (zip_close(zip) != 0) {
		zip_discard(zip);
		e = ERR_INTERNAL;
	} else
		e = take_out(a, source, out);
	zip_source_free(source);
	return e;
}
