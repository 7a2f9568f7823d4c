/* Sample seal pictures: size, transparency, colours, names that are short, long or refused. */
#include "picture_help.h"

#include "picture/png.h"
#include "picture/seal_face.h"

static struct image face(const struct seal_face *f)
{
	struct span png = {0};
	uint32_t width = 0, height = 0;
	struct image img = {0};

	assert_int_equal(seal_face_draw(a, f, &png, &note), ERR_OK);
	assert_int_equal(png_read(a, png, IMAGE_RGBA, &img, &note), ERR_OK);
	assert_int_equal(png_size(png, &width, &height, &note), ERR_OK);
	assert_int_equal(width, img.width);
	assert_int_equal(height, img.height);
	return img;
}

static bool is_red(const uint8_t *p)
{
	return p[3] > 200 && p[0] > 180 && p[1] < 60 && p[2] < 60;
}

static bool is_mark(const uint8_t *p)
{
	return p[3] > 180 && p[0] < 120 && p[2] > 60;
}

static size_t count(const struct image *img, bool (*is)(const uint8_t *))
{
	size_t i, n = 0;

	for (i = 0; i < (size_t)img->width * img->height; i++)
		n += is(img->pix + 4 * i);
	return n;
}

static void test_round_seal(void **state)
{
	static const char *const names[] = {"某某公司", "安平市行政审批服务局",
	                                    "中华人民共和国示例省示例市示例区人力资源和社会保障局", "ABC 有限公司"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct seal_face f = {.name = names[i], .line = "专用章", .code = "3701000012345"};
		struct image img = face(&f);

		assert_int_equal(img.width, 496); /* 42 mm at 300 dpi */
		assert_int_equal(img.height, 496);
		assert_int_equal(img.pix[3], 0); /* outside the ring */
		assert_true(is_red(img.pix + 4 * (7 + (size_t)248 * 496)));
		assert_true(count(&img, is_red) > 20000);
		assert_true(count(&img, is_mark) > 3000);
	}
}

static void test_square_seal(void **state)
{
	static const char *const names[] = {"李", "李四", "张三丰", "欧阳娜娜", "阿卜杜拉买买提江"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct seal_face f = {.shape = SEAL_SQUARE, .name = names[i], .dpi = 600};
		struct image img = face(&f);

		assert_int_equal(img.width, 472);
		assert_true(is_red(img.pix + 4 * (size_t)(3 * 472 + 3)));
		assert_int_equal(img.pix[4 * (30 + (size_t)30 * 472) + 3], 0);
		assert_true(count(&img, is_mark) > 3000);
	}
}

static void test_seal_refuses(void **state)
{
	static const struct {
		struct seal_face face;
		enum err want;
	} cases[] = {
	    {{.name = NULL}, ERR_FIELD_MISSING},
	    {{.name = ""}, ERR_FIELD_MISSING},
	    {{.name = "\xff"}, ERR_TEXT_INVALID},
	    {{.name = "一\n二"}, ERR_TEXT_INVALID},
	    {{.shape = SEAL_SQUARE, .name = "一二三四五六七八九十一二三四五六七"}, ERR_FIELD_TOO_LONG},
	    {{.name = "某", .line = "一二三四五六七八九十一二三四五六七八九十一"}, ERR_FIELD_TOO_LONG},
	    {{.name = "某", .code = "12-3"}, ERR_FIELD_INVALID},
	    {{.name = "某", .size_mm = 5}, ERR_FIELD_INVALID},
	    {{.name = "某", .size_mm = 81}, ERR_FIELD_INVALID},
	    {{.name = "某", .size_mm = -1}, ERR_FIELD_INVALID},
	    {{.name = "某", .dpi = 50}, ERR_FIELD_INVALID},
	    {{.name = "某", .dpi = 1200, .size_mm = 80}, ERR_TOO_LARGE},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span png = {0};

		assert_int_equal(seal_face_draw(a, &cases[i].face, &png, &note), cases[i].want);
		assert_null(png.ptr);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_round_seal), T(test_square_seal), T(test_seal_refuses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
