#include "picture/jpeg.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
/* after jpeglib.h */
#include <jerror.h>

enum { SCANS_MAX = 64, WARNINGS_MAX = 16, WORK_MAX = 96 << 20 };

struct run {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf back;
	struct arena *arena;
	struct image img;
	enum err code;
	char text[JMSG_LENGTH_MAX];
};

static void stop(struct run *r, enum err code, const char *text)
{
	r->code = code;
	snprintf(r->text, sizeof(r->text), "%s", text);
	longjmp(r->back, 1);
}

static void on_error(j_common_ptr jpeg)
{
	struct run *r = jpeg->client_data;
	char text[JMSG_LENGTH_MAX];

	jpeg->err->format_message(jpeg, text);
	/* What a progressive picture needs to be kept whole has a bound: max_memory_to_use. */
	stop(r, jpeg->err->msg_code == JERR_NO_BACKING_STORE ? ERR_TOO_LARGE : ERR_IMAGE_INVALID, text);
}

/* level -1 is a warning: the library goes on with made-up pixels. */
static void on_message(j_common_ptr jpeg, int level)
{
	if (level >= 0)
		return;
	jpeg->err->num_warnings++;
	if (jpeg->err->msg_code == JWRN_JPEG_EOF || jpeg->err->num_warnings > WARNINGS_MAX)
		on_error(jpeg);
}

static void on_output(j_common_ptr jpeg)
{
	(void)jpeg;
}

/* A progressive file may name thousands of scans over the whole picture. */
static void on_progress(j_common_ptr jpeg)
{
	struct run *r = jpeg->client_data;

	if (r->jpeg.input_scan_number > SCANS_MAX)
		stop(r, ERR_IMAGE_INVALID, "too many scans");
}

static void read_header(struct run *r, struct span bytes, struct err_note *note)
{
	enum err e;

	r->jpeg.mem->max_memory_to_use = WORK_MAX;
	r->jpeg.progress = &r->progress;
	r->progress.progress_monitor = on_progress;
	jpeg_mem_src(&r->jpeg, bytes.ptr, (unsigned long)bytes.len);
	jpeg_read_header(&r->jpeg, TRUE);
	e = image_check_size(r->jpeg.image_width, r->jpeg.image_height, note);
	if (e != ERR_OK)
		stop(r, e, "");
	if (r->jpeg.jpeg_color_space == JCS_CMYK || r->jpeg.jpeg_color_space == JCS_YCCK)
		stop(r, ERR_IMAGE_INVALID, "CMYK pictures are not read");
}

static void read_pixels(struct run *r)
{
	r->jpeg.out_color_space = JCS_GRAYSCALE;
	jpeg_start_decompress(&r->jpeg);
	if (r->jpeg.output_components != 1)
		stop(r, ERR_IMAGE_INVALID, "an unexpected colour space");
	if (image_new(r->arena, r->jpeg.output_width, r->jpeg.output_height, IMAGE_GREY, &r->img) != ERR_OK)
		stop(r, ERR_BUDGET, "");
	while (r->jpeg.output_scanline < r->jpeg.output_height) {
		JSAMPROW row = r->img.pix + (size_t)r->jpeg.output_scanline * r->img.width;

		jpeg_read_scanlines(&r->jpeg, &row, 1);
	}
	jpeg_finish_decompress(&r->jpeg);
}

enum err jpeg_read(struct arena *a, struct span bytes, struct image *out, struct err_note *note)
{
	/* In the arena, because the library's structs are large and must survive the jump back. */
	struct run *r = arena_alloc(a, sizeof(*r));

	if (r == NULL)
		return ERR_BUDGET;
	r->arena = a;
	r->jpeg.err = jpeg_std_error(&r->errors);
	r->errors.error_exit = on_error;
	r->errors.emit_message = on_message;
	r->errors.output_message = on_output;
	r->jpeg.client_data = r;
	if (setjmp(r->back) == 0) {
		jpeg_create_decompress(&r->jpeg);
		read_header(r, bytes, note);
		read_pixels(r);
		r->code = ERR_OK;
		*out = r->img;
	}
	jpeg_destroy_decompress(&r->jpeg);
	if (r->code == ERR_IMAGE_INVALID)
		return err_note_set(note, r->code, NULL, "The JPEG is broken: %s.", r->text);
	if (r->code == ERR_TOO_LARGE && r->text[0] != '\0')
		return err_note_set(note, r->code, NULL, "The progressive JPEG needs more memory than allowed.");
	return r->code;
}
