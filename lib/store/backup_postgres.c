/*
 * Copies of a PostgreSQL store by the database's own tools, pg_dump and pg_restore: they know every version of it.
 * The address reaches them through the environment, so that a password stands on no command line. Large operators copy
 * the whole server instead (docs/postgresql.md).
 */
#include "store/backup.h"
#include "store/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ENV_EXTRA = 64, PATH_ROOM = 4096, POLL_US = 50000, TEXT_ROOM = 1024 };

struct tool {
	const char *name;
	const char *const *argv;
	char **envp;
	const char *grows; /* the file that is written; NULL */
	struct store_watch watch;
};

static void free_env(char **env)
{
	for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
		explicit_bzero(env[i], strlen(env[i])); /* one of them may be a password */
		free(env[i]);
	}
	free(env);
}

static bool names_postgres(const char *assignment)
{
	return strncmp(assignment, "PG", 2) == 0;
}

/* Ours without its PG… variables, then the address' parts under the names that libpq reads. */
static char **make_env(const PQconninfoOption *parts)
{
	size_t ours = 0, n = 0;
	char **env;

	while (environ[ours] != NULL)
		ours++;
	env = calloc(ours + ENV_EXTRA, sizeof(*env));
	if (env == NULL)
		return NULL;
	for (size_t i = 0; i < ours; i++)
		if (!names_postgres(environ[i]) && (env[n] = strdup(environ[i])) != NULL)
			n++;
	for (; parts->keyword != NULL && n < ours + ENV_EXTRA - 1; parts++) {
		if (parts->envvar == NULL || parts->val == NULL || parts->val[0] == '\0')
			continue;
		if (asprintf(&env[n], "%s=%s", parts->envvar, parts->val) < 0) {
			env[n] = NULL;
			break;
		}
		n++;
	}
	return env;
}

static const char *part_of(const PQconninfoOption *parts, const char *keyword)
{
	for (; parts->keyword != NULL; parts++)
		if (strcmp(parts->keyword, keyword) == 0)
			return parts->val != NULL ? parts->val : "";
	return "";
}

static void tell(const struct tool *t)
{
	struct stat st;

	if (t->watch.progress != NULL && t->grows != NULL && stat(t->grows, &st) == 0)
		t->watch.progress(t->watch.arg, (uint64_t)st.st_size, 0);
}

/* Its first words of complaint, for the note: the tools name tables and files, never values. */
static enum err wait_for(const struct tool *t, pid_t pid, int complaints, struct err_note *note)
{
	char text[TEXT_ROOM] = "", rest[TEXT_ROOM];
	size_t n = 0;
	int status = 0;

	for (;;) {
		ssize_t got = n < sizeof(text) - 1 ? read(complaints, text + n, sizeof(text) - 1 - n)
		                                   : read(complaints, rest, sizeof(rest));
		if (got > 0 && n < sizeof(text) - 1)
			n += (size_t)got;
		if (got > 0)
			continue;
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		tell(t);
		usleep(POLL_US);
	}
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return ERR_OK;
	return err_note_set(note, ERR_STORE_IO, NULL, "%s: %.180s", t->name, text[0] != '\0' ? text : "it was ended");
}

static enum err run_tool(const struct tool *t, struct err_note *note)
{
	posix_spawn_file_actions_t io;
	int ends[2], rc;
	pid_t pid;
	enum err e;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_note_set(note, ERR_INTERNAL, NULL, "%s", strerror(errno));
	posix_spawn_file_actions_init(&io);
	posix_spawn_file_actions_addopen(&io, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&io, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&io, ends[1], STDERR_FILENO);
	rc = posix_spawnp(&pid, t->name, &io, NULL, (char *const *)(uintptr_t)t->argv, t->envp);
	posix_spawn_file_actions_destroy(&io);
	close(ends[1]);
	e = rc == 0 ? wait_for(t, pid, ends[0], note)
	            : err_note_set(note, ERR_FILE_UNREADABLE, NULL, "%s: %s. It comes with the package postgresql-client.",
	                           t->name, strerror(rc));
	close(ends[0]);
	return e;
}

static enum err parse_where(const char *where, PQconninfoOption **parts, char ***env, struct err_note *note)
{
	char *why = NULL;

	*parts = PQconninfoParse(where, &why);
	PQfreemem(why); /* it may quote the address */
	if (*parts == NULL)
		return err_note_set(note, ERR_CONFIG_INVALID, "store", "The store's address cannot be read.");
	*env = make_env(*parts);
	return *env != NULL ? ERR_OK : ERR_NO_MEMORY;
}

static enum err put_in_place(const char *draft, const char *path, struct err_note *note)
{
	int fd = open(draft, O_RDONLY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	if (!synced || chmod(draft, 0600) != 0 || link(draft, path) != 0)
		return err_note_set(note, errno == EEXIST ? ERR_ALREADY_EXISTS : ERR_FILE_UNWRITABLE, NULL, "%.150s: %s", path,
		                    strerror(errno));
	return ERR_OK;
}

enum err backup_postgres(const char *where, const char *path, struct store_watch watch, struct err_note *note)
{
	char draft[PATH_ROOM], file[PATH_ROOM + 8];
	const char *argv[] = {"pg_dump",
	                      "--format=custom",
	                      "--no-owner",
	                      "--no-privileges",
	                      "--no-password",
	                      "--exclude-table=" DB_COPY_MARK,
	                      file,
	                      NULL};
	PQconninfoOption *parts = NULL;
	char **env = NULL;
	enum err e = parse_where(where, &parts, &env, note);

	if (e == ERR_OK && access(path, F_OK) == 0)
		e = err_note_set(note, ERR_ALREADY_EXISTS, NULL, "There is a file already: %.150s", path);
	if (e == ERR_OK && snprintf(draft, sizeof(draft), "%s.part", path) >= (int)sizeof(draft))
		e = err_note_set(note, ERR_FILE_UNWRITABLE, NULL, "The path is too long.");
	if (e == ERR_OK) {
		struct tool t = {.name = "pg_dump", .argv = argv, .envp = env, .grows = draft, .watch = watch};
		snprintf(file, sizeof(file), "--file=%s", draft);
		e = run_tool(&t, note);
		if (e == ERR_OK)
			e = put_in_place(draft, path, note);
		unlink(draft);
	}
	free_env(env);
	PQconninfoFree(parts);
	return e;
}

static enum err must_be_dump(const char *path, struct err_note *note)
{
	char magic[5] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ours;

	if (fd < 0)
		return err_note_set(note, ERR_STORE_NOT_INIT, NULL, "There is no store: %.150s", path);
	ours = read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) && memcmp(magic, "PGDMP", sizeof(magic)) == 0;
	close(fd);
	return ours ? ERR_OK : err_note_set(note, ERR_STORE_CORRUPT, NULL, "This is no copy of a store: %.150s", path);
}

/* Marked before anything is in it. The mark stays when nothing comes of it: whether a COMMIT whose answer was lost has
 * happened is not known here. */
static enum err mark_empty(const char *where, struct err_note *note)
{
	enum db_contents contents = DB_FOREIGN;
	struct db *db = NULL;
	enum err e = driver_postgres.create(where, &db, note);

	if (e == ERR_OK)
		e = db->driver->contents(db, &contents);
	if (e == ERR_OK && contents != DB_EMPTY)
		e = err_note_set(note, ERR_ALREADY_EXISTS, NULL, "The database is not empty.");
	if (e == ERR_OK && (e = db->driver->script(db, "CREATE TABLE IF NOT EXISTS " DB_COPY_MARK " ()")) != ERR_OK)
		e = err_note_set(note, e, NULL, "The table that marks a copy cannot be made in the database.");
	if (db != NULL)
		db->driver->close(db);
	return e;
}

/* The copy in one transaction: all of it or nothing. */
enum err restore_postgres(const char *where, const char *path, struct store_watch watch, struct err_note *note)
{
	const char *argv[] = {"pg_restore",
	                      "--exit-on-error",
	                      "--single-transaction",
	                      "--no-owner",
	                      "--no-privileges",
	                      "--no-password",
	                      "--dbname",
	                      "",
	                      path,
	                      NULL};
	PQconninfoOption *parts = NULL;
	char **env = NULL;
	enum err e = must_be_dump(path, note);

	if (e == ERR_OK)
		e = parse_where(where, &parts, &env, note);
	if (e == ERR_OK)
		e = mark_empty(where, note);
	if (e == ERR_OK) {
		struct tool t = {.name = "pg_restore", .argv = argv, .envp = env, .watch = watch};
		argv[7] = part_of(parts, "dbname");
		e = run_tool(&t, note);
	}
	free_env(env);
	PQconninfoFree(parts);
	return e;
}
