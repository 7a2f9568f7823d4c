/* Packages for fuzz targets, made of a list of files: name, NUL, contents, and the byte 0x01 between files. */
#ifndef YZ_TESTS_FUZZ_PACK_H
#define YZ_TESTS_FUZZ_PACK_H

#include <zip.h>

#include "fuzz_form.h"

#include "form/ofd.h"

enum { FUZZ_PACK_BUDGET = 64 * 1024 * 1024, FUZZ_PACK_FILES = 32 };

/* One file of the list; where the next begins. */
static inline const uint8_t *fuzz_pack_one(zip_t *z, const uint8_t *at, const uint8_t *end)
{
	const uint8_t *nul = memchr(at, 0, (size_t)(end - at)), *stop;

	if (nul == NULL || nul - at > OFD_NAME_MAX)
		return end;
	stop = memchr(nul + 1, 1, (size_t)(end - nul - 1));
	stop = stop != NULL ? stop : end;
	zip_source_t *s = zip_source_buffer(z, nul + 1, (zip_uint64_t)(stop - nul - 1), 0);
	if (s != NULL && zip_file_add(z, (const char *)at, s, 0) < 0)
		zip_source_free(s);
	return stop < end ? stop + 1 : end;
}

/* The list as a package, which the caller frees, so that reads past its end are seen; empty when libzip refuses it. */
static inline struct span fuzz_pack(const uint8_t *at, const uint8_t *end)
{
	zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *z = s != NULL ? zip_open_from_source(s, ZIP_TRUNCATE, NULL) : NULL;
	struct zip_stat st;
	uint8_t *zip = NULL;

	MUST(z != NULL);
	zip_source_keep(s);
	for (int i = 0; i < FUZZ_PACK_FILES && at < end; i++)
		at = fuzz_pack_one(z, at, end);
	if (zip_close(z) != 0) {
		zip_discard(z);
	} else if (zip_source_stat(s, &st) == 0 && zip_source_open(s) == 0) {
		zip = malloc(st.size);
		MUST(zip != NULL && zip_source_read(s, zip, st.size) == (zip_int64_t)st.size);
		zip_source_close(s);
	}
	zip_source_free(s);
	return zip != NULL ? span_of(zip, st.size) : span_of(NULL, 0);
}

#endif
