/* SQLite's log is put back into the file while the store goes on, stays bounded, and nothing hangs on who does it. */
#include "test_store.h"

#include "store/sqlite_log.h"

#define T(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { PIECE = 100 << 10, PAGE = 4096, FRAME = PAGE + 24, PATIENCE_MS = 10000 };

static uint8_t filler[PIECE];

static enum err one_receipt(struct store_tx *tx, void *arg)
{
	char id[16];
	struct receipt_row r = {.id = id, .principal = (char *)"p", .body = span_of(filler, PIECE)};

	snprintf(id, sizeof(id), "R%u", *(const unsigned *)arg);
	return store_receipt_insert(tx, &r);
}

static void write_octets(struct box *b, size_t octets, unsigned *number)
{
	for (size_t done = 0; done < octets; done += PIECE, ++*number)
		assert_int_equal(store_write(b->store, one_receipt, number), ERR_OK);
}

static off_t size_of(const struct box *b, const char *tail)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", b->path, tail);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Less than what makes the writer do it. */
static void put_back_beside(void **state)
{
	struct box *b = *state;
	unsigned number = 0;
	off_t wanted = (off_t)(LOG_PART * 2) * PAGE;

	write_octets(b, (size_t)LOG_PART * 4 * PAGE, &number);
	for (int ms = 0; size_of(b, "") < wanted && ms < PATIENCE_MS; ms += 10)
		nanosleep(&(struct timespec){.tv_nsec = 10 * 1000000L}, NULL);
	assert_true(size_of(b, "") >= wanted);
	assert_true(size_of(b, "-wal") < (off_t)LOG_MOST * FRAME);
}

static void bounded(void **state)
{
	struct box *b = *state;
	unsigned number = 0;

	write_octets(b, (size_t)LOG_MOST * 3 * PAGE, &number);
	assert_true(size_of(b, "-wal") < (off_t)LOG_MOST * 3 / 2 * FRAME);
	assert_true(size_of(b, "") > (off_t)LOG_MOST * 2 * PAGE);
	store_close(b->store); /* in the middle of whatever the thread does */
	b->store = NULL;
	box_open(b);
	assert_int_equal(size_of(b, "-wal"), 0);
	write_octets(b, 1, &number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(put_back_beside), T(bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
