#include "picture/qr_prepare.h"

/* Bilinear, positions in 1/256 pixel, edges repeated. */
static uint8_t sample(const struct image *in, int64_t x256, int64_t y256)
{
	int64_t max_x = ((int64_t)in->width - 1) * 256, max_y = ((int64_t)in->height - 1) * 256;
	int64_t x = x256 < 0 ? 0 : x256 > max_x ? max_x : x256, y = y256 < 0 ? 0 : y256 > max_y ? max_y : y256;
	size_t right = x < max_x ? 1 : 0, below = y < max_y ? in->width : 0;
	const uint8_t *p = in->pix + (size_t)(y >> 8) * in->width + (size_t)(x >> 8);
	int64_t fx = x & 255, fy = y & 255;
	int64_t upper = p[0] * (256 - fx) + p[right] * fx;
	int64_t lower = p[below] * (256 - fx) + p[below + right] * fx;

	return (uint8_t)((upper * (256 - fy) + lower * fy + 32768) >> 16);
}

static uint8_t mean_of(const struct image *in, uint32_t x0, uint32_t x1, uint32_t y0, uint32_t y1)
{
	uint64_t sum = 0;
	uint32_t x, y;

	for (y = y0; y < y1; y++)
		for (x = x0; x < x1; x++)
			sum += in->pix[(size_t)y * in->width + x];
	return (uint8_t)(sum / ((uint64_t)(x1 - x0) * (y1 - y0)));
}

static void shrink(const struct image *in, struct image *out)
{
	uint32_t x, y;

	for (y = 0; y < out->height; y++) {
		uint32_t y0 = (uint32_t)((uint64_t)y * in->height / out->height);
		uint32_t y1 = (uint32_t)((uint64_t)(y + 1) * in->height / out->height);

		for (x = 0; x < out->width; x++) {
			uint32_t x0 = (uint32_t)((uint64_t)x * in->width / out->width);
			uint32_t x1 = (uint32_t)((uint64_t)(x + 1) * in->width / out->width);

			out->pix[(size_t)y * out->width + x] = mean_of(in, x0, x1, y0, y1);
		}
	}
}

static void enlarge(const struct image *in, struct image *out)
{
	uint32_t x, y;

	for (y = 0; y < out->height; y++)
		for (x = 0; x < out->width; x++)
			out->pix[(size_t)y * out->width + x] =
			    sample(in, (int64_t)((2 * x + 1) * (uint64_t)in->width * 128 / out->width) - 128,
			           (int64_t)((2 * y + 1) * (uint64_t)in->height * 128 / out->height) - 128);
}

enum err grey_scale(struct arena *a, const struct image *in, uint32_t width, uint32_t height, struct image *out)
{
	struct image img;
	enum err e = image_new(a, width, height, IMAGE_GREY, &img);

	if (e != ERR_OK)
		return e;
	if (width <= in->width && height <= in->height)
		shrink(in, &img);
	else
		enlarge(in, &img);
	*out = img;
	return ERR_OK;
}

/* sums[y][x]: all pixels above and left of (x, y); one column and row more than the picture. The sum over 40 million
 * pixels of 255 overflows 32 bits, and may: only differences over small areas are taken. */
static uint32_t *sums_of(struct arena *a, const struct image *in)
{
	size_t stride = (size_t)in->width + 1, x, y;
	uint32_t *sums = arena_array(a, stride * ((size_t)in->height + 1), sizeof(*sums));

	if (sums == NULL)
		return NULL;
	for (y = 0; y < in->height; y++) {
		uint32_t row = 0;

		for (x = 0; x < in->width; x++) {
			row += in->pix[y * in->width + x];
			sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
		}
	}
	return sums;
}

static uint8_t mean_around(const struct image *in, const uint32_t *sums, uint32_t x, uint32_t y, uint32_t radius)
{
	size_t stride = (size_t)in->width + 1;
	size_t x0 = x > radius ? x - radius : 0, y0 = y > radius ? y - radius : 0;
	size_t x1 = in->width - x > radius ? x + radius + 1 : in->width;
	size_t y1 = in->height - y > radius ? y + radius + 1 : in->height;
	uint32_t sum = sums[y1 * stride + x1] - sums[y0 * stride + x1] - sums[y1 * stride + x0] + sums[y0 * stride + x0];

	return (uint8_t)(sum / ((x1 - x0) * (y1 - y0)));
}

/* The picture and its sums, for those that look at a pixel's surroundings. */
static enum err begin(struct arena *a, const struct image *in, struct image *img, uint32_t **sums)
{
	enum err e = image_new(a, in->width, in->height, IMAGE_GREY, img);

	if (e != ERR_OK)
		return e;
	*sums = sums_of(a, in);
	return *sums != NULL ? ERR_OK : ERR_BUDGET;
}

enum err grey_blur(struct arena *a, const struct image *in, uint32_t radius, struct image *out)
{
	struct image img;
	uint32_t *sums, x, y;
	enum err e = begin(a, in, &img, &sums);

	if (e != ERR_OK)
		return e;
	for (y = 0; y < in->height; y++)
		for (x = 0; x < in->width; x++)
			img.pix[(size_t)y * in->width + x] = mean_around(in, sums, x, y, radius);
	*out = img;
	return ERR_OK;
}

enum err grey_threshold(struct arena *a, const struct image *in, uint32_t radius, struct image *out)
{
	struct image img;
	uint32_t *sums, x, y;
	enum err e = begin(a, in, &img, &sums);

	if (e != ERR_OK)
		return e;
	for (y = 0; y < in->height; y++)
		for (x = 0; x < in->width; x++) {
			size_t at = (size_t)y * in->width + x;

			img.pix[at] = in->pix[at] < mean_around(in, sums, x, y, radius) ? 0 : 255;
		}
	*out = img;
	return ERR_OK;
}
