#include "picture/image.h"

#include "picture/jpeg.h"
#include "picture/png.h"

enum image_kind image_kind_of(struct span bytes)
{
	static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	static const uint8_t jpeg[3] = {0xff, 0xd8, 0xff};

	if (span_eq(span_sub(bytes, 0, sizeof(png)), span_of(png, sizeof(png))))
		return IMAGE_PNG;
	if (span_eq(span_sub(bytes, 0, sizeof(jpeg)), span_of(jpeg, sizeof(jpeg))))
		return IMAGE_JPEG;
	return IMAGE_UNKNOWN;
}

enum err image_check_size(uint32_t width, uint32_t height, struct err_note *note)
{
	if (width == 0 || height == 0)
		return err_note_set(note, ERR_IMAGE_INVALID, NULL, "The image has no pixels.");
	if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || (uint64_t)width * height > IMAGE_MAX_PIXELS)
		return err_note_set(note, ERR_TOO_LARGE, NULL,
		                    "The image is %u x %u pixels; at most %d million pixels and %d a side are read.",
		                    (unsigned)width, (unsigned)height, IMAGE_MAX_PIXELS / 1000000, IMAGE_MAX_SIDE);
	return ERR_OK;
}

enum err image_new(struct arena *a, uint32_t width, uint32_t height, enum image_form form, struct image *out)
{
	size_t len = (size_t)width * height * form;
	enum err e = image_check_size(width, height, NULL);
	uint8_t *pix;

	if (e != ERR_OK)
		return e;
	pix = arena_alloc(a, len);
	if (pix == NULL)
		return ERR_BUDGET;
	memset(pix, 0xff, len);
	*out = (struct image){width, height, form, pix};
	return ERR_OK;
}

enum err image_read_grey(struct arena *a, struct span bytes, struct image *out, struct err_note *note)
{
	switch (image_kind_of(bytes)) {
	case IMAGE_PNG:
		return png_read(a, bytes, IMAGE_GREY, out, note);
	case IMAGE_JPEG:
		return jpeg_read(a, bytes, out, note);
	case IMAGE_UNKNOWN:
		break;
	}
	return err_note_set(note, ERR_IMAGE_INVALID, NULL, "The file is neither PNG nor JPEG.");
}
