/* Statements that this service signs: receipts and verdicts (form/cose.h). */
#include "desk/internal.h"
#include "form/cose.h"

enum { BEGINNING_BUDGET = 512 * 1024 };

enum err desk_expect(const struct desk_key *key, const char *type)
{
	struct arena *a = arena_new(BEGINNING_BUDGET);
	struct span cert = cert_der(key->cert), beginning;
	enum err e = a != NULL ? cose_beginning(a, type, &cert, 1, &beginning) : ERR_NO_MEMORY;

	if (e == ERR_OK)
		e = signer_expect(key->signer, beginning);
	arena_free(a);
	return e;
}

enum err desk_sign(struct desk_call *call, const struct desk_key *key, const char *type, struct span body,
                   struct span *out)
{
	struct span cert = cert_der(key->cert), tbs;
	uint8_t sig[SM2_SIG_MAX];
	size_t sig_len;
	enum err e = cose_to_be_signed(call->arena, type, &cert, 1, body, &tbs);

	if (e == ERR_OK)
		e = signer_sign(key->signer, tbs, sig, &sig_len);
	return e == ERR_OK ? cose_encode(call->arena, type, &cert, 1, body, span_of(sig, sig_len), out) : e;
}
