#include "cli/verify_view.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/term.h"
#include "form/licence.h"
#include "form/receipt.h"
#include "form/verdict.h"

struct wording {
	const char *name, *en, *zh;
};

static const struct wording verdicts[] = {
    {"TOTAL_PASSED", "genuine: every check passed", "真实有效：各项检查均通过"},
    {"TOTAL_FAILED", "must not be accepted", "不可接受"},
    {"INDETERMINATE", "could not be decided", "无法断定"},
    {"NO_SIGNATURE_FOUND", "carries no signature", "没有签章"},
};

static const struct wording kinds[] = {
    {"seal", "seal", "电子印章"},
    {"signature", "seal signature", "电子签章"},
    {"licence", "licence", "证照"},
    {"receipt", "receipt", "用证回执"},
    {"verdict", "verdict receipt", "验证结论回执"},
    {"ofd", "OFD document", "OFD 文件"},
    {"showcode", "show-code", "亮证码"},
    {"unknown", "unknown kind", "未知类型"},
};

/* Steps of which nothing is known here print their own name. */
static const struct wording steps[] = {
    {"structure", "structure", "结构"},
    {"kind", "kind of file", "文件类型"},
    {"record", "licence record", "证照数据结构"},
    {"receipt", "receipt", "回执结构"},
    {"verdict", "verdict", "结论结构"},
    {"identifier", "licence identifier", "证照标识"},
    {"issuer", "issuer is the signer", "颁发机构与签章者一致"},
    {"licence_period", "licence period", "证照有效期"},
    {"content_type", "kind of statement", "声明类型"},
    {"signature_algorithm", "signature algorithm", "签章算法"},
    {"signature_value", "signature value", "签章值"},
    {"signer_certificate", "signer's certificate", "签章者证书"},
    {"signer_in_seal", "signer may use the seal", "签章者在印章列表中"},
    {"data_hash", "signed data", "被签数据杂凑值"},
    {"scope", "scope of the signature", "签章保护范围"},
    {"extensions", "extensions", "扩展项"},
    {"time", "time of signing", "签署时间"},
    {"time_stamp", "time stamp", "时间戳"},
    {"seal_algorithm", "seal: algorithm", "印章：算法"},
    {"seal_signature", "seal: maker's signature", "印章：制章者签名"},
    {"maker_certificate", "seal: maker's certificate", "印章：制章者证书"},
    {"maker_chain", "seal: maker is trusted", "印章：制章者证书链"},
    {"maker_key_usage", "seal: maker's key usage", "印章：制章者密钥用法"},
    {"maker_purpose", "seal: maker's purpose", "印章：制章者证书用途"},
    {"maker_revocation", "seal: maker not revoked", "印章：制章者证书吊销状态"},
    {"maker_period", "seal: maker's period", "印章：制章者证书有效期"},
    {"seal_period", "seal: period", "印章：有效期"},
    {"seal_dates", "seal: date of making", "印章：制作日期"},
    {"seal_extensions", "seal: extensions", "印章：扩展项"},
    {"signer_chain", "signer is trusted", "签章者证书链"},
    {"signer_key_usage", "signer's key usage", "签章者密钥用法"},
    {"signer_purpose", "signer's purpose", "签章者证书用途"},
    {"signer_revocation", "signer not revoked", "签章者证书吊销状态"},
    {"signer_period", "signer's period", "签章者证书有效期"},
    {"statement_algorithm", "statement: algorithm", "声明：算法"},
    {"statement_value", "statement: signature value", "声明：签名值"},
    {"statement_certificate", "service's certificate", "服务证书"},
    {"statement_chain", "service is trusted", "服务证书链"},
    {"statement_key_usage", "service's key usage", "服务证书密钥用法"},
    {"statement_purpose", "service's purpose", "服务证书用途"},
    {"statement_revocation", "service not revoked", "服务证书吊销状态"},
    {"statement_period", "service's period", "服务证书有效期"},
};

static const struct wording not_checked[] = {
    {"REVOCATION", "whether certificates are revoked", "证书是否被吊销"},
    {"LICENCE_STATE", "the licence's present state (ask the issuer's service)", "证照当前状态（须向颁发方服务查询）"},
    {"TIME_STAMP", "the time stamp", "时间戳"},
};

#define SAY(table, name, lang) say((table), sizeof(table) / sizeof((table)[0]), (name), (lang))

static const char *say(const struct wording *table, size_t n, const char *name, enum language lang)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return lang == LANGUAGE_ZH ? table[i].zh : table[i].en;
	return name;
}

struct view {
	struct arena *a;
	enum language lang;
	bool colour;
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

	printf("%s: %s, %s%s%s  [%s%s%s]\n", safe(v, file), SAY(kinds, verify_kind_name(r->kind), v->lang),
	       v->colour ? colour_of(r->indication) : "", SAY(verdicts, name, v->lang), v->colour ? "\033[0m" : "", name,
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

static void checks(const struct view *v, const struct check *c)
{
	for (; c != NULL; c = c->next) {
		const char *label = SAY(steps, c->step, v->lang), *code = c->result != CHECK_PASS ? c->code : "";
		const char *detail = c->detail != NULL ? safe(v, c->detail) : "";
		size_t w = term_width(label);

		printf("    %s %s", mark(v, c->result), label);
		if (code[0] != '\0' || detail[0] != '\0')
			printf("%*s%s%s%s", w < 26 ? (int)(26 - w) : 1, "", code, code[0] != '\0' && detail[0] != '\0' ? "  " : "",
			       detail);
		putchar('\n');
		if (c->result == CHECK_FAIL || c->result == CHECK_NOTICE)
			printf("        %s\n", verify_view_sentence(c->code, v->lang));
	}
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

static void signature(const struct view *v, const struct signature_report *s)
{
	line(v, "signed", "签署时间", date(v, s->signing_time));
	if (s->has_signer)
		certificate(v, "signer", "签署者", &s->signer);
	if (s->has_seal)
		seal(v, &s->seal);
	checks(v, s->checks);
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
		line(v, "not checked", "未检查", SAY(not_checked, r->not_checked[i], v->lang));
	if (r->trust_anchors == 0)
		line(v, "trust", "信任", pick(v, "none given (--trust)", "未提供（--trust）"));
	else
		line(v, "trust", "信任",
		     safe(v, arena_printf(v->a, "%s %zu, %s %zu", pick(v, "anchors", "信任根"), r->trust_anchors,
		                          pick(v, "revocation lists", "吊销列表"), r->trust_crls)));
	line(v, "judged as of", "判断时间", date(v, r->judged_at));
}

void verify_view_print(struct arena *a, const struct report *r, const char *file, enum language lang)
{
	const struct view v = {a, lang, term_colour(stdout)};

	headline(&v, r, file);
	facts(&v, r);
	checks(&v, r->checks);
	for (const struct signature_report *s = r->signatures; s != NULL; s = s->next)
		signature(&v, s);
	closing(&v, r);
}
