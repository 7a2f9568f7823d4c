/* What surrounds a use at the desk: a store that was tampered with, receipts, audit, asking twice, races. */
#include <pthread.h>
#include <sqlite3.h>

#include "flow_help.h"

/* ---- a store that was tampered with --------------------------------------------------------- */

/* Flip one bit in the middle of each row's column, past the store's back. */
static void flip(struct world *w, const char *column)
{
	sqlite3 *db = NULL;
	sqlite3_blob *blob = NULL;
	unsigned char c;
	int at;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	assert_int_equal(sqlite3_blob_open(db, "main", "licences", column, 1, 1, &blob), SQLITE_OK);
	at = sqlite3_blob_bytes(blob) / 2;
	assert_int_equal(sqlite3_blob_read(blob, &c, 1, at), SQLITE_OK);
	c ^= 1;
	assert_int_equal(sqlite3_blob_write(blob, &c, 1, at), SQLITE_OK);
	assert_int_equal(sqlite3_blob_close(blob), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void flipped_byte_is_caught(void **state)
{
	static const char *const columns[] = {"record", "sig_head", "sig_tail"};
	struct world *w = *state;
	struct pull_answer ans = {0};
	const char *code;

	issued(w, person_request(w));
	for (size_t i = 0; i < 3; i++) {
		code = use_code(w);
		flip(w, columns[i]);
		assert_err(pulled(w, code, &ans), ERR_OK);
		assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
		assert_int_equal(ans.materials[0].report->indication, TOTAL_FAILED);
		assert_int_equal(ans.materials[0].n_fields, 0);
		assert_true(ans.materials[0].why[0] != '\0');
		flip(w, columns[i]);
	}
}

/* The whole of another licence's row content under this identifier: genuine bytes, wrong place. */
static void moved_record_is_caught(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w));
	struct inspect_request r = {"", id, "居民身份证法 15 条", "查验", "", false};
	struct inspect_answer ans = {0};
	sqlite3 *db = NULL;

	issued(w, food_request(w));
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
	                              "UPDATE licences SET (record, sig_head, sig_tail) ="
	                              " (SELECT record, sig_head, sig_tail FROM licences WHERE seq = 2) WHERE seq = 1",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_err(ask(w, the_inspector(), &use_inspect, &r, &ans), ERR_OK);
	assert_int_equal(ans.licences[0].report->indication, TOTAL_FAILED);
	assert_false(ans.licences[0].usable);
	assert_int_equal(ans.licences[0].n_face, 0);
	assert_string_equal(ans.licences[0].type_code, TYPE_PERSON);
	assert_string_equal(ans.holder_name, "");
}

/* ---- receipts ------------------------------------------------------------------------------- */

static void receipt_proves_what_was_delivered(void **state)
{
	struct world *w = *state;
	struct pull_answer ans = {0};
	struct by_id_request get;
	struct file_answer file = {0}, again = {0};
	const struct receipt *r;
	uint8_t digest[SM3_LEN];

	issued(w, person_request(w));
	assert_err(pulled(w, use_code(w), &ans), ERR_OK);
	get.id = ans.receipt_id;
	assert_err(ask(w, the_window(), &use_receipt_get, &get, &file), ERR_OK);
	assert_err(ask(w, the_window(), &use_receipt_get, &get, &again), ERR_OK);
	verified_receipt(w, again.file);
	r = verified_receipt(w, file.file);
	assert_string_equal(r->id, ans.receipt_id);
	assert_string_equal(r->legal_basis, "consent");
	assert_string_equal(r->org_code, CENTRE);
	assert_int_equal(r->n_materials, 3);
	assert_int_equal(r->time, ans.time);
	assert_err(receipt_field_digest(ans.salt, "姓名", NAME, digest), ERR_OK);
	assert_memory_equal(receipt_field_of(&r->materials[0], "姓名")->digest, digest, SM3_LEN);
	assert_err(receipt_text_digest(ans.salt, "CASE-1", digest), ERR_OK);
	assert_memory_equal(r->case_digest, digest, SM3_LEN);
	assert_err(receipt_text_digest(ans.salt, ans.materials[0].licence_id, digest), ERR_OK);
	assert_memory_equal(r->materials[0].licence_digest, digest, SM3_LEN);
	assert_null(memmem(file.file.ptr, file.file.len, w->id_code, RESIDENT_ID_LEN));
	assert_null(memmem(file.file.ptr, file.file.len, "CASE-1", 6));
}

static void receipts_of_others_are_unknown(void **state)
{
	struct world *w = *state;
	struct principal other = enrolled(w, someone("window-2", CENTRE, ROLE_WINDOW));
	struct pull_answer ans = {0};
	struct by_id_request get;
	struct file_answer file = {0};

	issued(w, person_request(w));
	assert_err(pulled(w, use_code(w), &ans), ERR_OK);
	get.id = ans.receipt_id;
	refused(w, ask(w, other, &use_receipt_get, &get, &file), ERR_RECEIPT_UNKNOWN, "receipt_id");
	get.id = "YZR-00000000000000000000000000";
	refused(w, ask(w, the_window(), &use_receipt_get, &get, &file), ERR_RECEIPT_UNKNOWN, "receipt_id");
}

/* ---- audit ---------------------------------------------------------------------------------- */

struct audit_read {
	struct world *w;
	struct audit_row *rows;
	size_t n;
};

static enum err read_audit(struct store_tx *tx, void *arg)
{
	struct audit_read *r = arg;

	return store_audit_list(tx, r->w->arena, 0, 100, "", "", &r->rows, &r->n);
}

static void every_use_has_an_entry_without_personal_data(void **state)
{
	struct world *w = *state;
	struct audit_read r = {.w = w};
	struct pull_answer ans = {0};
	size_t holder = 0;

	issued(w, person_request(w));
	assert_err(pulled(w, use_code(w), &ans), ERR_OK);
	assert_err(store_read(w->store, read_audit, &r), ERR_OK);
	assert_int_equal(r.n, 4); /* issue, preview, code, pull */
	assert_string_equal(r.rows[3].action, "pull");
	assert_memory_equal(r.rows[3].leaf, w->leaf, SHA256_LEN);
	for (size_t i = 0; i < r.n; i++) {
		assert_null(memmem(r.rows[i].record.ptr, r.rows[i].record.len, w->id_code, RESIDENT_ID_LEN));
		assert_null(memmem(r.rows[i].record.ptr, r.rows[i].record.len, NAME, strlen(NAME)));
	}
	for (size_t i = 0; i < r.rows[3].n_values; i++)
		holder += strcmp(r.rows[3].values[i].value, w->id_code) == 0;
	assert_true(holder >= 1);
}

/* ---- asking twice --------------------------------------------------------------------------- */

static enum err pack_pull(struct desk_call *call, struct span *reply)
{
	const struct pull_answer *ans = call->ans;

	*reply = span_str(ans->receipt_id);
	return ERR_OK;
}

static struct desk_call pull_call(struct world *w, struct arena *a, const struct pull_request *r,
                                  struct pull_answer *ans)
{
	struct desk_call c = {.desk = w->desk,
	                      .arena = a,
	                      .caller = the_window(),
	                      .operator= w->operator,
	                      .req = r,
	                      .ans = ans,
	                      .pack = pack_pull};

	c.request_id = span_of("0123456789abcdef", REQUEST_ID_LEN);
	return c;
}

static void asked_twice_is_answered_once(void **state)
{
	struct world *w = *state;
	struct pull_answer ans = {0}, again = {0};
	struct pull_request r;
	struct desk_call c;
	struct audit_read before = {.w = w}, after = {.w = w};

	issued(w, person_request(w));
	r = pull_of(use_code(w));
	c = pull_call(w, w->arena, &r, &ans);
	assert_err(desk_run(&c, &use_pull), ERR_OK);
	assert_false(c.replayed);
	assert_err(store_read(w->store, read_audit, &before), ERR_OK);
	c = pull_call(w, w->arena, &r, &again);
	assert_err(desk_run(&c, &use_pull), ERR_OK);
	assert_true(c.replayed);
	assert_span(c.reply, span_str(ans.receipt_id));
	assert_err(store_read(w->store, read_audit, &after), ERR_OK);
	assert_int_equal(before.n, after.n);
	c = pull_call(w, w->arena, &r, &again);
	c.request_digest[0] = 1;
	assert_err(desk_run(&c, &use_pull), ERR_REQUEST_ID_REUSED);
	c = pull_call(w, w->arena, &r, &again);
	c.request_id = span_of("another request!", REQUEST_ID_LEN);
	assert_err(desk_run(&c, &use_pull), ERR_CODE_USED);
}

/* ---- a race for one code -------------------------------------------------------------------- */

enum { RACERS = 64 };

struct racer {
	struct world *w;
	const char *code;
	pthread_t thread;
	uint8_t id[REQUEST_ID_LEN];
	enum err result;
	size_t fields;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct arena *a = arena_new(16 << 20);
	struct pull_request req = pull_of(r->code);
	struct pull_answer ans = {0};
	struct desk_call c = pull_call(r->w, a, &req, &ans);

	c.request_id = span_of(r->id, REQUEST_ID_LEN);
	r->result = desk_run(&c, &use_pull);
	r->fields = r->result == ERR_OK ? ans.materials[0].n_fields : 0;
	arena_free(a);
	return NULL;
}

static void one_of_many_gets_the_data(void **state)
{
	struct world *w = *state;
	struct racer racers[RACERS] = {0};
	const char *code;
	size_t won = 0;

	issued(w, person_request(w));
	code = use_code(w);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i].w = w;
		racers[i].code = code;
		racers[i].id[0] = (uint8_t)i;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		if (racers[i].result == ERR_OK)
			won++;
		else
			assert_err(racers[i].result, ERR_CODE_USED);
	}
	assert_int_equal(won, 1);
}

/* A licence is suspended between a pull's judgement and its commit: it begins again, and tells the new state. */
static void changed_under_the_pull(void **state)
{
	struct world *w = *state;
	const char *id = issued(w, person_request(w)), *code = use_code(w);
	struct pull_request r = pull_of(code);
	struct pull_answer ans = {0};
	struct desk_call c = pull_call(w, w->arena, &r, &ans);

	assert_err(desk_begin(&c, &use_pull), ERR_OK);
	assert_err(set_state(w, id, LICENCE_SUSPENDED), ERR_OK);
	assert_err(store_write(w->store, desk_commit, &c), ERR_STORE_CHANGED);
	assert_err(desk_begin(&c, &use_pull), ERR_OK);
	assert_err(store_write(w->store, desk_commit, &c), ERR_OK);
	assert_int_equal(ans.materials[0].status, MATERIAL_NOT_VALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(flipped_byte_is_caught),
	    WORLD(moved_record_is_caught),
	    WORLD(receipt_proves_what_was_delivered),
	    WORLD(receipts_of_others_are_unknown),
	    WORLD(every_use_has_an_entry_without_personal_data),
	    WORLD(asked_twice_is_answered_once),
	    WORLD(one_of_many_gets_the_data),
	    WORLD(changed_under_the_pull),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
