/* This project's own files: licence files (docs/licence-record.md) and receipts (docs/receipt.md), and what is no file
 * of any kind. */
#include <string.h>

#include "base/clock.h"
#include "form/cose.h"
#include "form/licence.h"
#include "form/receipt.h"
#include "form/statement.h"
#include "form/verdict.h"
#include "tests/corpus/helpers.h"

#define ISSUER     "11990100MB00001073"
#define ISSUER_2   "11990100MB0000203C"
#define TYPE       ISSUER "001"
#define SIGN_WRONG "SIG_CONSTRAINTS_FAILURE"

static const struct family licences = {"licence", NULL, "yzl"};
static const struct family receipts = {"receipt", NULL, "cose"};

static int64_t time_of(const char *text)
{
	int64_t ms = 0;

	if (text != NULL)
		must(time_parse(span_str(text), &ms), text);
	return ms;
}

/* ---- licence files -------------------------------------------------------------------------------------------------
 */

struct licence_wish {
	const char *id, *issuer_code, *issuer_name, *type, *number, *from, *to;
	unsigned version;
	struct signature_wish signature;
	bool other_record; /* than the one that was signed */
};

static struct span record_of(const struct licence_wish *w, const char *number)
{
	struct licence_holder holder = {"李四食品店", "001", "91990100MA0000004F"};
	struct licence_field field = {"经营场所", "云州市一号路"};
	char *id;
	struct licence_record rec = {
	    .type_code = (char *)(uintptr_t)(w->type != NULL ? w->type : TYPE),
	    .type_name = "食品经营许可证",
	    .number = (char *)(uintptr_t)number,
	    .version = w->version != 0 ? w->version : 1,
	    .issuer_code = (char *)(uintptr_t)(w->issuer_code != NULL ? w->issuer_code : ISSUER),
	    .issuer_name = (char *)(uintptr_t)(w->issuer_name != NULL ? w->issuer_name : "印证测试语料"),
	    .definer_code = ISSUER,
	    .issued = time_of("2024-05-01"),
	    .valid_from = time_of(w->from != NULL ? w->from : "2024-05-01"),
	    .valid_to = time_of(w->to),
	    .area_code = "",
	    .previous_id = "",
	    .n_holders = 1,
	    .holders = &holder,
	    .n_fields = 1,
	    .fields = &field,
	};
	struct span out = {0};

	must(licence_id_make(mem(), TYPE, ISSUER, "20240001", 1, &id), "licence identifier");
	rec.id = w->id != NULL ? (char *)(uintptr_t)w->id : id;
	must(licence_record_encode(mem(), &rec, &out), "licence record");
	return out;
}

static struct span new_licence(const struct licence_wish *w)
{
	struct span record = record_of(w, "YZ-2024-1"), out = {0};
	struct signature_wish sig = w->signature;

	sig.data_bytes = record;
	sig.scope = sig.scope != NULL ? sig.scope : LICENCE_SCOPE;
	if (w->other_record)
		record = record_of(w, "YZ-2024-2");
	must(licence_file_encode(mem(), record, new_signature(&sig), &out), "licence file");
	return out;
}

#define LICENCE(...) new_licence(&(struct licence_wish){__VA_ARGS__})

static void licence_cases(void)
{
	static const char id[] = "identifier=LICENCE_ID_MISMATCH";
	struct span whole = LICENCE(.version = 0);

	good(&licences, "licence-good", whole, NULL, "nothing is wrong");
	good(&licences, "licence-expired", LICENCE(.to = "2024-12-01"), "licence_period=LICENCE_EXPIRED",
	     "genuine, and past its date");
	good(&licences, "licence-not-yet", LICENCE(.from = "2025-06-01"), "licence_period=LICENCE_NOT_YET_VALID",
	     "genuine, and before its date");
	fault(&licences, "licence-id-parts", LICENCE(.id = "1.2.3"), SIGN_WRONG, id, "the identifier lacks its parts");
	fault(&licences, "licence-id-check", LICENCE(.id = LICENCE_ID_ROOT "." TYPE "." ISSUER ".20240001.001.?"),
	      SIGN_WRONG, id, "the identifier's check character is wrong");
	fault(&licences, "licence-version", LICENCE(.version = 2), SIGN_WRONG, id, "the identifier is of another version");
	fault(&licences, "licence-type", LICENCE(.type = ISSUER "002"), SIGN_WRONG, id,
	      "the identifier is of another type");
	fault(&licences, "licence-issuer-code", LICENCE(.issuer_code = ISSUER_2), SIGN_WRONG, id,
	      "the identifier is of another issuer");
	fault(&licences, "licence-issuer", LICENCE(.issuer_name = "另一个机构"), SIGN_WRONG, "issuer=ISSUER_MISMATCH",
	      "the signer is not the issuer that the record names");
	fault(&licences, "licence-other-record", LICENCE(.other_record = true), "HASH_FAILURE", "data_hash=HASH_MISMATCH",
	      "the record was changed");
	fault(&licences, "licence-scope", LICENCE(.signature = {.scope = "the whole file"}), SIGN_WRONG,
	      "scope=SCOPE_WRONG", "a signature that was made for something else");
	fault(&licences, "licence-value", LICENCE(.signature = {.value = VALUE_FLIP}), "SIG_CRYPTO_FAILURE",
	      "signature_value=SIG_BAD", "one bit of the signature value is turned over");
	fault(&licences, "licence-not-listed", LICENCE(.signature = {.seal = {.listed = people()->colleague}}), SIGN_WRONG,
	      "signer_in_seal=SIGNER_NOT_IN_SEAL", "the signer is not in the seal's list");
	fault(&licences, "licence-raw-value", LICENCE(.signature = {.value = VALUE_RAW64}), "SIG_CRYPTO_FAILURE",
	      "signature_value=SIG_BAD", "a deviation that is accepted elsewhere, and not here");
	fault(&licences, "licence-tail", joined(whole, span_str("tail")), "FORMAT_FAILURE", "only structure=FORMAT",
	      "bytes follow the file");
	fault(&licences, "licence-cut", span_sub(whole, 0, whole.len - 10), "FORMAT_FAILURE", "only structure=FORMAT",
	      "the file is cut off");
}

/* ---- receipts ------------------------------------------------------------------------------------------------------
 */

struct span receipt_payload(const char *time)
{
	struct receipt_material material = {.type_code = TYPE,
	                                    .name = "营业执照",
	                                    .status = MATERIAL_MISSING,
	                                    .state = "",
	                                    .indication = "",
	                                    .source = "local",
	                                    .source_time = time_of("2024-06-01")};
	struct receipt rec = {.kind = RECEIPT_PULL,
	                      .id = "YZR-ABCDEFGHJKMNPQRSTVWXYZ0123",
	                      .time = time_of(time),
	                      .service = "印证",
	                      .org_code = ISSUER,
	                      .org_name = "政务服务中心",
	                      .principal = "window-1",
	                      .legal_basis = "consent",
	                      .item_code = "ITEM-1",
	                      .item_name = "食品经营许可新办",
	                      .purpose = "办理许可",
	                      .n_materials = 1,
	                      .materials = &material};
	struct span out = {0};

	must(receipt_encode(mem(), &rec, &out), "receipt");
	return out;
}

struct span new_receipt(const struct actor *by, const char *type, struct span payload)
{
	struct span tbs = {0}, out = {0};

	must(cose_to_be_signed(mem(), type, &by->der, 1, payload, &tbs), "receipt");
	must(cose_encode(mem(), type, &by->der, 1, payload, sign(by, tbs), &out), "receipt");
	return out;
}

static void receipt_cases(void)
{
	const struct people *p = people();
	struct span payload = receipt_payload("2024-06-01"), whole = new_receipt(p->service, RECEIPT_TYPE, payload);
	static const char rules[] = "CHAIN_CONSTRAINTS_FAILURE";

	good(&receipts, "receipt-good", whole, NULL, "nothing is wrong");
	fault(&receipts, "receipt-altered", flipped(whole, "window-1"), "SIG_CRYPTO_FAILURE",
	      "statement_value=STATEMENT_SIG_BAD", "the receiver's name was changed");
	fault(&receipts, "receipt-type", new_receipt(p->service, "application/other+cbor", payload), SIGN_WRONG,
	      "content_type=STATEMENT_TYPE", "a statement of another type");
	fault(&receipts, "receipt-payload", new_receipt(p->service, RECEIPT_TYPE, span_of("\xa0", 1)), "FORMAT_FAILURE",
	      "receipt=FORMAT time=TIME_UNKNOWN", "a signed statement that is no receipt");
	doubt(&receipts, "receipt-purpose", new_receipt(p->signer, RECEIPT_TYPE, payload), rules,
	      "statement_purpose=STATEMENT_CERT_PURPOSE", "signed by an agency in place of the service");
	fault(&receipts, "receipt-revoked", new_receipt(p->signer_revoked, RECEIPT_TYPE, receipt_payload("2024-10-01")),
	      "REVOKED", "statement_revocation=STATEMENT_CERT_REVOKED_BEFORE statement_purpose=STATEMENT_CERT_PURPOSE",
	      "signed by somebody who was revoked before, and is no service");
	fault(&receipts, "receipt-future", new_receipt(p->service, RECEIPT_TYPE, receipt_payload("2025-06-01")),
	      "NOT_YET_VALID", "time=TIME_IN_FUTURE", "stated after the time of the check");
	fault(
	    &receipts, "receipt-cert",
	    new_receipt(&(struct actor){.key = p->service->key, .der = span_str("no certificate")}, RECEIPT_TYPE, payload),
	    "FORMAT_FAILURE",
	    "+statement_certificate=STATEMENT_CERT_UNREADABLE time statement_value=CANNOT_JUDGE "
	    "statement_chain=CANNOT_JUDGE statement_key_usage=CANNOT_JUDGE statement_purpose=CANNOT_JUDGE "
	    "statement_revocation=CANNOT_JUDGE statement_period=CANNOT_JUDGE",
	    "the service's certificate cannot be read");
	fault(&receipts, "receipt-cut", span_sub(whole, 0, whole.len - 10), "FORMAT_FAILURE", "only structure=FORMAT",
	      "the receipt is cut off");
	add_row(&(struct row){.id = "receipt-trust-other",
	                      .file = "files/receipt-good.cose",
	                      .kind = "receipt",
	                      .trust = "trust/other",
	                      .indication = "INDETERMINATE",
	                      .sub = "NO_CERTIFICATE_CHAIN_FOUND",
	                      .codes = "statement_chain=STATEMENT_CERT_CHAIN statement_revocation=CANNOT_JUDGE",
	                      .about = "the service is not trusted"});
}

/* ---- verdict receipts ----------------------------------------------------------------------------------------------
 */

static struct span verdict_payload(void)
{
	struct verdict_record v = {.id = "YZV-ABCDEFGHJKMNPQRSTVWXYZ0123",
	                           .time = time_of("2024-06-01"),
	                           .judged_at = time_of("2024-06-01"),
	                           .service = "印证",
	                           .kind = "seal",
	                           .indication = "TOTAL_PASSED",
	                           .sub_indication = "",
	                           .code = "",
	                           .not_checked = "",
	                           .policy = "default",
	                           .policy_version = "1"};
	struct span out = {0};

	must(verdict_encode(mem(), &v, &out), "verdict");
	return out;
}

static void verdict_cases(void)
{
	static const struct family verdicts = {"verdict", NULL, "cose"};
	const struct people *p = people();
	struct actor *judge =
	    new_actor(&(struct cert_wish){.name = "验证服务", .issuer = p->root, .purpose = "critical," PURPOSE_VERDICT});
	struct span payload = verdict_payload(), whole = new_receipt(judge, VERDICT_TYPE, payload);

	good(&verdicts, "verdict-good", whole, NULL, "nothing is wrong");
	fault(&verdicts, "verdict-altered", flipped(whole, "TOTAL_PASSED"), "SIG_CRYPTO_FAILURE",
	      "statement_value=STATEMENT_SIG_BAD", "what the verdict says was changed");
	doubt(&verdicts, "verdict-purpose", new_receipt(p->service, VERDICT_TYPE, payload), "CHAIN_CONSTRAINTS_FAILURE",
	      "statement_purpose=STATEMENT_CERT_PURPOSE", "signed by the service's key for receipts");
	fault(&verdicts, "verdict-payload", new_receipt(judge, VERDICT_TYPE, receipt_payload("2024-06-01")),
	      "FORMAT_FAILURE", "verdict=FORMAT time=TIME_UNKNOWN", "a receipt under the name of a verdict");
}

/* ---- no file of any kind
 * --------------------------------------------------------------------------------------------- */

static void unknown_cases(void)
{
	static const struct {
		const char *id, *about, *text;
	} table[] = {
	    {"unknown-text", "plain text", "This is no seal.\n"},
	    {"unknown-pdf", "a PDF", "%PDF-1.7\n"},
	    {"unknown-sequence", "a SEQUENCE and nothing in it", "0"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		add_case((struct row){.id = table[i].id, .kind = "unknown", .sub = "FORMAT_FAILURE", .about = table[i].about},
		         span_str(table[i].text));
	add_case(
	    (struct row){.id = "unknown-certificate", .kind = "unknown", .sub = "FORMAT_FAILURE", .about = "a certificate"},
	    people()->signer->der);
}

void own_cases(void)
{
	licence_cases();
	receipt_cases();
	verdict_cases();
	unknown_cases();
}
