/* Full disks and sudden death: what was acknowledged is there, what was refused left nothing, and the store goes on. */
#include "test_store.h"

#include "store/internal.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { BIG = 8 << 20, MEDIUM = 40 << 10, ROUNDS = 20, WRITERS = 4 };

/* ---- one write: a receipt and its entry, together ------------------------------------------- */

struct piece {
	uint32_t number;
	size_t size;
	int wait_ms;
	enum err got;
	atomic_int answers;
};

static uint8_t filler[BIG];

static enum err piece_fn(struct store_tx *tx, void *arg)
{
	struct piece *p = arg;
	char id[16];
	struct receipt_row r = {.id = id, .principal = (char *)"p", .body = span_of(filler, p->size)};
	struct audit_row entry = {.action = (char *)"a", .principal = (char *)"p"};
	enum err e;

	snprintf(id, sizeof(id), "R%u", (unsigned)p->number);
	if (p->wait_ms != 0)
		nanosleep(&(struct timespec){.tv_nsec = p->wait_ms * 1000000L}, NULL);
	e = store_receipt_insert(tx, &r);
	return e == ERR_OK ? store_audit_append(tx, &entry) : e;
}

static void piece_done(void *arg, enum err result)
{
	struct piece *p = arg;

	p->got = result;
	p->answers++;
}

static enum err write_piece(struct box *b, uint32_t number, size_t size)
{
	struct piece p = {.number = number, .size = size};

	return store_write(b->store, piece_fn, &p);
}

struct there {
	struct box *b;
	uint32_t number;
	bool found;
};

static enum err look(struct store_tx *tx, void *arg)
{
	struct there *t = arg;
	struct arena *a = arena_new(BIG + 4096);
	struct receipt_row r;
	char id[16];
	enum err e;

	snprintf(id, sizeof(id), "R%u", (unsigned)t->number);
	e = store_receipt_get(tx, a, id, &r);
	arena_free(a);
	t->found = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool is_there(struct box *b, uint32_t number)
{
	struct there t = {.b = b, .number = number};

	assert_int_equal(store_read(b->store, look, &t), ERR_OK);
	return t.found;
}

static enum err audit_size(struct store_tx *tx, void *arg)
{
	return store_audit_size(tx, arg);
}

static uint64_t entries(struct box *b)
{
	uint64_t n = 0;

	assert_int_equal(store_read(b->store, audit_size, &n), ERR_OK);
	return n;
}

/* ---- full disk ------------------------------------------------------------------------------ */

/* Write until it is refused; gives the number of pieces that were accepted. */
static uint32_t fill(struct box *b)
{
	uint32_t n = 0;
	enum err e = ERR_OK;

	while (n < 10000 && (e = write_piece(b, n, MEDIUM)) == ERR_OK)
		n++;
	assert_int_equal(e, ERR_STORE_FULL);
	return n;
}

static void check_filled(struct box *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_true(is_there(b, i));
	assert_false(is_there(b, n));
	assert_int_equal(entries(b), n);
}

/* One that cannot fit among some that can: only it is refused. */
static void big_among_small(struct box *b, uint32_t first)
{
	struct piece p[6] = {{.wait_ms = 50}};

	for (uint32_t i = 0; i < 6; i++) {
		p[i].number = first + i;
		p[i].size = i == 3 ? BIG : 10;
		assert_int_equal(store_submit(b->store, piece_fn, &p[i], piece_done), ERR_OK);
	}
	assert_int_equal(write_piece(b, first + 6, 10), ERR_OK);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(p[i].answers, 1);
		assert_int_equal(p[i].got, i == 3 ? ERR_STORE_FULL : ERR_OK);
		assert_int_equal(is_there(b, first + i), i != 3);
	}
}

static void limit_files(rlim_t bytes)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes < r.rlim_max ? bytes : r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* A function that goes on after the store was full, and says that all is well. */
static enum err stubborn(struct store_tx *tx, void *arg)
{
	const struct db_driver *d = tx->db->driver;
	struct piece big = {.number = 1, .size = BIG}, small = {.number = 2, .size = 10};
	enum err e = d->script(tx->db, "PRAGMA max_page_count=300"); /* not the disk, but the same answer in the middle */

	*(enum err *)arg = piece_fn(tx, &big);
	if (e == ERR_OK)
		e = d->script(tx->db, "PRAGMA max_page_count=1000000");
	(void)!piece_fn(tx, &small);
	return e;
}

static void not_talked_away(void **state)
{
	struct box *b = *state;
	enum err first = ERR_OK;

	assert_int_equal(store_write(b->store, stubborn, &first), ERR_STORE_FULL);
	assert_int_equal(first, ERR_STORE_FULL);
	assert_false(is_there(b, 1));
	assert_false(is_there(b, 2));
	assert_int_equal(entries(b), 0);
}

/* And one that is full only at its end. */
static enum err both(struct store_tx *tx, void *arg)
{
	struct piece big = {.number = 1, .size = BIG}, small = {.number = 2, .size = 10};
	enum err e = piece_fn(tx, &big);

	(void)arg;
	return e == ERR_OK ? piece_fn(tx, &small) : e;
}

static void full_at_the_commit(void **state)
{
	struct box *b = *state;

	signal(SIGXFSZ, SIG_IGN);
	limit_files(4 << 20);
	assert_int_equal(store_write(b->store, both, NULL), ERR_STORE_FULL);
	limit_files(RLIM_INFINITY);
	assert_false(is_there(b, 1));
	assert_false(is_there(b, 2));
	assert_int_equal(entries(b), 0);
	assert_int_equal(store_write(b->store, both, NULL), ERR_OK);
	assert_int_equal(entries(b), 2);
}

static void put_ballast(const char *path, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(filler, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* In a view of the file system that only this process has, so that nothing stays mounted after it. */
static bool mount_small(const char *dir)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", dir, "tmpfs", 0, "size=6m") == 0;
}

static void disk_full(void **state)
{
	char dir[] = "/tmp/yzfull.XXXXXX", ballast[64];
	struct box *b;
	uint32_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	if (!mount_small(dir)) {
		rmdir(dir);
		printf("note: no right to mount a small disk, skipped\n");
		return;
	}
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	put_ballast(ballast, 2 << 20);
	b = box_new_in(dir);
	n = fill(b);
	check_filled(b, n);
	assert_int_equal(write_piece(b, n, MEDIUM), ERR_STORE_FULL); /* and again */
	box_close(b);
	box_open(b); /* a full disk does not keep the store from being opened and read */
	check_filled(b, n);
	assert_int_equal(unlink(ballast), 0);
	assert_int_equal(write_piece(b, n, MEDIUM), ERR_OK);
	check_filled(b, n + 1);
	big_among_small(b, n + 1);
	box_close(b);
	box_open(b); /* what is on the disk is whole */
	assert_true(is_there(b, n));
	assert_int_equal(entries(b), n + 7);
	box_free(b);
	assert_int_equal(umount(dir), 0);
	rmdir(dir);
}

/* The same without a disk of its own: no file may grow past a limit. */
static void file_limit(void **state)
{
	struct box *b = box_new_in("/tmp");
	uint32_t n;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	limit_files(2 << 20);
	n = fill(b);
	limit_files(RLIM_INFINITY);
	check_filled(b, n);
	limit_files(6 << 20);
	big_among_small(b, n);
	limit_files(RLIM_INFINITY);
	assert_int_equal(write_piece(b, n + 3, BIG), ERR_OK);
	assert_int_equal(entries(b), n + 7);
	box_free(b);
}

/* A full disk while the store is made leaves nothing that would be taken for one. */
static void full_at_creation(void **state)
{
	struct box *b = box_empty("/tmp");
	struct err_note note;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	limit_files(50000);
	assert_int_equal(store_create(&b->options, &note), ERR_STORE_FULL);
	limit_files(RLIM_INFINITY);
	assert_int_equal(store_open(&b->options, &b->store, &note), ERR_STORE_NOT_INIT);
	assert_int_equal(store_create(&b->options, &note), ERR_OK);
	box_open(b);
	box_free(b);
}

/* ---- kill -9 -------------------------------------------------------------------------------- */

struct child {
	struct box *b;
	uint32_t first;
	int pipe;
};

static void *write_and_tell(void *arg)
{
	struct child *c = arg;

	for (uint32_t i = c->first; write_piece(c->b, i, 200) == ERR_OK; i += WRITERS)
		if (write(c->pipe, &i, sizeof(i)) != sizeof(i))
			break;
	return NULL;
}

static void run_child(struct box *b, uint32_t first, int pipe)
{
	struct child c[WRITERS];
	pthread_t threads[WRITERS];

	if (store_open(&b->options, &b->store, NULL) != ERR_OK)
		_exit(1);
	for (uint32_t i = 0; i < WRITERS; i++) {
		c[i] = (struct child){.b = b, .first = first + i, .pipe = pipe};
		if (pthread_create(&threads[i], NULL, write_and_tell, &c[i]) != 0)
			_exit(1);
	}
	for (uint32_t i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* Lets a child write, kills it in the middle; gives how many writes it acknowledged, and which. */
static size_t one_life(struct box *b, uint32_t first, uint32_t *told, size_t max, unsigned round)
{
	int fd[2], status;
	size_t n = 0;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[0]);
		run_child(b, first, fd[1]);
	}
	close(fd[1]);
	while (n < 3 + round * 7 && n < max && read(fd[0], &told[n], sizeof(told[n])) == sizeof(told[n]))
		n++;
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (n < max && read(fd[0], &told[n], sizeof(told[n])) == sizeof(told[n]))
		n++;
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return n;
}

static uint64_t count_receipts(struct box *b, uint32_t from, uint32_t to)
{
	uint64_t n = 0;

	for (uint32_t i = from; i < to; i++)
		n += is_there(b, i);
	return n;
}

static void killed(void **state)
{
	enum { SPAN = 100000, MAX = 20000 };
	struct box *b = *state;
	uint32_t *told = calloc(MAX, sizeof(*told));
	uint64_t before = 0;

	assert_non_null(told);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t first = round * SPAN, highest = first;
		uint64_t found;
		size_t n;

		box_close(b);
		n = one_life(b, first, told, MAX, round);
		assert_true(n >= 3 + round * 7);
		box_open(b);
		for (size_t i = 0; i < n; i++) {
			assert_true(is_there(b, told[i]));
			highest = told[i] > highest ? told[i] : highest;
		}
		/* a receipt and its entry came together or not at all, also of writes that nobody was told of */
		found = count_receipts(b, first, highest + 4 * WRITERS + 1);
		assert_true(found >= n);
		assert_int_equal(entries(b), before + found);
		before += found;
	}
	free(told);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(disk_full), cmocka_unit_test(file_limit), cmocka_unit_test(full_at_creation),
	    T(not_talked_away),          T(full_at_the_commit),        T(killed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
