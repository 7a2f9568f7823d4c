/* What a desk is not opened with: keys that are missing, do not fit, or are for another purpose. */
#include "desk_help.h"

static void keys_are_checked_at_the_start(void **state)
{
	static const struct {
		const char *key, *cert; /* of the receipt key; NULL: none */
		enum err want;
	} table[] = {
	    {"receipt", "receipt", ERR_OK},
	    {"receipt", NULL, ERR_KEY_UNREADABLE},
	    {NULL, "receipt", ERR_KEY_UNREADABLE},
	    {"samr", "receipt", ERR_KEY_CERT_MISMATCH},
	    {"samr", "samr", ERR_CONFIG_INVALID},       /* an agency's key signs no receipts */
	    {"verdict", "verdict", ERR_CONFIG_INVALID}, /* nor does the key of another statement */
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct desk_key key = {.name = TEXT("receipt-key")};
		struct desk_options o = {.store = w->store, .trust = pki.trust, .receipt = &key, .service = "印证测试"};
		struct err_note note = {0};
		struct desk *d = NULL;

		key.signer = table[i].key != NULL ? who(table[i].key)->signer : NULL;
		key.cert = table[i].cert != NULL ? who(table[i].cert)->cert : NULL;
		assert_err(desk_new(&o, &d, &note), table[i].want);
		assert_int_equal(d == NULL, table[i].want != ERR_OK);
		if (table[i].want != ERR_OK)
			assert_string_equal(note.field, "receipt-key");
		desk_free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(keys_are_checked_at_the_start),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
