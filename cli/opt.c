#include "cli/opt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/term.h"

static bool wants_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

int opt_usage(const struct opt_spec *spec, bool json, const char *fmt, ...)
{
	char text[160], help[224];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(help, sizeof(help), "%s. See 'yinzheng %s --help'.", text, spec->name);
	term_refusal(json, "USAGE", NULL, help, NULL);
	return EXIT_USAGE;
}

static void help_line(const struct opt *o)
{
	char left[64];
	int n = o->letter != 0 ? snprintf(left, sizeof(left), "  -%c, --%s", o->letter, o->name)
	                       : snprintf(left, sizeof(left), "      --%s", o->name);

	if (o->value != NULL && n > 0 && (size_t)n < sizeof(left))
		snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->value);
	printf("%-28s %s%s\n", left, o->help, o->required ? " (required)" : "");
}

static void opt_help(const struct opt_spec *spec)
{
	const struct opt *o;

	printf("usage: yinzheng %s [options]%s%s\n\n%s\n\noptions:\n", spec->name, spec->args[0] != '\0' ? " " : "",
	       spec->args, spec->about);
	for (o = spec->opts; o->name != NULL; o++)
		help_line(o);
	printf("%-28s %s\n", "      --help", "this text");
}

/* The option that `arg` names, with *value at what stands behind it in the same word, or NULL. */
static const struct opt *find(const struct opt_spec *spec, const char *arg, const char **value)
{
	size_t n = strcspn(arg + 2, "=");
	const struct opt *o;

	*value = NULL;
	for (o = spec->opts; o->name != NULL; o++) {
		if (arg[1] == '-' && strlen(o->name) == n && strncmp(o->name, arg + 2, n) == 0) {
			*value = arg[2 + n] == '=' ? arg + 3 + n : NULL;
			return o;
		}
		if (arg[1] != '-' && o->letter == arg[1]) {
			*value = arg[2] != '\0' ? arg + 2 : NULL;
			return o;
		}
	}
	return NULL;
}

static bool set_int(const struct opt *o, const char *value)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || n < o->min || n > o->max)
		return false;
	*(int64_t *)o->out = n;
	return true;
}

static bool set_enum(const struct opt *o, const char *value)
{
	const char *p = o->value;
	size_t len = strlen(value);
	int i;

	for (i = 0;; i++) {
		size_t n = strcspn(p, "|");

		if (n == len && strncasecmp(p, value, n) == 0) {
			*(int *)o->out = i;
			return true;
		}
		if (p[n] == '\0')
			return false;
		p += n + 1;
	}
}

/* 0, or the exit status after a complaint. */
static int set(const struct opt_spec *spec, bool json, const struct opt *o, const char *value)
{
	struct opt_list *list = o->out;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->out = true;
		break;
	case OPT_TEXT:
		*(const char **)o->out = value;
		break;
	case OPT_LIST:
		if (list->count == OPT_LIST_MAX)
			return opt_usage(spec, json, "--%s is given more than %d times", o->name, OPT_LIST_MAX);
		list->item[list->count++] = value;
		break;
	case OPT_INT:
		if (!set_int(o, value))
			return opt_usage(spec, json, "--%s takes a number from %" PRId64 " to %" PRId64, o->name, o->min, o->max);
		break;
	case OPT_ENUM:
		if (!set_enum(o, value))
			return opt_usage(spec, json, "--%s takes one of %s", o->name, o->value);
		break;
	}
	return 0;
}

/* One option at argv[*i]; moves *i over its value. */
static int take(const struct opt_spec *spec, bool json, int argc, char **argv, int *i)
{
	const char *arg = argv[*i], *value;
	const struct opt *o = find(spec, arg, &value);

	if (o == NULL)
		return opt_usage(spec, json, "there is no option %.*s", (int)strcspn(arg, "="), arg);
	if (o->kind == OPT_FLAG && value != NULL)
		return opt_usage(spec, json, "--%s takes no value", o->name);
	if (o->kind != OPT_FLAG && value == NULL) {
		if (*i + 1 >= argc)
			return opt_usage(spec, json, "--%s needs a value: %s", o->name, o->value);
		value = argv[++*i];
	}
	return set(spec, json, o, value);
}

/* A required option was given when its word stands in argv; the table alone cannot tell, values may have defaults. */
static bool given(const struct opt_spec *spec, const struct opt *o, int argc, char **argv)
{
	const struct opt *found;
	const char *value;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			continue;
		found = find(spec, argv[i], &value);
		if (found == o)
			return true;
		if (found != NULL && found->kind != OPT_FLAG && value == NULL)
			i++; /* the next word is its value, whatever it looks like */
	}
	return false;
}

static int check(const struct opt_spec *spec, bool json, int argc, char **argv, int operands)
{
	const struct opt *o;

	for (o = spec->opts; o->name != NULL; o++)
		if (o->required && !given(spec, o, argc, argv))
			return opt_usage(spec, json, "--%s is required", o->name);
	if (operands < spec->min_args)
		return opt_usage(spec, json, "%s is missing", spec->args);
	if (spec->max_args >= 0 && operands > spec->max_args)
		return opt_usage(spec, json, "there are too many arguments");
	return OPT_GO;
}

int opt_parse(const struct opt_spec *spec, int argc, char **argv, struct opt_args *out)
{
	char **operands = calloc((size_t)argc + 1, sizeof(*operands));
	bool json = wants_json(argc, argv), ended = false;
	int i, n = 0, status = 0;

	if (operands == NULL)
		return term_error(json, ERR_NO_MEMORY, NULL, NULL);
	for (i = 1; i < argc && status == 0; i++) {
		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			operands[n++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			ended = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			opt_help(spec);
			free(operands);
			return term_flush() == ERR_OK ? EXIT_OK : EXIT_NO_OUTPUT;
		} else {
			status = take(spec, json, argc, argv, &i);
		}
	}
	if (status == 0)
		status = check(spec, json, argc, argv, n);
	if (status == OPT_GO) {
		memcpy(argv + 1, operands, (size_t)n * sizeof(*operands));
		*out = (struct opt_args){n, argv + 1};
	}
	free(operands);
	return status;
}
