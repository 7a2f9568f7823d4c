/* One server serves an SQLite store: a second is refused as long as the first lives, and no longer. */
#include "test_store.h"

#include "base/file.h"
#include "store/claim.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { NOBODY = 65534, PATH = 160, LOCK = 180 };

static void lock_of(const char *store, char out[LOCK])
{
	snprintf(out, LOCK, "%s-server", store);
}

static int setup(void **state)
{
	struct box *b = box_empty("/tmp");
	struct err_note note;

	assert_int_equal(store_create(&b->options, &note), ERR_OK);
	b->options.serves = true;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;
	char lock[LOCK];

	lock_of(b->path, lock);
	unlink(lock);
	box_free(b);
	return 0;
}

/* As the server that another one's `url` names. */
static enum err serve(struct box *b, const char *url, struct store **out, struct err_note *note)
{
	struct store_options o = b->options;

	*note = (struct err_note){0};
	o.url = url;
	return store_open(&o, out, note);
}

static void refused(struct box *b, const char *url)
{
	struct store *s = NULL;
	struct err_note note;

	assert_int_equal(serve(b, url, &s, &note), ERR_STORE_SERVED);
	assert_null(s);
	assert_non_null(strstr(note.help, b->path));
}

static void accepted(struct box *b, const char *url)
{
	struct store *s = NULL;
	struct err_note note;

	assert_int_equal(serve(b, url, &s, &note), ERR_OK);
	store_close(s);
}

static enum err any_write(struct store_tx *tx, void *arg)
{
	struct receipt_row r = {.id = arg, .principal = (char *)"w1"};

	return store_receipt_insert(tx, &r);
}

static void put_file(const char *path, const char *text)
{
	assert_int_equal(file_write(path, span_str(text), 0600, NULL), ERR_OK);
}

static void second_refused(void **state)
{
	struct box *b = *state;
	char lock[LOCK], me[32];
	struct store *s = NULL;
	struct err_note note;
	struct stat st;

	box_open(b);
	refused(b, b->url);
	snprintf(me, sizeof(me), "Process %d ", (int)getpid());
	assert_int_equal(serve(b, b->url, &s, &note), ERR_STORE_SERVED);
	assert_int_equal(strncmp(note.help, me, strlen(me)), 0);
	assert_int_equal(store_write(b->store, any_write, (void *)"R1"), ERR_OK); /* the first goes on */
	lock_of(b->path, lock);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	box_close(b);
	accepted(b, b->url);
	accepted(b, b->url);
}

/* A command that only opens the store does so whoever serves it, and is in nobody's way. */
static void beside(void **state)
{
	struct box *b = *state;
	struct store_options o = b->options;
	struct store *s = NULL;
	struct err_note note;

	o.serves = false;
	box_open(b);
	assert_int_equal(store_open(&o, &s, &note), ERR_OK);
	assert_int_equal(store_write(s, any_write, (void *)"R1"), ERR_OK);
	store_close(s);
	refused(b, b->url);
	box_close(b);
	assert_int_equal(store_open(&o, &s, &note), ERR_OK);
	accepted(b, b->url);
	store_close(s);
}

/* A lock that SQLite took is not lost by what happens to the other file, nor the other way round. */
static void descriptors(void **state)
{
	struct box *b = *state;
	char lock[LOCK];

	box_open(b);
	close(open(b->path, O_RDWR | O_CLOEXEC));
	lock_of(b->path, lock);
	close(open(lock, O_RDWR | O_CLOEXEC));
	refused(b, b->url);
}

static void serve_until_killed(struct box *b, int tell)
{
	struct store *s = NULL;
	struct err_note note;
	char said = serve(b, b->url, &s, &note) == ERR_OK ? 'y' : 'n';

	alarm(60); /* when the test does not come to kill it */
	if (write(tell, &said, 1) == 1)
		pause();
	_exit(1);
}

/* In a process of its own, from where it serves. */
static pid_t other_server(struct box *b)
{
	int ends[2];
	char said = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		serve_until_killed(b, ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &said, 1), 1);
	close(ends[0]);
	assert_int_equal(said, 'y');
	return pid;
}

static void freed_by_kill(void **state)
{
	struct box *b = *state;
	struct store *s = NULL;
	struct err_note note;
	pid_t pid = other_server(b);
	char who[32];

	snprintf(who, sizeof(who), "Process %d ", (int)pid);
	assert_int_equal(serve(b, b->url, &s, &note), ERR_STORE_SERVED);
	assert_int_equal(strncmp(note.help, who, strlen(who)), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	accepted(b, b->url);
}

/* What a server starts does not go on holding its store. */
static void not_handed_on(void **state)
{
	struct box *b = *state;
	pid_t pid;

	box_open(b);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl("/bin/sleep", "sleep", "60", (char *)NULL);
		_exit(127);
	}
	usleep(100000); /* until it is another program */
	box_close(b);
	accepted(b, b->url);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void other_names(void **state)
{
	struct box *b = *state;
	char link[PATH], folder[PATH], url[256], here[4096];

	snprintf(link, sizeof(link), "%s.link", b->dir);
	snprintf(folder, sizeof(folder), "%s.folder", b->dir);
	assert_int_equal(symlink(b->path, link), 0);
	assert_int_equal(symlink(b->dir, folder), 0);
	box_open(b);
	snprintf(url, sizeof(url), "sqlite:%s", link);
	refused(b, url);
	snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
	refused(b, url);
	snprintf(url, sizeof(url), "sqlite:%s/../%s/./store.db", b->dir, strrchr(b->dir, '/') + 1);
	refused(b, url);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(b->dir), 0);
	refused(b, "sqlite:store.db");
	refused(b, "sqlite:./store.db");
	box_close(b);
	accepted(b, "sqlite:store.db");
	assert_int_equal(chdir(here), 0);
	/* And the other way round. */
	snprintf(url, sizeof(url), "sqlite:%s", link);
	b->options.url = url;
	box_open(b);
	b->options.url = b->url;
	refused(b, b->url);
	unlink(link);
	unlink(folder);
}

static void two_in_one_folder(void **state)
{
	static const char *const names[] = {"other.db", "store", "store.db-server.db"};
	struct box *b = *state;
	char path[PATH], lock[LOCK], url[200];
	struct store *s;
	struct err_note note;

	box_open(b);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct store_options o = b->options;

		snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
		snprintf(url, sizeof(url), "sqlite:%s", path);
		o.url = url;
		assert_int_equal(store_create(&o, &note), ERR_OK);
		assert_int_equal(store_open(&o, &s, &note), ERR_OK);
		store_close(s);
		lock_of(path, lock);
		assert_int_equal(unlink(lock), 0);
		assert_int_equal(unlink(path), 0);
	}
}

/* Whatever stands in the file, the lock is what counts; a number that is none, or nobody's, is not told. */
static void rubbish(void **state)
{
	static const char *const texts[] = {"",     "rubbish that was left here, and is longer than a number\n",
	                                    "0\n",  "-1\n",
	                                    "12",   "12x\n",
	                                    "\n\n", "99999999999999999999\n",
	                                    "1 2\n"};
	static const char nobody[] = "Another process ";
	struct box *b = *state;
	char lock[LOCK], text[64];
	struct store *s = NULL;
	struct err_note note;
	int fd;

	lock_of(b->path, lock);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put_file(lock, texts[i]);
		box_open(b);
		fd = open(lock, O_RDWR | O_CLOEXEC);
		memset(text, 0, sizeof(text));
		assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
		assert_int_equal(atoi(text), getpid()); /* all that was there before is gone */
		assert_int_equal(strlen(text), strspn(text, "0123456789\n"));
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, texts[i], strlen(texts[i]), 0), strlen(texts[i]));
		close(fd);
		assert_int_equal(serve(b, b->url, &s, &note), ERR_STORE_SERVED);
		assert_int_equal(strncmp(note.help, nobody, strlen(nobody)), 0);
		box_close(b);
	}
}

/* Something else under this name is neither followed nor used. */
static void no_lock_file(void **state)
{
	struct box *b = *state;
	char lock[LOCK], victim[PATH];
	struct store *s = NULL;
	struct err_note note;
	struct stat st;

	lock_of(b->path, lock);
	snprintf(victim, sizeof(victim), "%s.victim", b->dir);
	put_file(victim, "precious");
	assert_int_equal(symlink(victim, lock), 0);
	assert_int_equal(serve(b, b->url, &s, &note), ERR_FILE_UNWRITABLE);
	assert_non_null(strstr(note.help, lock));
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 8);
	unlink(lock);
	unlink(victim);
	assert_int_equal(symlink(victim, lock), 0); /* that leads nowhere */
	assert_int_equal(serve(b, b->url, &s, &note), ERR_FILE_UNWRITABLE);
	assert_int_not_equal(stat(victim, &st), 0);
	unlink(lock);
	assert_int_equal(mkdir(lock, 0700), 0);
	assert_int_equal(serve(b, b->url, &s, &note), ERR_FILE_UNWRITABLE);
	rmdir(lock);
	assert_int_equal(mkfifo(lock, 0600), 0);
	assert_int_equal(serve(b, b->url, &s, &note), ERR_FILE_UNWRITABLE);
	unlink(lock);
	accepted(b, b->url);
}

/* The errors before are those of a store that is only opened, and nothing is put beside what is none. */
static void no_store(void **state)
{
	struct box *b = box_empty("/tmp");
	char lock[LOCK], url[200];
	struct store *s = NULL;
	struct err_note note;

	(void)state;
	b->options.serves = true;
	lock_of(b->path, lock);
	assert_int_equal(serve(b, b->url, &s, &note), ERR_STORE_NOT_INIT);
	assert_int_not_equal(access(lock, F_OK), 0);
	put_file(b->path, "");
	assert_int_equal(serve(b, b->url, &s, &note), ERR_STORE_NOT_INIT);
	put_file(b->path, "another program's file");
	assert_int_equal(serve(b, b->url, &s, &note), ERR_STORE_CORRUPT);
	assert_int_not_equal(access(lock, F_OK), 0);
	snprintf(url, sizeof(url), "sqlite:%s/no/such/folder.db", b->dir);
	assert_int_equal(serve(b, url, &s, &note), ERR_STORE_NOT_INIT);
	assert_int_equal(serve(b, "sqlite:/tmp", &s, &note), ERR_STORE_CORRUPT);
	box_free(b);
}

/* After a refusal of another kind the store is free. */
static void freed_by_failure(void **state)
{
	struct box *b = *state;
	struct store *s = NULL;
	struct err_note note;

	b->master[0] ^= 1;
	assert_int_equal(serve(b, b->url, &s, &note), ERR_MASTER_KEY_WRONG);
	b->master[0] ^= 1;
	accepted(b, b->url);
}

/* ---- what the folder may refuse -------------------------------------------------------------- */

/* As somebody who is not root: what the claim of a store in this folder says, and that it says why. */
static enum err claim_as_nobody(const char *store, const char *why)
{
	struct store_claim *c = NULL;
	struct err_note note = {0};
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
			_exit(255);
		enum err e = claim_file(store, &c, &note);
		_exit(e != ERR_OK && strstr(note.help, why) == NULL ? 255 : (int)e);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (enum err)WEXITSTATUS(status);
}

static void folder_not_writable(void **state)
{
	struct box *b = *state;
	char lock[LOCK];

	lock_of(b->path, lock);
	assert_int_equal(chmod(b->dir, 0555), 0);
	assert_int_equal(claim_as_nobody(b->path, "Permission denied"), ERR_FILE_UNWRITABLE);
	assert_int_not_equal(access(lock, F_OK), 0);
	assert_int_equal(chmod(b->dir, 0777), 0);
	put_file(lock, "somebody else's\n");
	assert_int_equal(chmod(lock, 0), 0);
	assert_int_equal(claim_as_nobody(b->path, lock), ERR_FILE_UNWRITABLE);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(claim_as_nobody(b->path, ""), ERR_OK);
	assert_int_equal(chmod(b->dir, 0700), 0);
}

/* A lock file that root makes belongs to whom the store does, so that it is in nobody's way later. */
static void made_by_root(void **state)
{
	struct box *b = *state;
	char lock[LOCK];
	struct stat st;

	if (geteuid() != 0) {
		print_message("note: this needs root, skipped\n");
		skip();
	}
	lock_of(b->path, lock);
	assert_int_equal(chown(b->dir, NOBODY, NOBODY), 0);
	assert_int_equal(chown(b->path, NOBODY, NOBODY), 0);
	accepted(b, b->url);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_gid, NOBODY);
	assert_int_equal(claim_as_nobody(b->path, ""), ERR_OK);
}

static void fill(const char *path)
{
	static const char page[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	while (write(fd, page, sizeof(page)) > 0)
		;
	close(fd);
}

/* No room for the file is an error that says so; no room for what stands in it is none. */
static void full_disk(void **state)
{
	struct box *b = *state;
	char store[PATH], lock[LOCK], ballast[PATH], last[PATH];
	struct store_claim *c = NULL, *other = NULL;
	struct err_note note = {0};

	snprintf(store, sizeof(store), "%s/small/store.db", b->dir);
	snprintf(ballast, sizeof(ballast), "%s/small/ballast", b->dir);
	snprintf(last, sizeof(last), "%s/small/last", b->dir);
	*strrchr(store, '/') = '\0';
	assert_int_equal(mkdir(store, 0700), 0);
	if (mount("tmpfs", store, "tmpfs", 0, "size=16k,nr_inodes=3,mode=0700") != 0) {
		assert_int_equal(rmdir(store), 0);
		print_message("note: mounting needs root, skipped\n");
		skip();
	}
	store[strlen(store)] = '/';
	lock_of(store, lock);
	fill(ballast);
	put_file(last, "");
	enum err none = claim_file(store, &c, &note);
	bool said = strstr(note.help, "No space left") != NULL;
	unlink(last);
	enum err got = claim_file(store, &c, NULL);
	enum err second = claim_file(store, &other, &note);
	store_unclaim(c);
	store_unclaim(other);
	*strrchr(store, '/') = '\0';
	assert_int_equal(umount2(store, MNT_DETACH), 0);
	rmdir(store);
	assert_int_equal(none, ERR_STORE_FULL);
	assert_true(said);
	assert_int_equal(got, ERR_OK);
	assert_int_equal(second, ERR_STORE_SERVED);
	assert_non_null(strstr(note.help, "Another process"));
}

/* ---- putting a copy back --------------------------------------------------------------------- */

/* The store's files are gone, and who serves it still has them: no other one comes in their place. */
static void restore(void **state)
{
	struct box *b = *state;
	struct store_watch quiet = {NULL, NULL};
	struct store_claim *claim = NULL;
	char copy[PATH], away[PATH], link[PATH], url[256];
	struct err_note note;

	snprintf(copy, sizeof(copy), "%s.copy", b->dir);
	snprintf(away, sizeof(away), "%s.away", b->dir);
	snprintf(link, sizeof(link), "%s.link", b->dir);
	snprintf(url, sizeof(url), "sqlite:%s/store.db", link);
	assert_int_equal(symlink(b->dir, link), 0);
	assert_int_equal(store_backup(b->url, copy, quiet, &note), ERR_OK);
	box_open(b);
	assert_int_equal(store_backup(b->url, away, quiet, &note), ERR_OK); /* which needs no claim */
	unlink(away);
	assert_int_equal(store_restore(b->url, copy, quiet, &claim, &note), ERR_STORE_SERVED);
	assert_int_equal(rename(b->path, away), 0);
	assert_int_equal(store_restore(b->url, copy, quiet, &claim, &note), ERR_STORE_SERVED);
	assert_int_equal(store_restore(url, copy, quiet, &claim, &note), ERR_STORE_SERVED);
	assert_null(claim);
	assert_int_not_equal(access(b->path, F_OK), 0);
	assert_int_equal(rename(away, b->path), 0);
	box_close(b);
	assert_int_equal(store_restore(b->url, copy, quiet, &claim, &note), ERR_ALREADY_EXISTS);
	accepted(b, b->url); /* which has let go of it */
	assert_int_equal(unlink(b->path), 0);
	assert_int_equal(store_restore(url, copy, quiet, &claim, &note), ERR_OK);
	assert_non_null(claim);
	refused(b, b->url); /* before the codes are cancelled */
	b->options.serves = false;
	accepted(b, b->url);
	b->options.serves = true;
	store_unclaim(claim);
	accepted(b, b->url);
	unlink(copy);
	unlink(link);
}

static void restore_to_nowhere(void **state)
{
	struct box *b = *state;
	struct store_claim *claim = NULL;
	struct err_note note = {0};
	char url[200];

	snprintf(url, sizeof(url), "sqlite:%s/no/store.db", b->dir);
	assert_int_equal(store_restore(url, b->path, (struct store_watch){NULL, NULL}, &claim, &note), ERR_FILE_UNWRITABLE);
	assert_non_null(strstr(note.help, "No such file"));
	assert_null(claim);
}

/* ---- PostgreSQL ------------------------------------------------------------------------------ */

static void several_serve(void **state)
{
	struct box *b = *state;

	box_open(b);
	accepted(b, b->url);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest in_file[] = {
	    T(second_refused),    T(beside),
	    T(descriptors),       T(freed_by_kill),
	    T(not_handed_on),     T(other_names),
	    T(two_in_one_folder), T(rubbish),
	    T(no_lock_file),      cmocka_unit_test(no_store),
	    T(freed_by_failure),  T(folder_not_writable),
	    T(made_by_root),      T(full_disk),
	    T(restore),           T(restore_to_nowhere),
	};
	const struct CMUnitTest in_database[] = {T(several_serve)};

	return on_postgres() ? cmocka_run_group_tests(in_database, NULL, NULL)
	                     : cmocka_run_group_tests(in_file, NULL, NULL);
}
