#include "cli/online/online.h"
#include "form/catalog.h"
#include "yinzheng/v1/catalog.pb-c.h"

#define SERVICE (&yinzheng__v1__catalog_service__descriptor)

static Yinzheng__V1__LicenceType *type_message(struct arena *a, const struct licence_type *t)
{
	Yinzheng__V1__LicenceType *m = arena_alloc(a, sizeof(*m));
	Yinzheng__V1__FieldType *f = arena_array(a, t->n_fields, sizeof(*f));

	if (m == NULL || f == NULL)
		return NULL;
	yinzheng__v1__licence_type__init(m);
	m->code = t->code;
	m->name = t->name;
	m->definer_code = t->definer_code;
	m->definer_name = t->definer_name;
	m->validity_months = t->validity_months;
	m->sample = t->sample;
	m->fields = arena_array(a, t->n_fields, sizeof(*m->fields));
	for (size_t i = 0; m->fields != NULL && i < t->n_fields; i++, m->n_fields++) {
		yinzheng__v1__field_type__init(&f[i]);
		f[i].name = t->fields[i].name;
		f[i].kind = (Yinzheng__V1__FieldKind)t->fields[i].kind;
		f[i].required = t->fields[i].required;
		f[i].personal = t->fields[i].personal;
		f[i].face = t->fields[i].face;
		f[i].max_length = t->fields[i].max_length;
		f[i].n_choices = t->fields[i].n_choices;
		f[i].choices = t->fields[i].choices;
		m->fields[i] = &f[i];
	}
	return m;
}

static Yinzheng__V1__Item *item_message(struct arena *a, const struct service_item *it)
{
	Yinzheng__V1__Item *m = arena_alloc(a, sizeof(*m));
	Yinzheng__V1__Material *x = arena_array(a, it->n_materials, sizeof(*x));

	if (m == NULL || x == NULL)
		return NULL;
	yinzheng__v1__item__init(m);
	m->code = it->code;
	m->name = it->name;
	m->sample = it->sample;
	m->materials = arena_array(a, it->n_materials, sizeof(*m->materials));
	for (size_t i = 0; m->materials != NULL && i < it->n_materials; i++, m->n_materials++) {
		yinzheng__v1__material__init(&x[i]);
		x[i].name = it->materials[i].name;
		x[i].type_code = it->materials[i].type_code;
		x[i].purpose = it->materials[i].purpose;
		x[i].required = it->materials[i].required;
		x[i].n_fields = it->materials[i].n_fields;
		x[i].fields = it->materials[i].fields;
		m->materials[i] = &x[i];
	}
	return m;
}

static int put(struct online *o, const char *method, ProtobufCMessage *req, const char *code, const char *name)
{
	ProtobufCMessage *reply;
	int st = online_call(o, SERVICE, method, req, &reply);

	if (st != 0)
		return st;
	if (o->json)
		return online_show(o, reply);
	printf("%s  %s  (version %llu)\n", code, name,
	       (unsigned long long)((const Yinzheng__V1__PutReply *)reply)->version);
	return 0;
}

static int load(struct online *o, const struct catalog *c)
{
	int st = 0;

	for (size_t i = 0; st == 0 && i < c->n_types; i++) {
		Yinzheng__V1__PutLicenceTypeRequest req = YINZHENG__V1__PUT_LICENCE_TYPE_REQUEST__INIT;

		req.type = type_message(o->arena, &c->types[i]);
		st = put(o, "PutLicenceType", &req.base, c->types[i].code, c->types[i].name);
	}
	for (size_t i = 0; st == 0 && i < c->n_items; i++) {
		Yinzheng__V1__PutItemRequest req = YINZHENG__V1__PUT_ITEM_REQUEST__INIT;

		req.item = item_message(o->arena, &c->items[i]);
		st = put(o, "PutItem", &req.base, c->items[i].code, c->items[i].name);
	}
	return st;
}

static int load_file(struct online *o, const char *path)
{
	struct err_note note = {0};
	struct catalog c;
	struct span json;
	enum err e;
	int st = online_file(o, path, CATALOG_JSON_MAX, &json);

	if (st != 0)
		return st;
	e = catalog_from_json(o->arena, json, &c, &note);
	return e == ERR_OK ? load(o, &c) : online_fail(o, e, &note, path);
}

static int catalog_load(int argc, char **argv)
{
	struct online o = ONLINE_INIT;
	struct opt_args args;
	const struct opt opts[] = {ONLINE_OPTS(o), {0}};
	const struct opt_spec spec = {
	    "catalog load", "FILE.json…", "Puts the licence types and items of the files into the catalogue.", opts, 1, -1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO) {
		st = 0;
		for (int i = 0; st == 0 && i < args.count; i++)
			st = load_file(&o, args.arg[i]);
	}
	online_close(&o);
	return st;
}

static int show(int argc, char **argv, const char *name, const char *one, const char *list)
{
	struct online o = ONLINE_INIT;
	Yinzheng__V1__GetByCodeRequest get = YINZHENG__V1__GET_BY_CODE_REQUEST__INIT;
	Yinzheng__V1__ListCatalogRequest all = YINZHENG__V1__LIST_CATALOG_REQUEST__INIT;
	struct opt_args args;
	const char *page = "";
	const struct opt opts[] = {
	    {"page", 0, OPT_TEXT, "TOKEN", "go on where the last answer ended", &page, 0, 0, false},
	    ONLINE_OPTS(o),
	    {0},
	};
	const struct opt_spec spec = {name, "[CODE]", "Shows one by its code, or lists all.", opts, 0, 1};
	int st = online_run(&o, &spec, argc, argv, &args);

	if (st == OPT_GO && args.count == 1) {
		get.code = args.arg[0];
		st = online_do(&o, SERVICE, one, &get.base);
	} else if (st == OPT_GO) {
		all.page_token = text_of(page);
		st = online_do(&o, SERVICE, list, &all.base);
	}
	online_close(&o);
	return st;
}

static int catalog_types(int argc, char **argv)
{
	return show(argc, argv, "catalog types", "GetLicenceType", "ListLicenceTypes");
}

static int catalog_items(int argc, char **argv)
{
	return show(argc, argv, "catalog items", "GetItem", "ListItems");
}

int cmd_catalog(int argc, char **argv)
{
	static const struct subcommand table[] = {
	    {"load", catalog_load}, {"types", catalog_types}, {"items", catalog_items}, {NULL, NULL}};

	return command_dispatch("catalog", table, argc, argv);
}
