/* cases.tsv: one row per case, with what every step must say. */
#include <stdio.h>
#include <string.h>

#include "tests/corpus/corpus.h"

enum { CODES_MAX = 96, TEXT_SIZE = 4096 };

#define SIGNATURE_STEPS                                                                                                \
	"structure=OK signature_algorithm=OK signature_value=OK signer_in_seal=OK data_hash=OK extensions=OK "             \
	"time=TIME_CLAIMED_ONLY seal_algorithm=OK seal_signature=OK maker_chain=OK maker_key_usage=OK maker_purpose=OK "   \
	"maker_revocation=OK maker_period=OK seal_period=OK seal_dates=OK seal_extensions=OK signer_chain=OK "             \
	"signer_key_usage=OK signer_purpose=OK signer_revocation=OK signer_period=OK"
#define SIGNED_DATA_STEPS                                                                                              \
	"structure=OK time=TIME_CLAIMED_ONLY signature_algorithm=OK signed_attributes=OK signature_value=OK "              \
	"data_hash=OK signer_chain=OK signer_key_usage=OK signer_purpose=OK signer_revocation=OK signer_period=OK"

/* The steps of a good case. Rows say only what differs. */
static const struct kind {
	const char *name, *steps;
} kinds[] = {
    {"seal", "structure=OK seal_algorithm=OK seal_signature=OK maker_chain=OK maker_key_usage=OK maker_purpose=OK "
             "maker_revocation=OK maker_period=OK seal_period=OK seal_dates=OK seal_extensions=OK"},
    {"signature", SIGNATURE_STEPS},
    {"stamped",
     "structure=OK signature_algorithm=OK signature_value=OK signer_in_seal=OK data_hash=OK extensions=OK time=OK "
     "timestamp_structure=OK timestamp_imprint=OK timestamp_time=OK timestamp_algorithm=OK timestamp_value=OK "
     "timestamp_attributes=OK timestamp_content=OK timestamp_chain=OK timestamp_key_usage=OK timestamp_purpose=OK "
     "timestamp_revocation=OK timestamp_period=OK timestamp=OK "
     "seal_algorithm=OK seal_signature=OK maker_chain=OK maker_key_usage=OK maker_purpose=OK "
     "maker_revocation=OK maker_period=OK seal_period=OK seal_dates=OK seal_extensions=OK signer_chain=OK "
     "signer_key_usage=OK signer_purpose=OK signer_revocation=OK signer_period=OK"},
    {"signed_data", SIGNED_DATA_STEPS},
    {"ofd", "package=OK documents=OK coverage=OK check_method=OK reference_digest=OK seal_file=OK "
            "list_lock=OK " SIGNATURE_STEPS},
    {"ofd-sign",
     "package=OK documents=OK coverage=OK check_method=OK reference_digest=OK list_lock=OK " SIGNED_DATA_STEPS},
    {"licence", "structure=OK record=OK identifier=OK issuer=OK licence_period=OK scope=OK " SIGNATURE_STEPS},
    {"receipt", "structure=OK content_type=OK receipt=OK statement_value=OK "
                "time=TIME_CLAIMED_ONLY statement_chain=OK statement_key_usage=OK statement_purpose=OK "
                "statement_revocation=OK statement_period=OK"},
    {"verdict", "structure=OK content_type=OK verdict=OK statement_value=OK "
                "time=TIME_CLAIMED_ONLY statement_chain=OK statement_key_usage=OK statement_purpose=OK "
                "statement_revocation=OK statement_period=OK"},
    {"unknown", "kind=UNKNOWN_KIND"},
};

struct codes {
	size_t n;
	const char *item[CODES_MAX];
};

static char table[4 * 1024 * 1024];
static size_t used;
static size_t rows;

static void add_code(struct codes *c, const char *item)
{
	if (c->n == CODES_MAX)
		give_up("too many steps");
	c->item[c->n++] = item;
}

static size_t step_length(const char *item)
{
	return strcspn(item, "=");
}

/* Every pair of that step goes. */
static void drop(struct codes *c, const char *item)
{
	size_t len = step_length(item), kept = 0;

	for (size_t i = 0; i < c->n; i++)
		if (step_length(c->item[i]) != len || strncmp(c->item[i], item, len) != 0)
			c->item[kept++] = c->item[i];
	if (kept == c->n)
		give_up(arena_printf(mem(), "no such step: %s", item));
	c->n = kept;
}

static void replace(struct codes *c, const char *item)
{
	size_t len = step_length(item);

	for (size_t i = 0; i < c->n; i++)
		if (step_length(c->item[i]) == len && strncmp(c->item[i], item, len) == 0) {
			c->item[i] = item;
			return;
		}
	give_up(arena_printf(mem(), "no such step: %s", item));
}

static void each_word(struct codes *c, const char *text, bool changes)
{
	char *copy = arena_strdup(mem(), text), *save = NULL;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		if (changes && strcmp(w, "only") == 0)
			c->n = 0;
		else if (changes && *w == '+')
			add_code(c, w + 1);
		else if (changes && strchr(w, '=') == NULL)
			drop(c, w);
		else if (changes && c->n != 0)
			replace(c, w);
		else
			add_code(c, w);
	}
}

static struct codes codes_of(const struct row *r)
{
	struct codes c = {0};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, r->kind) == 0)
			each_word(&c, kinds[i].steps, false);
	if (c.n == 0)
		give_up(r->kind);
	if (r->codes != NULL && strncmp(r->codes, "only ", 5) == 0) {
		c.n = 0;
		each_word(&c, r->codes + 5, false);
	} else if (r->codes != NULL) {
		each_word(&c, r->codes, true);
	}
	return c;
}

static void put(const char *text)
{
	size_t n = strlen(text);

	if (n >= sizeof(table) - used)
		give_up("the table is too long");
	memcpy(table + used, text, n + 1);
	used += n;
}

static void cell(const char *text, const char *usual, char end)
{
	const char tail[2] = {end, '\0'};

	put(text != NULL ? text : usual);
	put(tail);
}

void add_row(const struct row *r)
{
	struct codes c = codes_of(r);

	if (rows++ == 0)
		put("id\tfile\ttrust\tat\tpolicy\tdata\tindication\tsub_indication\tcodes\tabout\n");
	cell(r->id, "", '\t');
	cell(r->file, "", '\t');
	cell(r->trust, "trust/good", '\t');
	cell(r->at, "2025-01-01T00:00:00Z", '\t');
	cell(r->policy, "default", '\t');
	cell(r->data, "-", '\t');
	cell(r->indication, r->sub != NULL ? "TOTAL_FAILED" : "TOTAL_PASSED", '\t');
	cell(r->sub, "-", '\t');
	for (size_t i = 0; i < c.n; i++)
		cell(c.item[i], "", i + 1 < c.n ? ' ' : '\t');
	cell(r->about, "", '\n');
}

void add_case(struct row r, struct span bytes)
{
	static const char *const ends[][2] = {
	    {"seal", "esl"},     {"signature", "dat"}, {"stamped", "dat"}, {"signed_data", "p7"}, {"licence", "yzl"},
	    {"receipt", "cose"}, {"verdict", "cose"},  {"ofd", "ofd"},     {"ofd-sign", "ofd"},
	};
	const char *end = "bin";

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(r.kind, ends[i][0]) == 0)
			end = ends[i][1];
	r.file = arena_printf(mem(), "files/%s.%s", r.id, end);
	put_file(r.file, bytes);
	add_row(&r);
}

void write_table(void)
{
	put_file("cases.tsv", span_str(table));
	printf("corpus: %zu cases\n", rows);
}
