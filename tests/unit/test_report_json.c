/* A report is one line of JSON in UTF-8, whatever a file says of itself. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "crypto/rand.h"
#include "verify/verify.h"

/* By the table of RFC 3629, section 4. */
static bool is_utf8(const uint8_t *p, size_t n)
{
	while (n != 0) {
		uint8_t lo = 0x80, hi = 0xbf;
		size_t more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;

		if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || n <= more)
			return false;
		if (p[0] == 0xe0)
			lo = 0xa0;
		if (p[0] == 0xed)
			hi = 0x9f;
		if (p[0] == 0xf0)
			lo = 0x90;
		if (p[0] == 0xf4)
			hi = 0x8f;
		for (size_t i = 1; i <= more; i++, lo = 0x80, hi = 0xbf)
			if (p[i] < lo || p[i] > hi)
				return false;
		p += more + 1;
		n -= more + 1;
	}
	return true;
}

static void utf8_is_told_as_the_standard_says(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < 1u << 24; v++) {
		const uint8_t p[] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

		for (size_t n = v < 1u << 16 ? 2 : 3; n <= 3; n++)
			if (text_is_utf8(span_of(p + 3 - n, n)) != is_utf8(p + 3 - n, n))
				fail_msg("%zu octets of %06x", n, v);
	}
	for (uint32_t v = 0; v < 1u << 20; v++) { /* four, at the ends of what each may be */
		static const uint8_t ends[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0xb7, 0xbf, 0xc0};
		const uint8_t p[] = {(uint8_t)(v >> 12), ends[v & 7], ends[v >> 3 & 7], ends[v >> 6 & 7]};

		if (text_is_utf8(span_of(p, 4)) != is_utf8(p, 4))
			fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
	}
}

/* What is said of a text that no JSON can hold. */
static const char *as_told(const char *s)
{
	return is_utf8((const uint8_t *)s, strlen(s)) ? s : "(not UTF-8)";
}

static void told(const json_t *o, const char *member, const char *s)
{
	const json_t *v = json_object_get(o, member);

	if (s == NULL)
		assert_true(json_is_null(v));
	else
		assert_string_equal(json_string_value(v), as_told(s));
}

/* The same text wherever a file's own words stand. */
static struct report *report_of(struct arena *a, const char *s)
{
	struct report *r = report_new(a, KIND_SEAL);
	struct signature_report *sig;

	assert_non_null(r);
	sig = report_signature(r, s, "Seal");
	assert_non_null(sig);
	report_check(r, NULL, "structure", CHECK_PASS, "OK", s);
	report_check(r, sig, "structure", CHECK_PASS, "OK", NULL);
	report_check(r, sig, "signature", CHECK_FAIL, "SIG_BAD", s);
	sig->signer = (struct cert_facts){.subject = s, .issuer = s, .serial = "01"};
	sig->has_signer = true;
	r->seal = (struct seal_facts){.id = s, .name = s, .maker = s};
	r->has_seal = true;
	report_conclude(r);
	return r;
}

static void holds(const char *s)
{
	struct arena *a = arena_new(1 << 20);
	char *line = NULL;
	json_t *o, *sig;

	assert_int_equal(report_json(a, report_of(a, s), s, &line), ERR_OK);
	assert_null(strpbrk(line, "\n\r"));
	o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	if (o == NULL)
		fail_msg("not JSON: %s", line);
	told(o, "file", s);
	told(json_array_get(json_object_get(o, "checks"), 0), "detail", s);
	told(json_object_get(o, "seal"), "name", s);
	sig = json_array_get(json_object_get(o, "signatures"), 0);
	told(sig, "id", s);
	told(json_object_get(sig, "signer"), "subject", s);
	told(json_array_get(json_object_get(sig, "checks"), 0), "detail", NULL);
	told(json_array_get(json_object_get(sig, "checks"), 1), "detail", s);
	json_decref(o);
	arena_free(a);
}

static void odd_texts(void **state)
{
	static const char *const odd[] = {
	    "",
	    "\"",
	    "\\",
	    "\"\\\"\\",
	    "\x01\x02\x1f\x7f",
	    "\b\f\n\r\t/",
	    "ends with \"",
	    "\"begins",
	    "印\"章\\\n",
	    "\xc2\x80\xc2\x9f\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xef\xbf\xbe",
	    "\xf4\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80", /* past the last */
	    "\xc0\x80",         /* overlong */
	    "\xe0\x9f\xbf",
	    "\xf0\x8f\xbf\xbf",
	    "\xe4\xb7", /* cut off, where most of all text begins */
	    "\xe4",
	    "\xe9\xbf",
	    "\xe5\x41\x80",
	    "\xe5\x80\x41",
	    "\xed\xa0\x80", /* surrogates */
	    "\xed\xbf\xbf",
	    "\xd3\xa1\xd5\xc2", /* 印章 in GBK */
	    "\xff\xfe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		holds(odd[i]);
}

static void texts_by_chance(void **state)
{
	static const char *const piece[] = {"\"", "\\", "\n", "\x01", "a", "印", "😀", "\xe5", "\x80", "\xbf", "é", "u0000"};
	struct rand r = rand_system();

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint8_t pick[40];
		char text[sizeof(pick) * 8] = "";

		assert_int_equal(rand_fill(&r, pick, sizeof(pick)), ERR_OK);
		for (size_t k = 0; k < pick[0] % sizeof(pick); k++)
			strcat(text, piece[pick[k] % (pick[0] % 2 == 0 ? 7 : sizeof(piece) / sizeof(piece[0]))]);
		holds(text);
	}
}

static void no_room_is_told(void **state)
{
	struct arena *from = arena_new(1 << 20);
	struct report *r = report_of(from, "印\"章\\\n");

	(void)state;
	for (size_t budget = 0; budget < 16000; budget += 97) {
		struct arena *a = arena_new(budget);
		char *line = NULL;
		enum err e = report_json(a, r, "f", &line);
		json_t *o = e == ERR_OK ? json_loads(line, 0, NULL) : NULL;

		assert_true(e == ERR_BUDGET ? line == NULL : o != NULL);
		json_decref(o);
		arena_free(a);
	}
	arena_free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_is_told_as_the_standard_says),
	    cmocka_unit_test(odd_texts),
	    cmocka_unit_test(texts_by_chance),
	    cmocka_unit_test(no_room_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
