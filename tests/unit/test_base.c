/* Errors, arena, buffers, clock, text, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#define BYTES(s) span_of(s, sizeof(s) - 1)

static int with_arena(void **state)
{
	*state = arena_new(1 << 20);
	return *state != NULL ? 0 : -1;
}

static int without_arena(void **state)
{
	arena_free(*state);
	return 0;
}

/* ---- errors --------------------------------------------------------------------------------- */

static void errors_have_names(void **state)
{
	for (int e = 0; e < ERR_COUNT; e++) {
		assert_true(strlen(err_name((enum err)e)) > 0);
		assert_true(strlen(err_help((enum err)e)) > 0);
		for (int f = 0; f < e; f++)
			assert_string_not_equal(err_name((enum err)e), err_name((enum err)f));
	}
	assert_string_equal(err_name(ERR_CODE_USED), "CODE_USED");
	assert_string_equal(err_name((enum err)9999), "INTERNAL");
	assert_string_equal(err_name((enum err) - 1), "INTERNAL");
	assert_int_equal(err_class_of(ERR_CODE_USED), ERRC_PRECONDITION);
}

static void note_is_not_cut_within_a_character(void **state)
{
	struct err_note note;
	char text[301];

	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = shift; i + 3 <= 300; i += 3)
			memcpy(text + i, "证", 3);
		text[300] = '\0';
		assert_int_equal(err_note_set(&note, ERR_FIELD_INVALID, text, "%s", text), ERR_FIELD_INVALID);
		assert_true(text_is_utf8(span_str(note.field)));
		assert_true(text_is_utf8(span_str(note.help)));
		assert_true(strlen(note.help) >= sizeof(note.help) - 3);
		assert_true(strlen(note.field) >= sizeof(note.field) - 3);
	}
	assert_int_equal(err_note_set(NULL, ERR_USAGE, NULL, NULL), ERR_USAGE);
	err_note_set(&note, ERR_USAGE, NULL, NULL);
	assert_string_equal(err_note_text(&note), err_help(ERR_USAGE));
}

/* ---- arena and buffers ---------------------------------------------------------------------- */

static void arena_keeps_its_budget(void **state)
{
	struct arena *a = arena_new(1000);
	uint8_t *p;

	assert_non_null(a);
	p = arena_alloc(a, 600);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
	for (size_t i = 0; i < 600; i++)
		assert_int_equal(p[i], 0);
	assert_null(arena_alloc(a, 600));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 8));
	assert_null(arena_array(a, SIZE_MAX / 2, 4));
	assert_null(arena_strndup(a, "x", SIZE_MAX));
	assert_null(arena_dup(a, span_of(p, 600)).ptr);
	assert_non_null(arena_alloc(a, 300));
	assert_null(arena_printf(a, "%0500d", 1));
	assert_true(arena_used(a) >= 900 && arena_used(a) <= 1000 + 15);
	arena_free(a);
	arena_free(NULL);

	a = arena_new(SIZE_MAX);
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 20));
	arena_free(a);
}

static void arena_copies(void **state)
{
	struct arena *a = *state;

	assert_string_equal(arena_strdup(a, "印证"), "印证");
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
	assert_null(arena_strdup(a, NULL));
	assert_null(arena_strndup(a, NULL, 1));
	assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
	assert_true(span_eq(arena_dup(a, BYTES("a\0b")), BYTES("a\0b")));
	assert_non_null(arena_alloc(a, 0));
	for (int i = 0; i < 1000; i++)
		assert_non_null(memset(arena_alloc(a, 33), 0xff, 33));
}

static void buffer_remembers_failure(void **state)
{
	struct arena *a = arena_new(2000);
	struct span out = {0};
	struct buf b;

	buf_init(&b, a);
	buf_str(&b, "ab");
	buf_byte(&b, 'c');
	buf_printf(&b, "%d", 42);
	assert_string_equal(buf_text(&b), "abc42");
	buf_add(&b, span_of(NULL, 0));
	assert_int_equal(buf_done(&b, &out), ERR_OK);
	assert_true(span_eq(out, BYTES("abc42")));
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%050d", i);
	out = span_of(NULL, 0);
	assert_int_equal(buf_done(&b, &out), ERR_BUDGET);
	assert_int_equal(out.len, 0);
	assert_null(buf_text(&b));
	buf_byte(&b, 'x');
	assert_int_equal(buf_done(&b, &out), ERR_BUDGET);
	arena_free(a);
}

static void spans_are_cut(void **state)
{
	struct span s = BYTES("hello");

	assert_true(span_eq(span_sub(s, 1, 3), BYTES("ell")));
	assert_true(span_eq(span_sub(s, 4, SIZE_MAX), BYTES("o")));
	assert_int_equal(span_sub(s, 9, 9).len, 0);
	assert_true(span_eq(span_of(NULL, 0), span_str(NULL)));
}

/* ---- clock ---------------------------------------------------------------------------------- */

static void times_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
	    {"1970-01-01T00:00:01Z", 1000},
	    {"1970-01-02", 86400000},
	    {"2026-11-21T08:00:00Z", 1795248000000},
	    {"2026-11-21T08:00:00.123Z", 1795248000123},
	    {"2026-11-21T08:00:00.5Z", 1795248000500},
	    {"2026-11-21T08:00:00.123999999Z", 1795248000123},
	    {"2026-11-21T16:00:00+08:00", 1795248000000},
	    {"2026-11-20T20:30:00-11:30", 1795248000000},
	    {"2024-02-29", 1709164800000},
	    {"2000-02-29", 951782400000},
	    {"1969-12-31T23:59:59.999Z", -1},
	    {"0001-01-01", -62135596800000},
	    {"9999-12-31T23:59:59.999Z", 253402300799999},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t ms = 77;

		assert_int_equal(time_parse(span_str(good[i].text), &ms), ERR_OK);
		if (ms != good[i].ms)
			fail_msg("%s gave %lld", good[i].text, (long long)ms);
	}
}

static void bad_times_are_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "2026",
	    "2026-11",
	    "2026-11-2",
	    "2026-11-211",
	    "2026-13-01",
	    "2026-00-01",
	    "2026-01-00",
	    "2026-01-32",
	    "2026-04-31",
	    "2026-02-29",
	    "1900-02-29",
	    "2100-02-29",
	    "0000-01-01",
	    "-001-01-01",
	    "+2026-01-01",
	    " 2026-01-01",
	    "2026-01-01 ",
	    "2026-01-01T",
	    "2026-01-01T08",
	    "2026-01-01T08:00",
	    "2026-01-01T08:00Z",
	    "2026-01-01T08:00:00",
	    "2026-01-01 08:00:00Z",
	    "2026-01-01t08:00:00z",
	    "2026-01-01T24:00:00Z",
	    "2026-01-01T08:60:00Z",
	    "2026-01-01T08:00:60Z",
	    "2016-12-31T23:59:60Z",
	    "2026-01-01T08:00:00.Z",
	    "2026-01-01T08:00:00.1234567890Z",
	    "2026-01-01T08:00:00,5Z",
	    "2026-01-01T08:00:00+8:00",
	    "2026-01-01T08:00:00+0800",
	    "2026-01-01T08:00:00+08",
	    "2026-01-01T08:00:00+24:00",
	    "2026-01-01T08:00:00+08:60",
	    "2026-01-01T08:00:00ZZ",
	    "2026-01-01T08:00:00Z ",
	    "2026/01/01",
	    "20260101",
	    "２０２６-01-01",
	    "9999-12-31T23:59:59-00:01",
	    "0001-01-01T00:00:00+00:01",
	};
	int64_t ms = 77;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (time_parse(span_str(bad[i]), &ms) != ERR_TIME_INVALID || ms != 77)
			fail_msg("'%s' was taken", bad[i]);
	}
	assert_int_equal(time_parse(BYTES("2026-01-01T08:00:00Z\0"), &ms), ERR_TIME_INVALID);
	assert_int_equal(time_from_parts(2026, 1, 1, 0, 0, 60, &ms), ERR_TIME_INVALID);
	assert_int_equal(time_from_parts(10000, 1, 1, 0, 0, 0, &ms), ERR_TIME_INVALID);
	assert_int_equal(time_from_parts(2026, 1, 1, -1, 0, 0, &ms), ERR_TIME_INVALID);
}

static void times_format(void **state)
{
	char text[TIME_TEXT];
	int64_t ms;

	assert_string_equal(time_format(0, text), "");
	assert_string_equal(time_format(1, text), "1970-01-01T00:00:00.001Z");
	assert_string_equal(time_format(-1, text), "1969-12-31T23:59:59.999Z");
	assert_string_equal(time_format(1795248000000, text), "2026-11-21T08:00:00Z");
	assert_string_equal(time_format(INT64_MAX, text), "");
	assert_string_equal(time_format(INT64_MIN, text), "");
	assert_null(time_text(*state, 0));
	assert_string_equal(time_text(*state, 1000), "1970-01-01T00:00:01Z");
	/* There and back again over all of the calendar, in steps of about 11 days. */
	for (int64_t t = -62135596800000; t <= 253402300799999; t += 987654321) {
		assert_int_equal(time_parse(span_str(time_format(t, text)), &ms), ERR_OK);
		assert_int_equal(ms, t);
	}
}

static void clocks_run(void **state)
{
	_Atomic int64_t at = 5;
	struct clock fixed = clock_fixed(&at), wall = clock_system();
	int64_t start = clock_monotonic_ms();

	assert_int_equal(clock_now(&fixed), 5);
	at = 6;
	assert_int_equal(clock_now(&fixed), 6);
	assert_true(clock_now(&wall) > 1700000000000);
	assert_true(clock_monotonic_ms() >= start);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void utf8_is_checked(void **state)
{
	const struct {
		struct span text;
		bool utf8, clean;
	} cases[] = {
	    {BYTES(""), true, true},
	    {BYTES("plain"), true, true},
	    {BYTES("印证 𠮷"), true, true},
	    {BYTES("a\0b"), true, false},
	    {BYTES("a\tb"), true, false},
	    {BYTES("a\nb"), true, false},
	    {BYTES("a\x7f"), true, false},
	    {BYTES("\xc2\x85"), true, false},          /* C1 */
	    {BYTES("\xe2\x80\xae"), true, false},      /* U+202E */
	    {BYTES("\xe2\x80\xaa"), true, false},      /* U+202A */
	    {BYTES("\xe2\x81\xa6"), true, false},      /* U+2066 */
	    {BYTES("\xe2\x81\xa9"), true, false},      /* U+2069 */
	    {BYTES("\xe2\x80\xa9"), true, false},      /* U+2029, a line ends */
	    {BYTES("\xe2\x81\xaa"), true, false},      /* U+206A */
	    {BYTES("\xe2\x80\x8b"), true, false},      /* U+200B */
	    {BYTES("\xe2\x80\x8d"), true, true},       /* U+200D, a joiner */
	    {BYTES("\xe2\x80\x8f"), true, false},      /* U+200F */
	    {BYTES("\xe2\x80\xaf"), true, true},       /* U+202F */
	    {BYTES("\xc2\xad"), true, false},          /* U+00AD */
	    {BYTES("\xef\xbb\xbf"), true, false},      /* U+FEFF */
	    {BYTES("\xf3\xa0\x81\x81"), true, false},  /* U+E0041 */
	    {BYTES("\xf0\x9f\xbf\xbf"), true, false},  /* U+1FFFF */
	    {BYTES("\xef\xbf\xbe"), true, false},      /* U+FFFE */
	    {BYTES("\xef\xbf\xbf"), true, false},      /* U+FFFF */
	    {BYTES("\xef\xbf\xbd"), true, true},       /* U+FFFD */
	    {BYTES("\xc0\x80"), false, false},         /* overlong NUL */
	    {BYTES("\xc1\xbf"), false, false},         /* overlong */
	    {BYTES("\xe0\x9f\xbf"), false, false},     /* overlong */
	    {BYTES("\xf0\x8f\xbf\xbf"), false, false}, /* overlong */
	    {BYTES("\xed\xa0\x80"), false, false},     /* surrogate */
	    {BYTES("\xed\xbf\xbf"), false, false},     /* surrogate */
	    {BYTES("\xed\x9f\xbf"), true, true},       /* just below */
	    {BYTES("\xee\x80\x80"), true, true},       /* just above */
	    {BYTES("\xf4\x8f\xbf\xbd"), true, true},   /* U+10FFFD */
	    {BYTES("\xf4\x90\x80\x80"), false, false}, /* above U+10FFFF */
	    {BYTES("\xf8\x88\x80\x80\x80"), false, false},
	    {BYTES("\xff"), false, false},
	    {BYTES("\x80"), false, false},
	    {BYTES("\xe5\x8d"), false, false},
	    {BYTES("\xe5\x8d"
	           "a"),
	     false, false},
	    {BYTES("\xe5"), false, false},
	    {BYTES("\xe4\xb7\xbf"), true, true}, /* U+4DFF, before the characters that are not looked at closely */
	    {BYTES("\xe4\xb8\x80"), true, true}, /* U+4E00, the first of them */
	    {BYTES("\xe9\xbf\xbf"), true, true}, /* U+9FFF, the last */
	    {BYTES("\xe9\xbf"
	           "a"),
	     false, false},
	    {BYTES("\xe9\xc0\x80"), false, false},
	    {BYTES("a\x7f"), true, false},
	    {BYTES("\xe4\xb8\x80\xe2\x80\x8b"), true, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (text_is_utf8(cases[i].text) != cases[i].utf8 || text_is_clean(cases[i].text, 100) != cases[i].clean)
			fail_msg("case %zu", i);
	}
	assert_true(text_is_clean(BYTES("印证"), 6));
	assert_false(text_is_clean(BYTES("印证"), 5));
	assert_int_equal(text_length(BYTES("印证a𠮷")), 4);
}

static void blanks(void **state)
{
	(void)state;
	assert_true(text_is_blank(BYTES("")));
	assert_true(text_is_blank(BYTES(" \u3000\u00a0\u2003\u200d")));
	assert_false(text_is_blank(BYTES("\u3000张")));
	assert_false(text_is_blank(BYTES("\xe3\x80")));
	assert_true(text_is_trimmed(BYTES("")));
	assert_true(text_is_trimmed(BYTES("张 三")));
	assert_true(text_is_trimmed(BYTES("𠮷")));
	assert_false(text_is_trimmed(BYTES("张三\u3000")));
	assert_false(text_is_trimmed(BYTES("\u00a0张三")));
	assert_false(text_is_trimmed(BYTES("张\xff")));
}

static void alphabets(void **state)
{
	assert_true(text_only(BYTES("0110"), "01"));
	assert_true(text_only(BYTES(""), "01"));
	assert_false(text_only(BYTES("012"), "01"));
	assert_false(text_only(BYTES("01\0"), "01")); /* the alphabet's own NUL is none of it */
}

static void scanned_text_is_normalised(void **state)
{
	const struct {
		struct span in;
		const char *out; /* NULL: refused */
	} cases[] = {
	    {BYTES("YZ1ABC"), "YZ1ABC"},
	    {BYTES("yz1abc\r"), "YZ1ABC"},
	    {BYTES("  yz1abc\r\n"), "YZ1ABC"},
	    {BYTES("ＹＺ１ａｂｃ"), "YZ1ABC"},
	    {BYTES("　ＹＺ：　"), "YZ:"},
	    {BYTES("\0yz\0\0"), "YZ"},
	    {BYTES("a b"), "A B"},
	    {BYTES("\t\v\f"), ""},
	    {BYTES(""), ""},
	    {BYTES("证a"), "证A"},
	    {BYTES("～！"), "~!"},
	    {BYTES("｟"), "｟"}, /* U+FF5F: just outside */
	    {BYTES("a\0b"), NULL},
	    {BYTES("\xff"), NULL},
	    {BYTES("yz\xe5\x8d"), NULL},
	};
	struct arena *tiny = arena_new(64);
	char big[400], *out = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum err e = text_scanned(*state, cases[i].in, &out);

		if (e != (cases[i].out != NULL ? ERR_OK : ERR_TEXT_INVALID))
			fail_msg("case %zu: %s", i, err_name(e));
		if (cases[i].out != NULL)
			assert_string_equal(out, cases[i].out);
	}
	memset(big, 'x', sizeof(big));
	assert_int_equal(text_scanned(tiny, span_of(big, sizeof(big)), &out), ERR_BUDGET);
	arena_free(tiny);
}

static void hex_is_strict(void **state)
{
	uint8_t out[4] = {9, 9, 9, 9};

	assert_string_equal(hex_text(*state, BYTES("\x00\xab\xff")), "00abff");
	assert_string_equal(hex_text(*state, BYTES("")), "");
	assert_int_equal(hex_decode(BYTES("00aBfF10"), out, 4), ERR_OK);
	assert_memory_equal(out, "\x00\xab\xff\x10", 4);
	assert_int_equal(hex_decode(BYTES(""), out, 0), ERR_OK);
	assert_int_equal(hex_decode(BYTES("00abff1"), out, 4), ERR_FORMAT);
	assert_int_equal(hex_decode(BYTES("00abff"), out, 4), ERR_FORMAT);
	assert_int_equal(hex_decode(BYTES("00abff1010"), out, 4), ERR_FORMAT);
	assert_int_equal(hex_decode(BYTES("00abffg0"), out, 4), ERR_FORMAT);
	assert_int_equal(hex_decode(BYTES("0x00abff"), out, 4), ERR_FORMAT);
	assert_int_equal(hex_decode(BYTES("00 abff0"), out, 4), ERR_FORMAT);
	assert_memory_equal(out, "\x00\xab\xff\x10", 4);
}

static void base64_is_strict(void **state)
{
	const struct {
		struct span bytes;
		const char *text;
	} good[] = {
	    {BYTES(""), ""},
	    {BYTES("f"), "Zg=="},
	    {BYTES("fo"), "Zm8="},
	    {BYTES("foo"), "Zm9v"},
	    {BYTES("foob"), "Zm9vYg=="},
	    {BYTES("fooba"), "Zm9vYmE="},
	    {BYTES("foobar"), "Zm9vYmFy"},
	    {BYTES("\xfb\xff\xfe"), "+//+"},
	};
	static const char *const bad[] = {
	    "Z",        "Zg",   "Zg=",    "Zg===", "====",       "=",         "Z===", "Zh==", "Zm9=",
	    "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_",  "Zm9vZg==\n", " Zm9v    ", "Zg=a", "Z=g=", "证a",
	};
	struct span out = BYTES("kept");

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct span back;

		assert_string_equal(base64_text(*state, good[i].bytes), good[i].text);
		assert_int_equal(base64_decode(*state, span_str(good[i].text), &back), ERR_OK);
		assert_true(span_eq(back, good[i].bytes));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (base64_decode(*state, span_str(bad[i]), &out) != ERR_FORMAT)
			fail_msg("'%s' was taken", bad[i]);
	}
	assert_true(span_eq(out, BYTES("kept")));
	assert_int_equal(base64_decode(*state, BYTES("Zg=\0"), &out), ERR_FORMAT);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void files_are_written_and_read(void **state)
{
	char dir[] = "/tmp/yz-base-XXXXXX", path[64], link[64], cwd[512];
	struct err_note note;
	struct span in;
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(link, sizeof(link), "%s/l", dir);
	assert_int_equal(file_write(path, BYTES("one"), 0600, &note), ERR_OK);
	assert_int_equal(file_write(path, BYTES("a longer two"), 0600, &note), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(*state, path, 12, &in, &note), ERR_OK);
	assert_true(span_eq(in, BYTES("a longer two")));
	assert_int_equal(file_read(*state, path, 11, &in, &note), ERR_TOO_LARGE);
	assert_int_equal(file_read(*state, path, SIZE_MAX, &in, &note), ERR_OK);
	/* A link stays a link. */
	assert_int_equal(symlink("f", link), 0);
	assert_int_equal(file_write(link, BYTES("three"), 0600, &note), ERR_OK);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(file_read(*state, path, 100, &in, &note), ERR_OK);
	assert_true(span_eq(in, BYTES("three")));
	assert_int_equal(file_write(path, BYTES(""), 0600, &note), ERR_OK);
	assert_int_equal(file_read(*state, path, 0, &in, &note), ERR_OK);
	assert_int_equal(in.len, 0);
	/* A name without a folder. */
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(file_write("g", BYTES("x"), 0600, &note), ERR_OK);
	assert_int_equal(unlink("g"), 0);
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0); /* no temporary file is left */
}

static void bad_files_are_refused(void **state)
{
	struct err_note note = {0};
	struct span in = BYTES("kept");
	struct arena *tiny = arena_new(100);
	struct stat st;

	assert_int_equal(file_read(*state, "/nonexistent/x", 10, &in, &note), ERR_FILE_UNREADABLE);
	assert_non_null(strstr(note.help, "No such file"));
	assert_int_equal(file_read(*state, "/tmp", 10, &in, &note), ERR_FILE_UNREADABLE);
	assert_non_null(strstr(note.help, "directory"));
	assert_int_equal(file_read(*state, "", 10, &in, NULL), ERR_FILE_UNREADABLE);
	assert_int_equal(file_read(*state, "/dev/zero", 100000, &in, NULL), ERR_TOO_LARGE);
	assert_int_equal(file_read(tiny, "Makefile", 1 << 20, &in, &note), ERR_BUDGET);
	assert_true(span_eq(in, BYTES("kept")));
	assert_int_equal(file_read(*state, "/dev/null", 10, &in, NULL), ERR_OK);
	assert_int_equal(in.len, 0);
	assert_int_equal(file_write("/nonexistent/x", BYTES("x"), 0600, &note), ERR_FILE_UNWRITABLE);
	assert_int_equal(file_write("/tmp", BYTES("x"), 0600, &note), ERR_FILE_UNWRITABLE);
	assert_int_equal(file_write("", BYTES("x"), 0600, &note), ERR_FILE_UNWRITABLE);
	assert_int_equal(file_write("/dev/full", BYTES("x"), 0600, &note), ERR_FILE_UNWRITABLE);
	assert_non_null(strstr(note.help, "space"));
	/* Writing to a device leaves it a device. */
	assert_int_equal(file_write("/dev/null", BYTES("x"), 0600, NULL), ERR_OK);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	arena_free(tiny);
}

static void pipes_are_read_to_their_end(void **state)
{
	struct span in;
	FILE *f = popen("head -c 100000 /dev/zero", "r");
	char path[32];

	assert_non_null(f);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(f));
	assert_int_equal(file_read(*state, path, 200000, &in, NULL), ERR_OK);
	assert_int_equal(in.len, 100000);
	pclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors_have_names),
	    cmocka_unit_test(note_is_not_cut_within_a_character),
	    cmocka_unit_test(blanks),
	    cmocka_unit_test(arena_keeps_its_budget),
	    cmocka_unit_test_setup_teardown(arena_copies, with_arena, without_arena),
	    cmocka_unit_test(buffer_remembers_failure),
	    cmocka_unit_test(spans_are_cut),
	    cmocka_unit_test(times_parse),
	    cmocka_unit_test(bad_times_are_refused),
	    cmocka_unit_test_setup_teardown(times_format, with_arena, without_arena),
	    cmocka_unit_test(clocks_run),
	    cmocka_unit_test(utf8_is_checked),
	    cmocka_unit_test(alphabets),
	    cmocka_unit_test_setup_teardown(scanned_text_is_normalised, with_arena, without_arena),
	    cmocka_unit_test_setup_teardown(hex_is_strict, with_arena, without_arena),
	    cmocka_unit_test_setup_teardown(base64_is_strict, with_arena, without_arena),
	    cmocka_unit_test_setup_teardown(files_are_written_and_read, with_arena, without_arena),
	    cmocka_unit_test_setup_teardown(bad_files_are_refused, with_arena, without_arena),
	    cmocka_unit_test_setup_teardown(pipes_are_read_to_their_end, with_arena, without_arena),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
