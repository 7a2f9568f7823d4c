#include "picture/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>

#include "base/buf.h"

enum { CHUNK_MAX = 1 << 20, CHUNKS_MAX = 64 };

/* One run of the library. It lives outside the function that calls setjmp(), so that nothing is lost on the jump back.
 */
struct run {
	png_structp png;
	png_infop info;
	jmp_buf back;
	struct arena *arena;
	struct span in;
	struct buf *sink;
	struct image img;
	enum err code; /* what to answer when the library jumps back */
	char text[128];
};

static void on_error(png_structp png, png_const_charp message)
{
	struct run *r = png_get_error_ptr(png);

	/* Chunk names are in the message; libpng prints them as letters or hex only. */
	snprintf(r->text, sizeof(r->text), "%s", message);
	longjmp(r->back, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
	struct run *r = png_get_io_ptr(png);

	if (n > r->in.len)
		png_error(png, "the file ends too early");
	memcpy(to, r->in.ptr, n);
	r->in = span_sub(r->in, n, r->in.len);
}

static void on_write(png_structp png, png_bytep from, size_t n)
{
	struct run *r = png_get_io_ptr(png);

	buf_add(r->sink, span_of(from, n));
}

static void on_flush(png_structp png)
{
	(void)png;
}

static void fail(struct run *r, enum err code, const char *text)
{
	r->code = code;
	png_error(r->png, text);
}

static void read_header(struct run *r, struct err_note *note)
{
	uint32_t width, height;
	enum err e;

	png_set_user_limits(r->png, IMAGE_MAX_SIDE * 8u, IMAGE_MAX_SIDE * 8u);
	png_set_chunk_malloc_max(r->png, CHUNK_MAX);
	png_set_chunk_cache_max(r->png, CHUNKS_MAX);
	png_set_crc_action(r->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
	png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_set_read_fn(r->png, r, on_read);
	png_read_info(r->png, r->info);
	width = png_get_image_width(r->png, r->info);
	height = png_get_image_height(r->png, r->info);
	e = image_check_size(width, height, note);
	if (e != ERR_OK)
		fail(r, e, "");
	r->img.width = width;
	r->img.height = height;
}

/* Asks libpng for 8 bits in the wanted form, whatever the file holds. */
static void set_transforms(struct run *r)
{
	png_color_16 white = {.red = 255, .green = 255, .blue = 255, .gray = 255};
	bool colour = (png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_COLOR) != 0;

	png_set_expand(r->png);
	png_set_strip_16(r->png);
	if (r->img.form == IMAGE_GREY) {
		png_set_background(r->png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
		if (colour)
			png_set_rgb_to_gray(r->png, PNG_ERROR_ACTION_NONE, -1, -1);
	} else {
		png_set_gray_to_rgb(r->png);
		png_set_add_alpha(r->png, 0xff, PNG_FILLER_AFTER);
	}
}

static void read_pixels(struct run *r)
{
	int passes, i;
	uint32_t y;
	size_t stride = (size_t)r->img.width * r->img.form;

	set_transforms(r);
	passes = png_set_interlace_handling(r->png);
	png_read_update_info(r->png, r->info);
	if (png_get_rowbytes(r->png, r->info) != stride)
		fail(r, ERR_INTERNAL, "an unexpected layout of rows");
	if (image_new(r->arena, r->img.width, r->img.height, r->img.form, &r->img) != ERR_OK)
		fail(r, ERR_BUDGET, "");
	for (i = 0; i < passes; i++)
		for (y = 0; y < r->img.height; y++)
			png_read_row(r->png, r->img.pix + y * stride, NULL);
	png_read_end(r->png, NULL);
}

static enum err read_run(struct run *r, bool pixels, struct err_note *note)
{
	r->code = ERR_IMAGE_INVALID;
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
	r->info = r->png != NULL ? png_create_info_struct(r->png) : NULL;
	if (r->info == NULL) {
		r->code = ERR_NO_MEMORY;
	} else if (setjmp(r->back) == 0) {
		read_header(r, note);
		if (pixels)
			read_pixels(r);
		r->code = ERR_OK;
	}
	png_destroy_read_struct(&r->png, &r->info, NULL);
	if (r->code == ERR_IMAGE_INVALID && r->text[0] != '\0')
		return err_note_set(note, r->code, NULL, "The PNG is broken: %s.", r->text);
	return r->code;
}

enum err png_read(struct arena *a, struct span bytes, enum image_form form, struct image *out, struct err_note *note)
{
	struct run r = {.arena = a, .in = bytes, .img = {.form = form}};
	enum err e = read_run(&r, true, note);

	if (e == ERR_OK)
		*out = r.img;
	return e;
}

enum err png_size(struct span bytes, uint32_t *width, uint32_t *height, struct err_note *note)
{
	struct run r = {.in = bytes};
	enum err e = read_run(&r, false, note);

	if (e == ERR_OK) {
		*width = r.img.width;
		*height = r.img.height;
	}
	return e;
}

static void write_all(struct run *r, unsigned dpi)
{
	size_t stride = (size_t)r->img.width * r->img.form;
	/* A dot per inch is 39.37 per metre; rounding keeps the number that readers show. */
	uint32_t per_metre = (uint32_t)((dpi * 10000u + 127u) / 254u);
	uint32_t y;

	png_set_write_fn(r->png, r, on_write, on_flush);
	png_set_IHDR(r->png, r->info, r->img.width, r->img.height, 8,
	             r->img.form == IMAGE_GREY ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_NONE,
	             PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (dpi != 0)
		png_set_pHYs(r->png, r->info, per_metre, per_metre, PNG_RESOLUTION_METER);
	png_write_info(r->png, r->info);
	for (y = 0; y < r->img.height; y++)
		png_write_row(r->png, r->img.pix + y * stride);
	png_write_end(r->png, NULL);
}

enum err png_write(struct arena *a, const struct image *img, unsigned dpi, struct span *out)
{
	struct buf sink;
	struct run r = {.sink = &sink, .img = *img, .code = ERR_NO_MEMORY};

	buf_init(&sink, a);
	r.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
	r.info = r.png != NULL ? png_create_info_struct(r.png) : NULL;
	if (r.info != NULL && setjmp(r.back) == 0) {
		write_all(&r, dpi);
		r.code = ERR_OK;
	}
	png_destroy_write_struct(&r.png, &r.info);
	return r.code != ERR_OK ? r.code : buf_done(&sink, out);
}
