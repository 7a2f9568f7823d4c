/* Principals, audit, status and health. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/online/online.h"
#include "crypto/cert.h"
#include "grpc/health/v1/health.pb-c.h"
#include "yinzheng/v1/admin.pb-c.h"
#include "yinzheng/v1/audit.pb-c.h"

#define SERVICE (&yinzheng__v1__admin_service__descriptor)

enum { CERT_FILE_MAX = 256 * 1024 };

/* Adds the keys of the certificates to the principal, so that nobody copies fingerprints by hand. */
static int add_key(struct online *o, Yinzheng__V1__Principal *p, const char *path)
{
	Yinzheng__V1__PrincipalKey *key = arena_alloc(o->arena, sizeof(*key));
	Yinzheng__V1__PrincipalKey **keys =
	    arena_array(o->arena, p->n_keys + 1, sizeof(struct Yinzheng__V1__PrincipalKey *));
	uint8_t *fp = arena_alloc(o->arena, CERT_FINGERPRINT);
	struct cert **certs;
	struct span pem;
	size_t n;
	int st = online_file(o, path, CERT_FILE_MAX, &pem);

	if (st != 0)
		return st;
	if (key == NULL || keys == NULL || fp == NULL)
		return online_fail(o, ERR_BUDGET, NULL, path);
	if (cert_parse_bundle(o->arena, pem, &certs, &n) != ERR_OK || n == 0)
		return online_fail(o, ERR_CERT_UNREADABLE, NULL, path);
	yinzheng__v1__principal_key__init(key);
	cert_key_fingerprint(certs[0], fp);
	key->fingerprint = (ProtobufCBinaryData){CERT_FINGERPRINT, fp};
	key->not_before = text_of(time_text(o->arena, cert_not_before(certs[0])));
	key->not_after = text_of(time_text(o->arena, cert_not_after(certs[0])));
	for (size_t i = 0; i < p->n_keys; i++)
		keys[i] = p->keys[i];
	keys[p->n_keys++] = key;
	p->keys = keys;
	for (size_t i = 0; i < n; i++)
		cert_free(certs[i]);
	return 0;
}

static int put(struct online *o, const char *path, const struct opt_list *certs)
{
	Yinzheng__V1__PutPrincipalRequest req = YINZHENG__V1__PUT_PRINCIPAL_REQUEST__INIT;
	ProtobufCMessage *p;
	int st = online_request(o, path, &yinzheng__v1__principal__descriptor, &p);

	for (size_t i = 0; st == 0 && i < certs->count; i++)
		st = add_key(o, (Yinzheng__V1__Principal *)p, certs->item[i]);
	if (st != 0)
		return st;
	req.principal = (Yinzheng__V1__Principal *)p;
	return online_do(o, SERVICE, "PutPrincipal", &req.base);
}

static int principal_put(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	struct opt_list certs = {0};
	struct opt_args args;
	const struct opt opts[] = {
	    {"key-of", 0, OPT_LIST, "FILE.crt", "certificate whose key is enrolled (again for more)", &certs, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {
	    "principal put",
	    "FILE.json",
	    "Enrols or changes a principal. The file (- for standard input):\n"
	    "  {\"id\", \"name\", \"org_code\", \"org_name\", \"roles\": [\"window\"], \"types\": [], \"items\": [\"*\"]}\n"
	    "Sensitive grants (role security, statutory use) wait until a second security\n"
	    "administrator makes the same call.",
	    opts,
	    1,
	    1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO)
		st = put(&o, args.arg[0], &certs);
	online_close(&o);
	return st;
}

static int principal_list(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__ListPrincipalsRequest req = YINZHENG__V1__LIST_PRINCIPALS_REQUEST__INIT;
	struct opt_args args;
	const char *page = "";
	const struct opt opts[] = {
	    {"page", 0, OPT_TEXT, "TOKEN", "go on where the last answer ended", &page, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"principal list", "", "Lists the enrolled principals.", opts, 0, 0};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.page_token = text_of(page);
		st = online_do(&o, SERVICE, "ListPrincipals", &req.base);
	}
	online_close(&o);
	return st;
}

static int principal_disable(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__DisablePrincipalRequest req = YINZHENG__V1__DISABLE_PRINCIPAL_REQUEST__INIT;
	struct opt_args args;
	const char *reason = "";
	const struct opt opts[] = {
	    {"reason", 0, OPT_TEXT, "TEXT", "why", &reason, 0, 0, true},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"principal disable", "ID", "Shuts a principal out, at once.", opts, 1, 1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.id = args.arg[0];
		req.reason = text_of(reason);
		st = online_do(&o, SERVICE, "DisablePrincipal", &req.base);
	}
	online_close(&o);
	return st;
}

int cmd_principal(int argc, char **argv)
{
	static const struct subcommand table[] = {
	    {"put", principal_put}, {"list", principal_list}, {"disable", principal_disable}, {NULL, NULL}};

	return command_dispatch("principal", table, argc, argv);
}

static void print_entry(const struct online *o, const Yinzheng__V1__AuditEntry *e)
{
	printf("%6llu  %s  %-16s %-14s %s\n", (unsigned long long)e->index, e->time,
	       term_safe(o->arena, span_str(e->action)), term_safe(o->arena, span_str(e->principal)),
	       term_safe(o->arena, span_str(e->result)));
	for (size_t i = 0; i < e->n_facts; i++)
		printf("          %s: %s\n", term_safe(o->arena, span_str(e->facts[i]->name)),
		       term_safe(o->arena, span_str(e->facts[i]->value)));
	for (size_t i = 0; i < e->n_values; i++)
		printf("          %s: %s\n", term_safe(o->arena, span_str(e->values[i]->name)),
		       e->values[i]->erased ? "(erased)" : term_safe(o->arena, span_str(e->values[i]->value)));
}

static int list_entries(struct online *o, Yinzheng__V1__ListEntriesRequest *req)
{
	const Yinzheng__V1__ListEntriesReply *r;
	ProtobufCMessage *reply;
	int st = online_call(o, &yinzheng__v1__audit_service__descriptor, "ListEntries", &req->base, &reply);

	if (st != 0 || o->json)
		return st != 0 ? st : online_show(o, reply);
	r = (const Yinzheng__V1__ListEntriesReply *)reply;
	for (size_t i = 0; i < r->n_entries; i++)
		print_entry(o, r->entries[i]);
	if (r->next_index != 0)
		printf("more: --from %llu\n", (unsigned long long)r->next_index);
	return 0;
}

static int audit_list(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__ListEntriesRequest req = YINZHENG__V1__LIST_ENTRIES_REQUEST__INIT;
	struct opt_args args;
	const char *action = "", *principal = "";
	int64_t from = 0, max = 0;
	const struct opt opts[] = {
	    {"from", 0, OPT_INT, "INDEX", "first entry (0)", &from, 0, INT64_MAX, false},
	    {"max", 0, OPT_INT, "N", "at most so many (100)", &max, 1, 500, false},
	    {"action", 0, OPT_TEXT, "NAME", "only of this action", &action, 0, 0, false},
	    {"principal", 0, OPT_TEXT, "ID", "only of this principal", &principal, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {"audit list", "", "Lists the entries of the audit log.", opts, 0, 0};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		req.from_index = (uint64_t)from;
		req.page_size = (uint32_t)max;
		req.action = text_of(action);
		req.principal = text_of(principal);
		st = list_entries(&o, &req);
	}
	online_close(&o);
	return st;
}

int cmd_audit(int argc, char **argv)
{
	static const struct subcommand table[] = {{"list", audit_list}, {NULL, NULL}};

	return command_dispatch("audit", table, argc, argv);
}

int cmd_status(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__GetStatusRequest req = YINZHENG__V1__GET_STATUS_REQUEST__INIT;
	struct opt_args args;
	const struct opt opts[] = {ONLINE_OPTS(o), {0}};
	const struct opt_spec spec = {"status", "", "The server's own account: counts, trust list, warnings.", opts, 0, 0};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO)
		st = online_do(&o, SERVICE, "GetStatus", &req.base);
	online_close(&o);
	return st;
}

static int check_health(struct online *o, const char *service)
{
	Grpc__Health__V1__HealthCheckRequest req = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	const Grpc__Health__V1__HealthCheckResponse *r;
	ProtobufCMessage *reply;
	int st;

	req.service = text_of(service);
	st = online_call(o, &grpc__health__v1__health__descriptor, "Check", &req.base, &reply);
	if (st != 0)
		return st;
	r = (const Grpc__Health__V1__HealthCheckResponse *)reply;
	st = online_show(o, reply);
	if (st == 0 && r->status != GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING)
		st = EXIT_NO_SERVER;
	return st;
}

int cmd_health(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	struct opt_args args;
	const struct opt opts[] = {ONLINE_OPTS(o), {0}};
	const struct opt_spec spec = {
	    "health", "[SERVICE]", "Asks whether the server (or one service of it) is serving; 69 when it is not.",
	    opts,     0,           1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO)
		st = check_health(&o, args.count == 1 ? args.arg[0] : "");
	online_close(&o);
	return st;
}
