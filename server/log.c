#include "server/log.h"

#include "base/clock.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX = 1024 };

static atomic_int current_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&current_level, (int)level);
}

enum log_level log_level(void)
{
	return (enum log_level)atomic_load(&current_level);
}

struct line {
	char text[LINE_MAX];
	size_t n;
};

static void put(struct line *l, const char *s, size_t n)
{
	size_t room = sizeof(l->text) - 1 - l->n; /* one for the newline */

	if (n > room)
		n = room;
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static void put_value(struct line *l, const char *v)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-+@*,[]";

	if (*v != '\0' && v[strspn(v, plain)] == '\0') {
		put(l, v, strlen(v));
		return;
	}
	put(l, "\"", 1);
	for (; *v != '\0'; v++) {
		if (*v == '"' || *v == '\\')
			put(l, "\\", 1);
		put(l, (unsigned char)*v < 0x20 || *v == 0x7f ? "?" : v, 1);
	}
	put(l, "\"", 1);
}

static void put_pair(struct line *l, const char *key, const char *value)
{
	if (l->n != 0)
		put(l, " ", 1);
	put(l, key, strlen(key));
	put(l, "=", 1);
	put_value(l, value);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	struct clock clock = clock_system();
	struct line l = {.n = 0};
	char buf[TIME_TEXT];

	if (level > log_level())
		return;
	put_pair(&l, "ts", time_format(clock_now(&clock), buf));
	put_pair(&l, "level", names[level]);
	put_pair(&l, "event", event);
	for (; fields->key != NULL; fields++) {
		if (fields->value == NULL)
			snprintf(buf, sizeof(buf), "%lld", (long long)fields->number);
		put_pair(&l, fields->key, fields->value != NULL ? fields->value : buf);
	}
	l.text[l.n++] = '\n';
	/* One write, so that lines of several threads do not mix. Nobody to tell when it fails. */
	ssize_t ignored = write(STDERR_FILENO, l.text, l.n);
	(void)ignored;
}

void log_error(enum log_level level, const char *event, enum err e, const struct err_note *note)
{
	bool noted = note != NULL && note->code == e;

	log_event(level, event, LOG_TEXT("reason", err_name(e)), LOG_TEXT("field", noted ? note->field : ""),
	          LOG_TEXT("help", noted ? err_note_text(note) : err_help(e)));
}
