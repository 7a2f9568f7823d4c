/* The words of the view for people: verdicts, kinds, steps. */
#include "cli/verify_words.h"

#include <string.h>

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
    {"package", "package", "文件包"},
    {"documents", "documents", "文档"},
    {"signatures", "signatures", "签名列表"},
    {"signature_list", "list of signatures", "签名列表文件"},
    {"signature_file", "signature's file", "签名描述文件"},
    {"list_lock", "list locked", "签名列表锁定"},
    {"check_method", "digest method", "摘要算法"},
    {"reference_digest", "protected entry", "被保护文件摘要"},
    {"seal_file", "seal file", "印章文件"},
    {"coverage", "what is protected", "保护范围"},
    {"share", "protected by others", "由其他签名保护"},
    {"form", "deviation from the standard", "与标准的偏差"},
    {"signed_attributes", "signed attributes", "被签属性"},
    {"timestamp", "time stamp", "时间戳"},
    {"timestamp_structure", "time stamp: structure", "时间戳：结构"},
    {"timestamp_algorithm", "time stamp: algorithm", "时间戳：算法"},
    {"timestamp_attributes", "time stamp: attributes", "时间戳：被签属性"},
    {"timestamp_value", "time stamp: signature value", "时间戳：签名值"},
    {"timestamp_content", "time stamp: contents", "时间戳：内容"},
    {"timestamp_imprint", "time stamp: of this signature", "时间戳：对应本签名"},
    {"timestamp_time", "time stamp: time", "时间戳：时间"},
    {"timestamp_certificate", "time stamp: certificate", "时间戳：证书"},
    {"timestamp_chain", "time stamp: authority is trusted", "时间戳：证书链"},
    {"timestamp_key_usage", "time stamp: key usage", "时间戳：密钥用法"},
    {"timestamp_purpose", "time stamp: purpose", "时间戳：证书用途"},
    {"timestamp_revocation", "time stamp: not revoked", "时间戳：吊销状态"},
    {"timestamp_period", "time stamp: period", "时间戳：证书有效期"},
};

static const struct wording not_checked[] = {
    {"REVOCATION", "whether certificates are revoked", "证书是否被吊销"},
    {"LICENCE_STATE", "the licence's present state (ask the issuer's service)", "证照当前状态（须向颁发方服务查询）"},
    {"TIME_STAMP", "the time stamp", "时间戳"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const struct wording *words;
	size_t n;
} tables[] = {
    [WORDS_VERDICT] = {verdicts, COUNT(verdicts)},
    [WORDS_KIND] = {kinds, COUNT(kinds)},
    [WORDS_STEP] = {steps, COUNT(steps)},
    [WORDS_NOT_CHECKED] = {not_checked, COUNT(not_checked)},
};

const char *words_find(enum words_of of, const char *name, enum language lang)
{
	for (size_t i = 0; i < tables[of].n; i++)
		if (strcmp(tables[of].words[i].name, name) == 0)
			return lang == LANGUAGE_ZH ? tables[of].words[i].zh : tables[of].words[i].en;
	return NULL;
}
