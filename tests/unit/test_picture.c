/* Pictures: codes drawn and read back, files that must be refused. */
#include "picture_help.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "base/clock.h"
#include "base/file.h"
#include "picture/jpeg.h"
#include "picture/png.h"
#include "picture/qr_draw.h"
#include "picture/qr_scan.h"

#define ALNUM   "YZ1ABCDEFGHJKMNPQRSTVWXYZ0123456789"
#define CHINESE "印证：电子证照，某某市某某区 A1"

static struct qr encode(const char *text, enum qr_level level)
{
	struct qr qr = {0};

	assert_int_equal(qr_encode(a, span_str(text), level, &qr, &note), ERR_OK);
	return qr;
}

static struct span code_png(const char *text, unsigned px)
{
	struct qr qr = encode(text, QR_Q);
	struct span png = {0};

	assert_int_equal(qr_png(a, &qr, px, &png), ERR_OK);
	return png;
}

static struct image read_png(struct span png, enum image_form form)
{
	struct image img = {0};

	assert_int_equal(png_read(a, png, form, &img, &note), ERR_OK);
	return img;
}

static struct span write_png(const struct image *img)
{
	struct span png = {0};

	assert_int_equal(png_write(a, img, 0, &png), ERR_OK);
	return png;
}

static struct span write_jpeg(const struct image *img, int quality, bool progressive)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr errors;
	unsigned char *out = NULL;
	unsigned long len = 0;
	struct span copy;

	c.err = jpeg_std_error(&errors);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &out, &len);
	c.image_width = img->width;
	c.image_height = img->height;
	c.input_components = 1;
	c.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, quality, TRUE);
	if (progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	while (c.next_scanline < c.image_height) {
		JSAMPROW row = img->pix + (size_t)c.next_scanline * img->width;

		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	copy = arena_dup(a, span_of(out, len));
	free(out);
	return copy;
}

static void expect_scan(struct span picture, const char *text)
{
	struct span got = {0};

	assert_int_equal(qr_scan_one(a, picture, &got, &note), ERR_OK);
	assert_int_equal(got.len, strlen(text));
	assert_memory_equal(got.ptr, text, got.len);
}

static enum err scan(struct span picture)
{
	struct span got = {0};
	enum err e = qr_scan_one(a, picture, &got, &note);

	assert_null(got.ptr);
	return e;
}

/* ---- drawing and reading back --------------------------------------------------------------- */

static void test_png_round_trip(void **state)
{
	unsigned px;

	(void)state;
	for (px = 1; px <= 10; px++) {
		expect_scan(code_png(ALNUM, px), ALNUM);
		expect_scan(code_png(CHINESE, px), CHINESE);
	}
}

static void test_levels(void **state)
{
	static const enum qr_level levels[] = {QR_L, QR_M, QR_Q, QR_H};
	static const char text[] = "AN OFFLINE CODE IS MUCH LONGER THAN A TOKEN, SO THAT EACH LEVEL OF CORRECTION NEEDS A "
	                           "LARGER SYMBOL THAN THE ONE BEFORE IT";
	unsigned last = 0;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct qr qr = encode(text, levels[i]);

		assert_true(qr.version > last);
		assert_int_equal(qr.size, 17 + 4 * qr.version);
		last = qr.version;
	}
}

static void test_alphanumeric_is_compact(void **state)
{
	(void)state;
	assert_true(encode("ABCDEFGHIJKLMNOPQRSTUVWXYZ01", QR_Q).version <
	            encode("abcdefghijklmnopqrstuvwxyz01", QR_Q).version);
}

static void test_jpeg_round_trip(void **state)
{
	struct image img;

	(void)state;
	img = read_png(code_png(ALNUM, 5), IMAGE_GREY);
	expect_scan(write_jpeg(&img, 60, false), ALNUM);
	expect_scan(write_jpeg(&img, 60, true), ALNUM);
	img = read_png(code_png(CHINESE, 4), IMAGE_GREY);
	expect_scan(write_jpeg(&img, 40, false), CHINESE);
}

static void test_inverted_and_noisy(void **state)
{
	struct image img;
	size_t i, n;

	(void)state;
	img = read_png(code_png(ALNUM, 4), IMAGE_GREY);
	n = (size_t)img.width * img.height;
	for (i = 0; i < n; i++)
		img.pix[i] = (uint8_t)(255 - img.pix[i]);
	expect_scan(write_png(&img), ALNUM);
	/* A shadow over the picture: black turns to 30..90, white to 60..180. */
	for (i = 0; i < n; i++)
		img.pix[i] = (uint8_t)((img.pix[i] == 0 ? 60 : 30) * (1 + 2.0 * (double)(i % img.width) / img.width));
	expect_scan(write_png(&img), ALNUM);
}

static void test_large_photo(void **state)
{
	struct image big = {0}, img;
	uint32_t y;

	(void)state;
	img = read_png(code_png(ALNUM, 3), IMAGE_GREY);
	assert_int_equal(image_new(a, 6000, 4000, IMAGE_GREY, &big), ERR_OK);
	for (y = 0; y < img.height; y++)
		memcpy(big.pix + (size_t)(2000 + y) * big.width + 4100, img.pix + (size_t)y * img.width, img.width);
	expect_scan(write_png(&big), ALNUM);
}

static void test_svg_and_terminal(void **state)
{
	struct qr qr;
	struct span svg = {0};
	char *text = NULL;
	size_t lines = 0, i;

	(void)state;
	qr = encode("A", QR_L);
	assert_int_equal(qr_svg(a, &qr, &svg), ERR_OK);
	assert_non_null(memmem(svg.ptr, svg.len, "viewBox=\"0 0 29 29\"", 19));
	assert_int_equal(qr_terminal(a, &qr, false, &text), ERR_OK);
	assert_null(strchr(text, '\033'));
	for (i = 0; text[i] != '\0'; i++)
		lines += text[i] == '\n';
	assert_int_equal(lines, 15);
	assert_int_equal(strncmp(text, "█████", strlen("█████")), 0);
	assert_int_equal(qr_terminal(a, &qr, true, &text), ERR_OK);
	assert_non_null(strstr(text, "\033[0m\n"));
}

/* What a terminal shows, 8 pixels a module: `paper` where nothing is inked. */
static struct span terminal_png(const char *text, unsigned side, uint8_t ink, uint8_t paper)
{
	struct image img = {0};
	unsigned x = 0, y = 0, px, py;

	assert_int_equal(image_new(a, side * 8, (side + 1) * 8, IMAGE_GREY, &img), ERR_OK);
	while (*text != '\0') {
		static const char *const blocks[] = {" ", "▄", "▀", "█"};
		unsigned k;

		if (*text == '\033') {
			text = strchr(text, 'm') + 1;
			continue;
		}
		if (*text == '\n') {
			x = 0;
			y += 2;
			text++;
			continue;
		}
		for (k = 3; strncmp(text, blocks[k], strlen(blocks[k])) != 0; k--)
			assert_int_not_equal(k, 0);
		for (py = 0; py < 16; py++)
			for (px = 0; px < 8; px++)
				img.pix[(size_t)(y * 8 + py) * img.width + x * 8 + px] = (k & (py < 8 ? 2u : 1u)) != 0 ? ink : paper;
		text += strlen(blocks[k]);
		x++;
	}
	return write_png(&img);
}

static void test_terminal_is_readable(void **state)
{
	struct qr qr = encode(ALNUM, QR_Q);
	unsigned side = qr.size + 2 * QR_QUIET;
	char *text = NULL;

	(void)state;
	assert_int_equal(qr_terminal(a, &qr, true, &text), ERR_OK);
	expect_scan(terminal_png(text, side, 0, 255), ALNUM);
	assert_int_equal(qr_terminal(a, &qr, false, &text), ERR_OK);
	expect_scan(terminal_png(text, side, 220, 30), ALNUM);
	expect_scan(terminal_png(text, side, 30, 240), ALNUM); /* inverted, on a light terminal */
}

static void test_draw_refuses(void **state)
{
	struct qr qr = {0};
	struct span out = {0};
	char *longest = arena_alloc(a, 3000);

	(void)state;
	assert_int_equal(qr_encode(a, span_str(""), QR_Q, &qr, &note), ERR_FIELD_MISSING);
	assert_int_equal(qr_encode(a, span_of("A\0B", 3), QR_Q, &qr, &note), ERR_TEXT_INVALID);
	assert_int_equal(qr_encode(a, span_str("\xff\xfe"), QR_Q, &qr, &note), ERR_TEXT_INVALID);
	memset(longest, 'a', 2954);
	assert_int_equal(qr_encode(a, span_of(longest, 2954), QR_L, &qr, &note), ERR_TOO_LARGE);
	assert_int_equal(qr_encode(a, span_of(longest, 2000), QR_H, &qr, &note), ERR_TOO_LARGE);
	assert_null(qr.modules);
	assert_int_equal(qr_encode(a, span_of(longest, 2953), QR_L, &qr, &note), ERR_OK);
	assert_int_equal(qr.version, 40);
	assert_int_equal(qr_png(a, &qr, 0, &out), ERR_FIELD_INVALID);
	assert_int_equal(qr_png(a, &qr, 65, &out), ERR_FIELD_INVALID);
}

/* ---- how many codes ------------------------------------------------------------------------- */

static struct image blank(uint32_t width, uint32_t height)
{
	struct image img = {0};

	assert_int_equal(image_new(a, width, height, IMAGE_GREY, &img), ERR_OK);
	return img;
}

/* Two codes side by side. */
static struct span pair_png(const char *left, const char *right)
{
	struct image l = read_png(code_png(left, 5), IMAGE_GREY), r = read_png(code_png(right, 5), IMAGE_GREY);
	struct image both = blank(l.width + r.width, l.height > r.height ? l.height : r.height);
	uint32_t y;

	for (y = 0; y < l.height; y++)
		memcpy(both.pix + (size_t)y * both.width, l.pix + (size_t)y * l.width, l.width);
	for (y = 0; y < r.height; y++)
		memcpy(both.pix + (size_t)y * both.width + l.width, r.pix + (size_t)y * r.width, r.width);
	return write_png(&both);
}

static void test_none_and_several(void **state)
{
	struct image img = blank(300, 200);
	struct qr_scan all = {0};

	(void)state;
	assert_int_equal(scan(write_png(&img)), ERR_QR_NONE);
	img = blank(1, 1);
	assert_int_equal(scan(write_png(&img)), ERR_QR_NONE);
	assert_int_equal(scan(pair_png("FIRST", "SECOND")), ERR_QR_SEVERAL);
	assert_int_equal(qr_scan_all(a, pair_png("FIRST", "SECOND"), &all, &note), ERR_OK);
	assert_int_equal(all.count, 2);
	/* The same code twice leaves no doubt. */
	expect_scan(pair_png("SAME", "SAME"), "SAME");
}

/* ---- broken and hostile files --------------------------------------------------------------- */

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* The check sum of PNG chunks, bit by bit. */
static uint32_t crc_of(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;
	int bit;

	for (; n > 0; n--, p++)
		for (crc ^= *p, bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	return ~crc;
}

/* A PNG of another size than its pixels have, with a right check sum over the header. */
static struct span with_size(struct span png, uint32_t width, uint32_t height)
{
	uint8_t *p = arena_alloc(a, png.len);

	assert_non_null(p);
	memcpy(p, png.ptr, png.len);
	put32(p + 16, width);
	put32(p + 20, height);
	put32(p + 29, crc_of(p + 12, 17));
	return span_of(p, png.len);
}

static void test_png_bomb(void **state)
{
	struct span bomb = with_size(code_png("A", 4), 20000, 20000);
	size_t used = arena_used(a);
	int64_t from = clock_monotonic_ms();

	(void)state;
	assert_int_equal(scan(bomb), ERR_TOO_LARGE);
	assert_true(clock_monotonic_ms() - from < 100);
	assert_true(arena_used(a) - used < 4096);
	assert_non_null(strstr(note.help, "20000 x 20000"));
	assert_int_equal(scan(with_size(bomb, 40000, 1)), ERR_TOO_LARGE);
	assert_int_equal(scan(with_size(bomb, 0x7fffffff, 0x7fffffff)), ERR_IMAGE_INVALID);
	assert_int_equal(scan(with_size(bomb, 0xffffffff, 1)), ERR_IMAGE_INVALID);
	assert_int_equal(scan(with_size(bomb, 0, 5)), ERR_IMAGE_INVALID);
	/* More rows than there is data for. */
	assert_int_equal(scan(with_size(bomb, 116, 3000)), ERR_IMAGE_INVALID);
}

static void test_png_budget(void **state)
{
	struct image img = blank(2000, 2000);
	struct span png = write_png(&img);
	struct arena *small = arena_new(1 << 20);

	(void)state;
	assert_int_equal(png_read(small, png, IMAGE_GREY, &img, &note), ERR_BUDGET);
	assert_int_equal(png_write(small, &img, 0, &png), ERR_OK);
	arena_free(small);
}

static void test_png_truncated(void **state)
{
	struct span png = code_png(ALNUM, 3);
	size_t n;

	(void)state;
	for (n = 0; n < png.len; n++)
		assert_int_equal(scan(span_sub(png, 0, n)), ERR_IMAGE_INVALID);
}

/* Every byte of the file is under a check sum, is one, or is a signature or length. */
static void test_png_flipped(void **state)
{
	struct span png = code_png("A", 2);
	uint8_t *p = arena_alloc(a, png.len);
	struct span got;
	size_t i;

	(void)state;
	memcpy(p, png.ptr, png.len);
	for (i = 0; i < png.len; i++) {
		p[i] ^= 0x10;
		assert_int_not_equal(qr_scan_one(a, span_of(p, png.len), &got, &note), ERR_OK);
		p[i] ^= 0x10;
	}
}

static void test_jpeg_broken(void **state)
{
	struct image img = read_png(code_png(ALNUM, 4), IMAGE_GREY);
	struct span jpeg = write_jpeg(&img, 80, false);
	uint8_t *p = arena_alloc(a, jpeg.len);
	size_t n, sof;

	(void)state;
	for (n = 0; n < jpeg.len - 2; n += 7)
		assert_int_equal(scan(span_sub(jpeg, 0, n)), ERR_IMAGE_INVALID);
	memcpy(p, jpeg.ptr, jpeg.len);
	sof = (size_t)((const uint8_t *)memmem(p, jpeg.len, "\xff\xc0\x00\x0b\x08", 5) - p);
	put32(p + sof + 5, 20000u << 16 | 20000);
	assert_int_equal(scan(span_of(p, jpeg.len)), ERR_TOO_LARGE);
	put32(p + sof + 5, 60000u << 16 | 600);
	assert_int_equal(scan(span_of(p, jpeg.len)), ERR_TOO_LARGE);
	put32(p + sof + 5, 20);
	assert_int_equal(scan(span_of(p, jpeg.len)), ERR_IMAGE_INVALID);
}

/* A progressive file whose last scan is given again and again. */
static void test_jpeg_scans(void **state)
{
	struct image img = blank(64, 64);
	struct span jpeg = write_jpeg(&img, 80, true);
	const uint8_t *last = jpeg.ptr + jpeg.len - 2, *sos = last;
	size_t scan_len, i;
	uint8_t *p, *to;

	(void)state;
	while (sos[0] != 0xff || sos[1] != 0xda)
		sos--;
	scan_len = (size_t)(last - sos);
	p = arena_alloc(a, jpeg.len + 1000 * scan_len);
	memcpy(p, jpeg.ptr, jpeg.len - 2);
	to = p + jpeg.len - 2;
	for (i = 0; i < 1000; i++, to += scan_len)
		memcpy(to, sos, scan_len);
	memcpy(to, "\xff\xd9", 2);
	assert_int_equal(scan(span_of(p, (size_t)(to + 2 - p))), ERR_IMAGE_INVALID);
}

static void test_other_files(void **state)
{
	(void)state;
	assert_int_equal(scan(span_str("")), ERR_IMAGE_INVALID);
	assert_int_equal(scan(span_str("GIF89a")), ERR_IMAGE_INVALID);
	assert_int_equal(scan(span_str("\x89PNG\r\n\x1a\n")), ERR_IMAGE_INVALID);
	assert_int_equal(scan(span_str("\xff\xd8\xff")), ERR_IMAGE_INVALID);
}

/* ---- photographs made by others ------------------------------------------------------------- */

static bool photo_is_read(const char *stem)
{
	struct arena *own = arena_new(256 << 20);
	char path[512];
	struct span picture, want, got;
	bool hit;

	snprintf(path, sizeof(path), "%s.png", stem);
	hit = file_read(own, path, IMAGE_MAX_FILE, &picture, NULL) == ERR_OK;
	snprintf(path, sizeof(path), "%s.txt", stem);
	hit = hit && file_read(own, path, 65536, &want, NULL) == ERR_OK &&
	      qr_scan_one(own, picture, &got, NULL) == ERR_OK && span_eq(got, want);
	arena_free(own);
	return hit;
}

static void test_photographs(void **state)
{
	static const struct {
		int set, count;
	} sets[] = {{1, 20}, {3, 42}, {5, 19}};
	const char *shared = getenv("SHARED") != NULL ? getenv("SHARED") : "../shared";
	char stem[300];
	size_t i;
	FILE *f;

	(void)state;
	snprintf(stem, sizeof(stem), "%s/corpus/qr/qrcode-1/1.png", shared);
	f = fopen(stem, "rb");
	if (f == NULL) {
		puts("note: corpus absent, skipped");
		return;
	}
	fclose(f);
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int n, hits = 0;

		for (n = 1; n <= sets[i].count; n++) {
			/* The first set numbers without leading zeros. */
			snprintf(stem, sizeof(stem), "%s/corpus/qr/qrcode-%d/%0*d", shared, sets[i].set, i == 0 ? 1 : 2, n);
			hits += photo_is_read(stem);
		}
		printf("note: photographs qrcode-%d: %d of %d read\n", sets[i].set, hits, sets[i].count);
		assert_int_equal(hits, sets[i].count);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_png_round_trip),
	    T(test_levels),
	    T(test_alphanumeric_is_compact),
	    T(test_jpeg_round_trip),
	    T(test_inverted_and_noisy),
	    T(test_large_photo),
	    T(test_svg_and_terminal),
	    T(test_terminal_is_readable),
	    T(test_draw_refuses),
	    T(test_none_and_several),
	    T(test_png_bomb),
	    T(test_png_budget),
	    T(test_png_truncated),
	    T(test_png_flipped),
	    T(test_jpeg_broken),
	    T(test_jpeg_scans),
	    T(test_other_files),
	    T(test_photographs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
