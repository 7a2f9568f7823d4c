/* Every code of a step, with one sentence for people: what is wrong, and whose fault it is. docs/report-codes.md is
 * this table; tests/unit/test_verify.c keeps them equal. */
#include "verify/report.h"

/* clang-format off */
static const struct report_code codes[] = {
	/* any step */
	{"OK", "This step is in order.", "此项检查通过。"},
	{"CANNOT_JUDGE", "This step could not be judged because of an earlier failure.", "因前面的检查失败，此项无法判断。"},
	/* the file */
	{"UNKNOWN_KIND", "This is not a seal, seal signature, licence file or receipt: the file is of another kind or its beginning is damaged.",
	 "文件不是电子印章、电子签章、证照文件或回执：可能选错了文件，或文件开头已损坏。"},
	{"UNSUPPORTED_KIND", "This version does not verify packages such as OFD; the file itself was not judged.", "当前版本尚不支持验证 OFD 等打包文件，未对文件本身作出判断。"},
	{"FORMAT", "The file does not have the structure that it must have: it is damaged, or its producer made it wrongly.",
	 "文件结构不符合规范：文件已损坏，或制作方生成有误。"},
	{"TOO_LARGE", "A part of the file is larger than allowed: its producer's fault, or an attack.", "文件的某一部分超过允许的大小：制作方有误，或属于攻击。"},
	{"UNSUPPORTED_VERSION", "The structure is of a version that this program does not verify yet (only version 4, GB/T 38540-2020).",
	 "该结构版本当前程序尚不支持（仅支持第 4 版，GB/T 38540-2020）。"},
	/* algorithms and extensions */
	{"UNSUPPORTED_ALG", "The signature names an algorithm that is not accepted (only SM2 with SM3): the producer must sign again.",
	 "签名所用算法不被接受（仅接受 SM2/SM3）：须由制作方重新签名。"},
	{"UNSUPPORTED_KEY", "The certificate's key is not an SM2 key, so that the value cannot be checked.", "证书公钥不是 SM2 密钥，无法校验签名值。"},
	{"ALG_MISLABELLED", "The producer wrote a wrong identifier for SM2 with SM3; the file is not conforming.", "制作方写错了 SM2/SM3 算法标识，文件不符合规范。"},
	{"ALG_REFUSED", "The policy does not accept this algorithm for a signature of that time; the producer must sign again.",
	 "策略不接受该时间的签名使用此算法：须由制作方重新签名。"},
	{"REVOCATION_OFF", "The policy says that revocation is not looked at.", "策略规定不检查吊销状态。"},
	{"TIME_NOT_PROVEN", "The policy asks for proof of the time of signing, and there is none: no time stamp that counts.",
	 "策略要求证明签署时间，但没有有效的时间戳等证明。"},
	{"CRITICAL_EXT_UNKNOWN", "An extension that must be understood is not known to this program, so the object must not be accepted.",
	 "含有必须识别的扩展项而本程序不能识别，因此不能接受。"},
	/* the seal */
	{"SEAL_SIG_BAD", "The seal's contents do not fit its maker's signature: the seal was altered or forged after it was made.",
	 "印章内容与制章者签名不符：印章制作后被篡改或系伪造。"},
	{"SEAL_NOT_YET_VALID", "The seal is not valid yet at this time.", "此时印章尚未生效。"},
	{"SEAL_EXPIRED", "The seal's validity has ended: it is not good for use now; older signatures are judged by their own time.",
	 "印章有效期已过：现在不能使用；此前的签章按其签章时间判断。"},
	{"SEAL_EXPIRED_SINCE", "The seal has expired since, and nothing proves that the signature is as old as it claims.",
	 "印章此后已过期，且没有证据证明签章时间属实。"},
	{"SEAL_DATES_WRONG", "The seal's own dates contradict one another: its maker's fault.", "印章自身的日期互相矛盾：制章者的责任。"},
	{"SEAL_CREATED_LATER", "The seal was made later than the time at which it is said to be used.", "印章的制作时间晚于其使用时间。"},
	/* the seal maker's certificate */
	{"MAKER_CERT_UNREADABLE", "The seal maker's certificate in the seal cannot be read.", "印章中的制章者证书无法读取。"},
	{"MAKER_CERT_CHAIN", "The seal maker's certificate does not lead to any trust anchor given: the trust list lacks its issuer, or the maker is not a trusted one.",
	 "制章者证书不能追溯到所给的任何信任根：信任列表缺少其签发者，或制章者不可信。"},
	{"MAKER_CERT_ISSUER_TIME", "An issuer above the seal maker's certificate was not valid at that time; the trust list may lack its successor.",
	 "制章者证书的上级证书当时不在有效期内；信任列表可能缺少其后继证书。"},
	{"MAKER_CERT_CONSTRAINTS", "The path of the seal maker's certificate breaks a rule (basic constraints, path length, usage of an issuer's key): an issuer's fault.",
	 "制章者证书链违反约束（基本约束、路径长度、上级密钥用法）：签发机构的责任。"},
	{"MAKER_CERT_ALGORITHM", "The path of the seal maker's certificate uses an algorithm that is refused.", "制章者证书链使用了被拒绝的算法。"},
	{"MAKER_CERT_KEYUSAGE", "The seal maker's certificate is not for signing.", "制章者证书的密钥用法不是签名。"},
	{"MAKER_CERT_PURPOSE", "The seal maker's certificate is only for signing statements of a service, not for seals.",
	 "制章者证书仅用于签署服务声明，不得用于制作印章。"},
	{"MAKER_CERT_REVOKED", "The seal maker's certificate was revoked: its seals must not be accepted.", "制章者证书已被吊销：其印章不可接受。"},
	{"MAKER_CERT_REVOKED_AFTER", "The seal maker's certificate was revoked after the time that is judged.", "制章者证书在所判断的时间之后被吊销。"},
	{"MAKER_CERT_UNKNOWN_STATUS", "It is not known whether the seal maker's certificate is revoked: no usable revocation list is at hand.",
	 "无法得知制章者证书是否被吊销：没有可用的吊销列表。"},
	{"MAKER_CERT_TIME", "The seal was made or used outside the validity of its maker's certificate.", "印章的制作或使用时间不在制章者证书有效期内。"},
	{"MAKER_CERT_EXPIRED_SINCE", "The seal maker's certificate has expired since, and nothing proves that the seal is as old as it claims.",
	 "制章者证书此后已过期，且没有证据证明印章制作时间属实。"},
	/* the signature */
	{"SIG_BAD", "The signature does not fit what was signed: the signature was altered, or made with another key.", "签名值与被签内容不符：签章被篡改，或由其他密钥签署。"},
	{"SIGNER_NOT_IN_SEAL", "The signer's certificate is not in the seal's list: this signer may not use this seal.", "签章者证书不在印章的证书列表中：该签章者无权使用此印章。"},
	{"HASH_MISMATCH", "The data is not what was signed: it was changed afterwards, or another file was given.", "数据与签章时不一致：签章后被改动，或给错了文件。"},
	{"DATA_NOT_GIVEN", "The signed data was not given, so that it could not be compared. Give it with --data.", "未提供被签数据，无法比对。请用 --data 指定。"},
	{"SCOPE_WRONG", "The signature was made for another purpose than a licence record: it was taken from elsewhere.", "签章的保护范围不是证照数据：签章可能取自别处。"},
	{"TS_NOT_CHECKED", "The signature carries a time stamp, which this version does not check.", "签章带有时间戳，当前版本未检查。"},
	/* time */
	{"TIME_CLAIMED_ONLY", "The time of signing is only what the signer claims.", "签章时间仅为签章者自称。"},
	{"TIME_UNKNOWN", "The time of signing is not known.", "签章时间未知。"},
	{"TIME_IN_FUTURE", "The time of signing is later than the time of this check: the signer's clock or this machine's clock is wrong.",
	 "签章时间晚于检查时间：签章者或本机的时钟有误。"},
	{"TIME_OUTSIDE_SEAL", "The signature was made outside the validity of the seal.", "签章时间不在印章有效期内。"},
	{"TIME_OUTSIDE_CERT", "The signature was made outside the validity of the signer's certificate.", "签署时间不在签署者证书有效期内。"},
	{"CERT_EXPIRED_SINCE", "The signer's certificate has expired since, and nothing proves that the signature is as old as it claims.",
	 "签署者证书此后已过期，且没有证据证明签署时间属实。"},
	/* the signer's certificate */
	{"SIGNER_CERT_UNREADABLE", "The signer's certificate cannot be read.", "签章者证书无法读取。"},
	{"SIGNER_CERT_CHAIN", "The signer's certificate does not lead to any trust anchor given: the trust list lacks its issuer, or the signer is not a trusted one.",
	 "签章者证书不能追溯到所给的任何信任根：信任列表缺少其签发者，或签章者不可信。"},
	{"SIGNER_CERT_ISSUER_TIME", "An issuer above the signer's certificate was not valid at that time; the trust list may lack its successor.",
	 "签章者证书的上级证书当时不在有效期内；信任列表可能缺少其后继证书。"},
	{"SIGNER_CERT_CONSTRAINTS", "The path of the signer's certificate breaks a rule (basic constraints, path length, usage of an issuer's key): an issuer's fault.",
	 "签章者证书链违反约束（基本约束、路径长度、上级密钥用法）：签发机构的责任。"},
	{"SIGNER_CERT_ALGORITHM", "The path of the signer's certificate uses an algorithm that is refused.", "签章者证书链使用了被拒绝的算法。"},
	{"SIGNER_CERT_KEYUSAGE", "The signer's certificate is not for signing.", "签章者证书的密钥用法不是签名。"},
	{"SIGNER_CERT_PURPOSE", "The signer's certificate is only for signing statements of a service, not for using a seal.",
	 "签章者证书仅用于签署服务声明，不得用于签章。"},
	{"SIGNER_CERT_REVOKED_BEFORE", "The signer's certificate was revoked before the signature was made.", "签章者证书在签章之前已被吊销。"},
	{"SIGNER_CERT_REVOKED_AFTER", "The signer's certificate was revoked after the time of signing; without proof of that time the signature is in doubt.",
	 "签章者证书在签章时间之后被吊销；如无时间证明，签章存疑。"},
	{"SIGNER_CERT_UNKNOWN_STATUS", "It is not known whether the signer's certificate is revoked: no usable revocation list is at hand.",
	 "无法得知签章者证书是否被吊销：没有可用的吊销列表。"},
	/* trust */
	{"TRUST_EMPTY", "No trust list was given, so that nobody is trusted. Name the trusted certificates with --trust.",
	 "未提供信任列表，因此不信任任何人。请用 --trust 指定受信任的证书。"},
	/* licences */
	{"LICENCE_ID_MISMATCH", "The licence's identifier does not fit its own record (check character, type, issuer or version): its issuer's fault, or it was made up.",
	 "证照标识与证照内容不符（校验位、类型、颁发机构或版本）：颁发机构有误，或系伪造。"},
	{"ISSUER_MISMATCH", "The agency that the licence names as its issuer is not the one that signed it.", "证照所称的颁发机构不是实际签章的机构。"},
	{"LICENCE_EXPIRED", "The licence is genuine as far as judged here, but its validity has ended.", "证照本身的有效期已过（与真伪无关）。"},
	{"LICENCE_NOT_YET_VALID", "The licence's validity has not begun.", "证照有效期尚未开始（与真伪无关）。"},
	/* statements */
	{"STATEMENT_TYPE", "This is a signed statement of another kind than a receipt.", "这是其他种类的签名声明，不是回执。"},
	{"STATEMENT_SIG_BAD", "The statement does not fit its signature: it was altered, or signed with another key.", "声明内容与签名不符：被篡改，或由其他密钥签署。"},
	{"STATEMENT_CERT_UNREADABLE", "The certificate of the service that signed the statement cannot be read.", "签署声明的服务证书无法读取。"},
	{"STATEMENT_CERT_CHAIN", "The certificate of the service that signed the statement does not lead to any trust anchor given.",
	 "签署声明的服务证书不能追溯到所给的任何信任根。"},
	{"STATEMENT_CERT_ISSUER_TIME", "An issuer above the service's certificate was not valid at that time; the trust list may lack its successor.",
	 "服务证书的上级证书当时不在有效期内；信任列表可能缺少其后继证书。"},
	{"STATEMENT_CERT_CONSTRAINTS", "The path of the service's certificate breaks a rule (basic constraints, path length, usage of an issuer's key): an issuer's fault.",
	 "服务证书链违反约束（基本约束、路径长度、上级密钥用法）：签发机构的责任。"},
	{"STATEMENT_CERT_ALGORITHM", "The path of the service's certificate uses an algorithm that is refused.", "服务证书链使用了被拒绝的算法。"},
	{"STATEMENT_CERT_KEYUSAGE", "The service's certificate is not for signing.", "服务证书的密钥用法不是签名。"},
	{"STATEMENT_CERT_PURPOSE", "The certificate is not for signing statements of this kind: its extended key usage does not name the purpose. Another key was used, or the operator's CA left the purpose out.",
	 "该证书不用于签署此类声明：其扩展密钥用法未包含相应用途。可能误用了其他密钥，或运营方 CA 未写入该用途。"},
	{"STATEMENT_CERT_REVOKED_BEFORE", "The service's certificate was revoked before the statement was signed.", "服务证书在签署声明之前已被吊销。"},
	{"STATEMENT_CERT_REVOKED_AFTER", "The service's certificate was revoked after the time of signing; without proof of that time the statement is in doubt.",
	 "服务证书在签署时间之后被吊销；如无时间证明，声明存疑。"},
	{"STATEMENT_CERT_UNKNOWN_STATUS", "It is not known whether the service's certificate is revoked: no usable revocation list is at hand.",
	 "无法得知服务证书是否被吊销：没有可用的吊销列表。"},
};
/* clang-format on */

const struct report_code *report_code_find(const char *code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, code) == 0)
			return &codes[i];
	return NULL;
}

size_t report_codes(const struct report_code **all)
{
	*all = codes;
	return sizeof(codes) / sizeof(codes[0]);
}
