#include "cli/verify_view.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/term.h"
#include "cli/verify_words.h"
#include "form/licence.h"
#include "form/receipt.h"
#include "form/verdict.h"

struct view {
	struct arena *a;
	enum language lang;
	bool colour, steps;
};

static const char *pick(const struct view *v, const char *en, const char *zh)
{
	return v->lang == LANGUAGE_ZH ? zh : en;
}

enum language language_of_user(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strncmp(value, "zh", 2) == 0 ? LANGUAGE_ZH : LANGUAGE_EN;
	}
	return LANGUAGE_EN;
}

const char *verify_view_sentence(const char *code, enum language lang)
{
	const struct report_code *c = report_code_find(code);

	if (c == NULL)
		return NULL;
	return lang == LANGUAGE_ZH ? c->zh : c->en;
}

static const char *say(const struct view *v, enum words_of of, const char *name)
{
	const char *words = words_find(of, name, v->lang);

	return words != NULL ? words : name;
}

static const char *safe(const struct view *v, const char *s)
{
	return s != NULL ? term_safe(v->a, span_str(s)) : "-";
}

static const char *date(const struct view *v, int64_t ms)
{
	const char *t = time_text(v->a, ms);

	return t != NULL ? t : "-";
}

/* A label and its value, columns by width and not by bytes. */
static void line(const struct view *v, const char *en, const char *zh, const char *value)
{
	const char *label = pick(v, en, zh);
	size_t w = term_width(label);

	printf("  %s%*s%s\n", label, w < 12 ? (int)(12 - w) : 1, "", value);
}

static const char *colour_of(enum indication i)
{
	switch (i) {
	case TOTAL_PASSED:
		return "\033[1;32m";
	case TOTAL_FAILED:
		return "\033[1;31m";
	case INDETERMINATE:
	case NO_SIGNATURE_FOUND:
	case IND_NONE:
		break;
	}
	return "\033[1;33m";
}

static void headline(const struct view *v, const struct report *r, const char *file)
{
	const struct check *reason = report_reason(r);
	const char *name = indication_name(r->indication), *sub = sub_indication_name(r->sub);

	printf("%s: %s, %s%s%s  [%s%s%s]\n", safe(v, file), say(v, WORDS_KIND, verify_kind_name(r->kind)),
	       v->colour ? colour_of(r->indication) : "", say(v, WORDS_VERDICT, name), v->colour ? "\033[0m" : "", name,
	       sub != NULL ? " / " : "", sub != NULL ? sub : "");
	if (reason != NULL)
		printf("  %s\n", verify_view_sentence(reason->code, v->lang));
}

static const char *mark(const struct view *v, enum check_result r)
{
	static const char *const plain[] = {"✓", "✗", "!", "-"};
	static const char *const coloured[] = {"\033[32m✓\033[0m", "\033[31m✗\033[0m", "\033[33m!\033[0m", "-"};

	return v->colour ? coloured[r] : plain[r];
}

static void check(const struct view *v, const struct check *c, bool explained)
{
	const char *label = say(v, WORDS_STEP, c->step), *code = c->result != CHECK_PASS ? c->code : "";
	const char *detail = c->detail != NULL ? safe(v, c->detail) : "";
	size_t w = term_width(label);

	printf("    %s %s", mark(v, c->result), label);
	if (code[0] != '\0' || detail[0] != '\0')
		printf("%*s%s%s%s", w < 30 ? (int)(30 - w) : 1, "", code, code[0] != '\0' && detail[0] != '\0' ? "  " : "",
		       detail);
	putchar('\n');
	if (explained && (c->result == CHECK_FAIL || c->result == CHECK_NOTICE))
		printf("        %s\n", verify_view_sentence(c->code, v->lang));
}

static bool said_before(const struct check *first, const struct check *c)
{
	for (; first != c; first = first->next)
		if (first->result == c->result && strcmp(first->code, c->code) == 0)
			return true;
	return false;
}

/* People see what is not in order, each code explained once; experts every step. */
static void checks(const struct view *v, const struct check *first)
{
	for (const struct check *c = first; c != NULL; c = c->next)
		if (v->steps || c->result == CHECK_FAIL || c->result == CHECK_NOTICE)
			check(v, c, !said_before(first, c));
}

static void certificate(const struct view *v, const char *en, const char *zh, const struct cert_facts *c)
{
	line(v, en, zh, safe(v, c->subject));
	line(v, "  issued by", "  签发者", safe(v, c->issuer));
	printf("  %*s%s .. %s\n", 12, "", date(v, c->not_before), date(v, c->not_after));
}

static void seal(const struct view *v, const struct seal_facts *s)
{
	line(v, "seal", "印章", safe(v, s->name));
	printf("  %*s%s, %s .. %s\n", 12, "", safe(v, s->id), date(v, s->valid_start), date(v, s->valid_end));
}

static void signature(const struct view *v, const struct signature_report *s, size_t number)
{
	const char *name = indication_name(s->indication), *sub = sub_indication_name(s->sub);

	printf("  %s %zu%s%s: %s%s%s  [%s%s%s]\n", pick(v, "signature", "签名"), number, s->id != NULL ? " " : "",
	       s->id != NULL ? safe(v, s->id) : "", v->colour ? colour_of(s->indication) : "", say(v, WORDS_VERDICT, name),
	       v->colour ? "\033[0m" : "", name, sub != NULL ? " / " : "", sub != NULL ? sub : "");
	line(v, "signed", "签署时间", date(v, s->signing_time));
	if (s->has_signer)
		certificate(v, "signer", "签署者", &s->signer);
	if (s->has_seal)
		seal(v, &s->seal);
	checks(v, s->checks);
}

/* Experts get every path; people the first few. */
static void paths(const struct view *v, const char *en, const char *zh, const char *const *path, size_t n)
{
	size_t shown = v->steps || n <= 5 ? n : 5;

	for (size_t i = 0; i < shown; i++)
		line(v, en, zh, safe(v, path[i]));
	if (shown < n)
		line(v, en, zh, safe(v, arena_printf(v->a, "… (%zu)", n)));
}

static void coverage(const struct view *v, const struct report_coverage *c)
{
	line(v, "protected", "受保护", safe(v, arena_printf(v->a, "%zu", c->n_protected)));
	paths(v, "unprotected", "未受保护", (const char *const *)c->unprotected, c->n_unprotected);
	paths(v, "changed", "签后变动", (const char *const *)c->changed, c->n_changed);
}

static void licence(const struct view *v, const struct licence_record *l)
{
	line(v, "licence", "证照", safe(v, l->type_name));
	line(v, "identifier", "标识", safe(v, l->id));
	line(v, "issuer", "颁发机构", safe(v, l->issuer_name));
	for (size_t i = 0; i < l->n_holders; i++)
		line(v, "holder", "持证主体", safe(v, l->holders[i].name));
}

static void receipt(const struct view *v, const struct receipt *r)
{
	line(v, "receipt", "回执", safe(v, r->id));
	line(v, "service", "出具方", safe(v, r->service));
	line(v, "received by", "接收方", safe(v, r->org_name));
	line(v, "purpose", "用途", safe(v, r->purpose));
	for (size_t i = 0; i < r->n_materials; i++)
		line(v, "material", "材料",
		     safe(v, arena_printf(v->a, "%s: %s", r->materials[i].name, material_status_name(r->materials[i].status))));
}

/* The inner verdict is what this receipt states: it stands apart from whether the receipt itself is genuine. */
static void verdict(const struct view *v, const struct verdict_record *r)
{
	char sm3_hex[2 * SM3_LEN + 1];

	hex_encode(span_of(r->document_digest, SM3_LEN), sm3_hex);
	line(v, "receipt", "回执", safe(v, r->id));
	line(v, "service", "出具方", safe(v, r->service));
	line(v, "stated", "结论",
	     safe(v, arena_printf(v->a, "%s: %s %s %s", r->kind, r->indication, r->sub_indication, r->code)));
	line(v, "of (SM3)", "文件 SM3", sm3_hex);
	line(v, "policy", "策略", safe(v, arena_printf(v->a, "%s %s", r->policy, r->policy_version)));
	line(v, "on", "判断时间", date(v, r->judged_at));
}

static void facts(const struct view *v, const struct report *r)
{
	if (r->licence != NULL)
		licence(v, r->licence);
	if (r->receipt != NULL)
		receipt(v, r->receipt);
	if (r->verdict != NULL)
		verdict(v, r->verdict);
	if (r->has_seal)
		seal(v, &r->seal);
	if (r->has_maker)
		certificate(v, "maker", "制章者", &r->maker);
}

static void closing(const struct view *v, const struct report *r)
{
	for (size_t i = 0; i < r->n_not_checked; i++)
		line(v, "not checked", "未检查", say(v, WORDS_NOT_CHECKED, r->not_checked[i]));
	if (r->trust_anchors == 0)
		line(v, "trust", "信任", pick(v, "none given (--trust)", "未提供（--trust）"));
	else
		line(v, "trust", "信任",
		     safe(v, arena_printf(v->a, "%s %zu, %s %zu", pick(v, "anchors", "信任根"), r->trust_anchors,
		                          pick(v, "revocation lists", "吊销列表"), r->trust_crls)));
	line(v, "policy", "策略", safe(v, arena_printf(v->a, "%s %s", r->policy, r->policy_version)));
	line(v, "judged as of", "判断时间", date(v, r->judged_at));
	if (v->steps && r->oldest_crl != 0)
		line(v, "oldest CRL", "最旧吊销列表", date(v, r->oldest_crl));
}

void verify_view_print(struct arena *a, const struct report *r, const char *file, const struct view_options *o)
{
	const struct view v = {a, o->lang, term_colour(stdout), o->steps};
	size_t n = 0;

	headline(&v, r, file);
	facts(&v, r);
	checks(&v, r->checks);
	for (const struct signature_report *s = r->signatures; s != NULL; s = s->next)
		signature(&v, s, ++n);
	if (r->coverage != NULL)
		coverage(&v, r->coverage);
	closing(&v, r);
}
