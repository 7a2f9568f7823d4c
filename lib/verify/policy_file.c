/* A policy from its file. The table below is the whole language; docs/policy.md explains it. */
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/ini.h"
#include "base/text.h"
#include "verify/verify.h"

enum { DAY = 24 * 60 * 60 * 1000, RSA_BITS_LEAST = 1024, RSA_BITS_MOST = 8192, ZONE_HOURS = 14 };

struct parsing {
	struct arena *a;
	const char *path;
	struct policy_file *f;
	size_t n_algorithms, n_deviations; /* stated by this file */
	struct policy_algorithm_row algorithms[POLICY_ROWS_MAX];
	struct policy_deviation_row deviations[POLICY_ROWS_MAX];
	unsigned seen; /* keys of the table */
};

typedef enum err setter(struct parsing *p, const struct ini_line *line, struct err_note *note);

static enum err wrong(struct err_note *note, const struct ini_line *line, const char *must)
{
	return err_note_set(note, ERR_CONFIG_INVALID, line->key, "%.40s must be %s", line->key, must);
}

/* ---- values ---- */

/* Index of the value among n words; n when it is none of them. */
static int word(const char *value, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return n;
}

static bool number(const char *value, int least, int most, int *out)
{
	char *end;
	long v = strtol(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end != '\0' || v < least || v > most)
		return false;
	*out = (int)v;
	return true;
}

/* Names stand in reports and receipts. */
static enum err set_name(const struct ini_line *line, char *out, struct err_note *note)
{
	size_t n = strlen(line->value);

	if (n == 0 || n >= POLICY_NAME_MAX ||
	    !text_only(span_str(line->value), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"))
		return wrong(note, line, "letters, digits, '.', '_' and '-', at most 63");
	memcpy(out, line->value, n + 1);
	return ERR_OK;
}

static enum err name_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	return set_name(line, p->f->rules.name, note);
}

static enum err version_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	return set_name(line, p->f->rules.version, note);
}

static enum err check_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	static const char *const words[] = {"if-available", "required", "off"};
	int i = word(line->value, words, 3);

	if (i == 3)
		return wrong(note, line, "required, if-available or off");
	p->f->rules.revocation = (enum policy_revocation)i;
	return ERR_OK;
}

static enum err age_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	return number(line->value, 0, POLICY_DAYS_MAX, &p->f->rules.crl_max_days)
	           ? ERR_OK
	           : wrong(note, line, "a number of days from 0 to 36500");
}

static enum err stamp_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	static const char *const words[] = {"if-available", "required"};
	int i = word(line->value, words, 2);

	if (i == 2)
		return wrong(note, line, "required or if-available");
	p->f->rules.time_stamp_required = i == 1;
	return ERR_OK;
}

/* "+08:00". */
static enum err zone_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	static const char must[] = "an offset such as +08:00, at most 14 hours";
	const char *v = line->value;
	int h, m;

	if (strlen(v) != 6 || (v[0] != '+' && v[0] != '-') || v[3] != ':' || !text_only(span_of(v + 1, 2), "0123456789") ||
	    !text_only(span_of(v + 4, 2), "0123456789"))
		return wrong(note, line, must);
	h = (v[1] - '0') * 10 + v[2] - '0';
	m = (v[4] - '0') * 10 + v[5] - '0';
	if (m > 59 || h * 60 + m > ZONE_HOURS * 60)
		return wrong(note, line, must);
	p->f->rules.zone_minutes = (h * 60 + m) * (v[0] == '-' ? -1 : 1);
	return ERR_OK;
}

static enum err require_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	static const char *const words[] = {"displayed", "all", "off"};
	int i = word(line->value, words, 3);

	if (i == 3)
		return wrong(note, line, "displayed, all or off");
	p->f->rules.coverage = (enum policy_coverage)i;
	return ERR_OK;
}

static enum err rsa_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	return number(line->value, RSA_BITS_LEAST, RSA_BITS_MOST, &p->f->rules.rsa_min_bits)
	           ? ERR_OK
	           : wrong(note, line, "a number of bits from 1024 to 8192");
}

/* ---- [trust] ---- */

static const char *beside(struct parsing *p, const char *path)
{
	const char *slash = strrchr(p->path, '/');

	if (path[0] == '/' || slash == NULL)
		return path;
	return arena_printf(p->a, "%.*s/%s", (int)(slash - p->path), p->path, path);
}

/* Comma separated; may be given again. */
static enum err add_paths(struct parsing *p, int role, const struct ini_line *line, struct err_note *note)
{
	for (const char *v = line->value; v != NULL;) {
		const char *comma = strchr(v, ','), *from = v + strspn(v, " \t");
		size_t n = comma != NULL ? (size_t)(comma - v) : strlen(v), skip = (size_t)(from - v);
		char *path;

		n = n > skip ? n - skip : 0;
		while (n != 0 && (from[n - 1] == ' ' || from[n - 1] == '\t'))
			n--;
		if (n == 0)
			return wrong(note, line, "paths, separated by commas");
		if (p->f->trust[role].n == POLICY_PATHS_MAX)
			return wrong(note, line, "at most 16 paths");
		path = arena_strndup(p->a, from, n);
		if (path == NULL || (p->f->trust[role].path[p->f->trust[role].n] = beside(p, path)) == NULL)
			return ERR_BUDGET;
		p->f->trust[role].n++;
		v = comma != NULL ? comma + 1 : NULL;
	}
	return ERR_OK;
}

static enum err trust_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	static const char *const roles[] = {
	    [POLICY_MAKER] = "maker",
	    [POLICY_SIGNER] = "signer",
	    [POLICY_TSA] = "tsa",
	    [POLICY_STATEMENT] = "statement",
	};
	int role = word(line->key, roles, POLICY_ROLES);

	if (role == POLICY_ROLES)
		return err_note_set(note, ERR_CONFIG_INVALID, NULL, "roles of trust are maker, signer, tsa and statement");
	return add_paths(p, role, line, note);
}

/* ---- [algorithms] and [deviations] ---- */

/* "yes", "no" or "until YYYY-MM-DD": that whole day still counts. */
static enum err algorithm_answer(const struct ini_line *line, struct policy_algorithm_row *row, struct err_note *note)
{
	static const char until[] = "until ";
	int64_t day;

	if (strcmp(line->value, "yes") == 0)
		return ERR_OK;
	if (strcmp(line->value, "no") == 0) {
		row->refused = true;
		return ERR_OK;
	}
	if (strncmp(line->value, until, sizeof(until) - 1) != 0 || strlen(line->value) != sizeof(until) - 1 + 10 ||
	    time_parse(span_str(line->value + sizeof(until) - 1), &day) != ERR_OK)
		return wrong(note, line, "yes, no or until YYYY-MM-DD");
	row->until = day + DAY - 1;
	return ERR_OK;
}

static enum err algorithm_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	struct policy_algorithm_row *row = &p->algorithms[p->n_algorithms];
	const char *name = policy_algorithm_name(line->key);

	if (name == NULL)
		return err_note_set(note, ERR_CONFIG_INVALID, NULL, "no algorithm \"%.24s\" is known", line->key);
	for (size_t i = 0; i < p->n_algorithms; i++)
		if (strcmp(p->algorithms[i].name, name) == 0)
			return err_note_set(note, ERR_CONFIG_INVALID, NULL, "%.24s is stated twice", name);
	if (p->n_algorithms == POLICY_ROWS_MAX)
		return err_note_set(note, ERR_CONFIG_INVALID, NULL, "too many algorithms");
	memcpy(row->name, name, strlen(name) + 1);
	p->n_algorithms++;
	return algorithm_answer(line, row, note);
}

static enum err deviation_line(struct parsing *p, const struct ini_line *line, struct err_note *note)
{
	static const char *const words[] = {"accept", "refuse"};
	int answer = word(line->value, words, 2);
	struct policy_deviation_row *row = &p->deviations[p->n_deviations];

	if (answer == 2)
		return wrong(note, line, "accept or refuse");
	for (size_t i = 0; i < p->n_deviations; i++)
		if (strcmp(p->deviations[i].code, line->key) == 0)
			return err_note_set(note, ERR_CONFIG_INVALID, NULL, "%.40s is stated twice", line->key);
	if (p->n_deviations == POLICY_ROWS_MAX)
		return err_note_set(note, ERR_CONFIG_INVALID, NULL, "too many deviations");
	if (strcmp(line->key, "default") != 0 &&
	    (report_code_find(line->key) == NULL || strlen(line->key) >= sizeof(row->code)))
		return err_note_set(note, ERR_CONFIG_INVALID, NULL, "there is no code \"%.40s\"", line->key);
	memcpy(row->code, line->key, strlen(line->key) + 1);
	row->answer = (enum policy_answer)answer;
	p->n_deviations++;
	return ERR_OK;
}

/* ---- the table ---- */

static const struct key {
	const char *section, *key; /* key NULL: any, and may be repeated */
	setter *set;
} keys[] = {
    {"policy", "name", name_line},         {"policy", "version", version_line},
    {"revocation", "check", check_line},   {"revocation", "max_age_days", age_line},
    {"time", "stamp", stamp_line},         {"time", "zone", zone_line},
    {"coverage", "require", require_line}, {"keys", "rsa_min_bits", rsa_line},
    {"trust", NULL, trust_line},           {"algorithms", NULL, algorithm_line},
    {"deviations", NULL, deviation_line},
};

static enum err on_line(void *arg, const struct ini_line *line, struct err_note *note)
{
	struct parsing *p = arg;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].section, line->section) != 0 || (keys[i].key != NULL && strcmp(keys[i].key, line->key) != 0))
			continue;
		if (keys[i].key != NULL && (p->seen >> i & 1) != 0)
			return err_note_set(note, ERR_CONFIG_INVALID, line->key, "%.40s is stated twice", line->key);
		p->seen |= 1U << i;
		return keys[i].set(p, line, note);
	}
	return err_note_set(note, ERR_CONFIG_INVALID, NULL, "no key \"%.40s\" in section [%.40s]", line->key,
	                    line->section);
}

/* What the file says about an algorithm or a deviation stands in place of what "default" says about it. */
static enum err merge(struct parsing *p, struct err_note *note)
{
	struct policy_rules *r = &p->f->rules;

	for (size_t i = 0; i < p->n_algorithms; i++) {
		size_t at = 0;
		while (at < r->n_algorithms && strcmp(r->algorithms[at].name, p->algorithms[i].name) != 0)
			at++;
		if (at == POLICY_ROWS_MAX)
			return err_note_set(note, ERR_CONFIG_INVALID, NULL, "%.120s: too many algorithms", p->path);
		r->algorithms[at] = p->algorithms[i];
		r->n_algorithms += at == r->n_algorithms;
	}
	return ERR_OK;
}

static enum err merge_deviations(struct parsing *p, struct err_note *note)
{
	struct policy_rules *r = &p->f->rules;

	for (size_t i = 0; i < p->n_deviations; i++) {
		size_t at = 0;
		if (strcmp(p->deviations[i].code, "default") == 0) {
			r->deviation_default = p->deviations[i].answer;
			continue;
		}
		while (at < r->n_deviations && strcmp(r->deviations[at].code, p->deviations[i].code) != 0)
			at++;
		if (at == POLICY_ROWS_MAX)
			return err_note_set(note, ERR_CONFIG_INVALID, NULL, "%.120s: too many deviations", p->path);
		r->deviations[at] = p->deviations[i];
		r->n_deviations += at == r->n_deviations;
	}
	return ERR_OK;
}

enum err policy_parse(struct arena *a, const char *path, struct span text, struct policy_file *out,
                      struct err_note *note)
{
	static const struct verify_policy none;
	struct policy_file *f = arena_alloc(a, sizeof(*f));
	struct parsing *p = arena_alloc(a, sizeof(*p));
	enum err e;

	if (f == NULL || p == NULL)
		return ERR_BUDGET;
	if (text.len > POLICY_FILE_MAX)
		return err_note_set(note, ERR_TOO_LARGE, "policy", "%.120s: larger than a policy may be", path);
	*p = (struct parsing){.a = a, .path = path, .f = f};
	f->rules = *policy_rules(&none);
	f->rules.name[0] = f->rules.version[0] = '\0';
	e = sha256_parts(&text, 1, f->rules.digest);
	if (e == ERR_OK)
		e = ini_read(path, text, on_line, p, note);
	if (e == ERR_OK && (f->rules.name[0] == '\0' || f->rules.version[0] == '\0'))
		e = err_note_set(note, ERR_CONFIG_INVALID, "policy", "%.120s: [policy] must state name and version", path);
	if (e == ERR_OK)
		e = merge(p, note);
	if (e == ERR_OK)
		e = merge_deviations(p, note);
	if (e == ERR_OK)
		*out = *f;
	return e;
}

/* ---- with its trust ---- */

static enum err policy_text(struct arena *a, const char *name, struct span *out, struct err_note *note)
{
	*out = policy_shipped(name);
	if (out->ptr != NULL)
		return ERR_OK;
	if (strpbrk(name, "/.") == NULL)
		return err_note_set(note, ERR_CONFIG_INVALID, "policy",
		                    "no policy \"%.40s\": default, strict, archive, or the path of a file", name);
	return file_read(a, name, POLICY_FILE_MAX, out, note);
}

enum err policy_load(struct arena *a, const char *name_or_path, struct verify_policy *out, struct err_note *note)
{
	struct policy_file *f = arena_alloc(a, sizeof(*f));
	struct verify_policy p = {0};
	struct span text;
	enum err e = f != NULL ? policy_text(a, name_or_path, &text, note) : ERR_BUDGET;

	if (e == ERR_OK)
		e = policy_parse(a, name_or_path, text, f, note);
	for (int i = 0; e == ERR_OK && i < POLICY_ROLES; i++)
		if (f->trust[i].n != 0)
			e = trust_load(f->trust[i].path, f->trust[i].n, &p.role_trust[i], note);
	if (e != ERR_OK) {
		policy_release(&p);
		return e;
	}
	p.rules = &f->rules;
	p.name = f->rules.name;
	*out = p;
	return ERR_OK;
}

void policy_release(struct verify_policy *p)
{
	for (int i = 0; i < POLICY_ROLES; i++)
		cert_store_free(p->role_trust[i]);
	*p = (struct verify_policy){0};
}
