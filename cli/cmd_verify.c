/* yinzheng verify: is it genuine? Offline, for seals, signatures, licences and receipts. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/opt.h"
#include "cli/term.h"
#include "cli/verify_view.h"
#include "crypto/sm2_cache.h"
#include "verify/verify.h"

int cmd_verify(int argc, char **argv);

enum { FILE_BUDGET = 3 * VERIFY_FILE_MAX, TABLES_MAX = 16 * 1024 * 1024 };

struct options {
	struct opt_list trust;
	const char *at, *policy, *data, *explain;
	bool json, steps;
};

/* One run over all files. */
struct run {
	struct options o;
	const struct opt_spec *spec;
	struct verify_policy policy;
	struct verify_input in; /* all but the bytes */
	struct cert_store *trust;
	struct sm2_cache *tables; /* of signers that return among the files */
	struct arena *arena;      /* holds the policy and the signed data */
	enum language lang;
	bool internal, unreadable, failed, indeterminate, is_unsigned; /* what happened */
};

static void note_verdict(struct run *run, const struct report *r)
{
	run->failed = run->failed || r->indication == TOTAL_FAILED;
	run->indeterminate = run->indeterminate || r->indication == INDETERMINATE;
	run->is_unsigned = run->is_unsigned || r->indication == NO_SIGNATURE_FOUND;
}

/* The first that applies (the order of --help). */
static int exit_status(const struct run *run)
{
	if (run->internal)
		return EXIT_INTERNAL;
	if (run->unreadable)
		return EXIT_NO_INPUT;
	if (run->failed)
		return EXIT_VERIFY_FAILED;
	if (run->indeterminate)
		return EXIT_VERIFY_INDETERMINATE;
	return run->is_unsigned ? EXIT_VERIFY_UNSIGNED : EXIT_OK;
}

/* A file that was not judged still gets its line. */
static void not_judged_json(const struct run *run, const char *file, enum err e, const struct err_note *note)
{
	char at[TIME_TEXT];
	json_t *line = json_pack("{s:s?, s:s, s:n, s:n, s:s, s:s, s:[], s:[], s:n, s:[], s:{s:s, s:s}}", "file", file,
	                         "kind", "unknown", "indication", "sub_indication", "policy", run->policy.name, "judged_at",
	                         time_format(run->in.at != 0 ? run->in.at : run->in.now, at), "checks", "signatures",
	                         "coverage", "not_checked", "error", "reason", err_name(e), "help", err_note_text(note));

	if (term_json(line) != ERR_OK)
		term_error(false, ERR_FILE_UNWRITABLE, NULL, NULL);
}

static void not_judged(struct run *run, struct arena *a, const char *file, enum err e, const struct err_note *note)
{
	struct err_note n = note->code == e ? *note : (struct err_note){.code = e};

	if (e == ERR_FILE_UNREADABLE || e == ERR_TOO_LARGE)
		run->unreadable = true;
	else
		run->internal = true;
	if (run->o.json)
		not_judged_json(run, term_safe(a, span_str(file)), e, &n);
	else
		term_error(false, e, &n, file);
}

static enum err print_report(const struct run *run, struct arena *a, const struct report *r, const char *file)
{
	char *line = NULL;
	enum err e;

	if (!run->o.json) {
		verify_view_print(a, r, file, &(struct view_options){run->lang, run->o.steps});
		return ERR_OK;
	}
	e = report_json(a, r, term_safe(a, span_str(file)), &line);
	if (e == ERR_OK)
		puts(line);
	return e;
}

static void verify_file(struct run *run, const char *file)
{
	struct arena *a = arena_new(FILE_BUDGET);
	struct verify_input in = run->in;
	struct report *r = NULL;
	struct err_note note = {0};
	enum err e = a != NULL ? ERR_OK : ERR_NO_MEMORY;

	if (e == ERR_OK)
		e = file_read(a, file, VERIFY_FILE_MAX, &in.bytes, &note);
	if (e == ERR_OK)
		e = verify_any(a, &run->policy, &in, &r);
	if (e == ERR_OK)
		e = print_report(run, a, r, file);
	if (e == ERR_OK)
		note_verdict(run, r);
	else
		not_judged(run, a, file, e, &note);
	arena_free(a);
}

/* ---- before the files ----------------------------------------------------------------------- */

/* OPT_GO or the exit status of a usage error. */
static int read_options(struct run *run)
{
	const struct options *o = &run->o;
	const struct clock clock = clock_system();

	run->in.now = clock_now(&clock);
	run->lang = language_of_user();
	if (o->at != NULL && time_parse(span_str(o->at), &run->in.at) != ERR_OK)
		return opt_usage(run->spec, o->json, "--at takes a time such as 2026-11-21T08:00:00Z or a date");
	return OPT_GO;
}

static int explain(const struct run *run)
{
	const char *sentence = verify_view_sentence(run->o.explain, run->lang);

	if (sentence == NULL)
		return opt_usage(run->spec, run->o.json, "--explain: there is no code '%.40s'", run->o.explain);
	if (run->o.json)
		return term_json(json_pack("{s:s, s:s}", "code", run->o.explain, "text", sentence)) == ERR_OK ? EXIT_OK
		                                                                                              : EXIT_NO_OUTPUT;
	puts(sentence);
	return term_flush() == ERR_OK ? EXIT_OK : EXIT_NO_OUTPUT;
}

/* A policy that is not known or wrongly written is a fault of the command; what cannot be read is no input. */
static int not_loaded(const struct run *run, enum err e, const struct err_note *note, const char *subject)
{
	term_error(run->o.json, e, note, subject);
	if (err_class_of(e) == ERRC_INVALID)
		return EXIT_USAGE;
	return err_class_of(e) == ERRC_INTERNAL ? EXIT_INTERNAL : EXIT_NO_INPUT;
}

static void use_tables(struct run *run)
{
	const struct sm2_means by = {.tables = run->tables};

	if (run->trust != NULL)
		cert_store_use(run->trust, by);
	for (int i = 0; i < POLICY_ROLES; i++)
		if (run->policy.role_trust[i] != NULL)
			cert_store_use(run->policy.role_trust[i], by);
}

/* Trust, policy and data that were named must be readable: without them every answer would be another one. */
static int load(struct run *run)
{
	const struct rand rand = rand_system();
	struct err_note note = {0};
	const char *subject = NULL;
	enum err e;

	run->arena = arena_new(FILE_BUDGET);
	e = run->arena != NULL ? policy_load(run->arena, run->o.policy, &run->policy, &note) : ERR_NO_MEMORY;
	if (e == ERR_OK && run->o.trust.count != 0)
		e = trust_load(run->o.trust.item, run->o.trust.count, &run->trust, &note);
	if (e == ERR_OK)
		e = sm2_cache_new(TABLES_MAX, &rand, &run->tables);
	if (e == ERR_OK)
		use_tables(run);
	run->policy.trust = run->trust;
	if (e == ERR_OK && run->o.data != NULL) {
		subject = run->o.data;
		e = file_read(run->arena, subject, VERIFY_FILE_MAX, &run->in.data, &note);
	}
	return e == ERR_OK ? OPT_GO : not_loaded(run, e, &note, subject);
}

static int verify_files(struct run *run, const struct opt_args *args)
{
	int status = load(run);

	for (int i = 0; status == OPT_GO && i < args->count; i++)
		verify_file(run, args->arg[i]);
	policy_release(&run->policy);
	cert_store_free(run->trust);
	sm2_cache_free(run->tables);
	arena_free(run->arena);
	if (status != OPT_GO)
		return status;
	return term_flush() == ERR_OK ? exit_status(run) : EXIT_NO_OUTPUT;
}

static const char about[] =
    "Says whether OFD documents, seals (SES_Seal), signatures (SES_Signature, SignedData), licence files,\n"
    "receipts and verdicts are genuine.\n"
    "The kind is recognised from the content; no server is asked.\n"
    "\n"
    "Exit status, the first that applies: 64 usage, 70 internal error, 66 a file could not be read,\n"
    "1 some TOTAL_FAILED, 2 some INDETERMINATE, 3 some unsigned, 0 all TOTAL_PASSED.";

int cmd_verify(int argc, char **argv)
{
	struct run run = {.o = {.policy = "default"}};
	const struct opt opts[] = {
	    {.name = "trust",
	     .kind = OPT_LIST,
	     .value = "PATH",
	     .out = &run.o.trust,
	     .help = "file or folder of trusted certificates and CRLs; may be given again"},
	    {.name = "at",
	     .kind = OPT_TEXT,
	     .value = "RFC3339",
	     .out = &run.o.at,
	     .help = "judge as of this time; now when not given"},
	    {.name = "policy",
	     .kind = OPT_TEXT,
	     .value = "NAME_OR_FILE",
	     .out = &run.o.policy,
	     .help = "default, strict, archive, or a policy file (with a / or . in its path)"},
	    {.name = "data",
	     .kind = OPT_TEXT,
	     .value = "FILE",
	     .out = &run.o.data,
	     .help = "the data that a bare signature signs"},
	    {.name = "explain",
	     .kind = OPT_TEXT,
	     .value = "CODE",
	     .out = &run.o.explain,
	     .help = "say what a code of a report means"},
	    {.name = "steps",
	     .kind = OPT_FLAG,
	     .out = &run.o.steps,
	     .help = "every step in its order, for experts; else only what is not in order"},
	    {.name = "json", .kind = OPT_FLAG, .out = &run.o.json, .help = "one JSON object per file"},
	    {.name = NULL},
	};
	const struct opt_spec spec = {"verify", "FILE…", about, opts, 0, -1};
	struct opt_args args;
	int status = opt_parse(&spec, argc, argv, &args);

	if (status != OPT_GO)
		return status;
	run.spec = &spec;
	status = read_options(&run);
	if (status != OPT_GO)
		return status;
	if (run.o.explain != NULL)
		return explain(&run);
	if (args.count == 0)
		return opt_usage(&spec, run.o.json, "name a file to verify");
	return verify_files(&run, &args);
}
