/* A small world for the tests of the desk: a store in a folder of its own, the development PKI, a seal, two licence
 * types, an item, and one principal per role. The clock stands still until the test moves it. */
#ifndef YZ_TESTS_DESK_HELP_H
#define YZ_TESTS_DESK_HELP_H

#include "verify_help.h"

#include <sys/stat.h>
#include <unistd.h>

#include "desk/show.h"

#define SAMR        "11990100MB00001073"
#define MNR         "11990100MB0000203C"
#define CENTRE      "11990100MB00004061"
#define TYPE_FOOD   SAMR "001"
#define TYPE_PERSON SAMR "002"
#define TYPE_HOUSE  MNR "001"
#define ITEM        "YZ-ITEM-1"
#define ITEM_OTHER  "YZ-ITEM-2"
#define NAME        "张三"

enum { FACTS_MAX = 32 };

struct world {
	char dir[64], path[96], url[128];
	uint8_t master[32];
	_Atomic int64_t clock;
	struct store *store;
	struct arena *arena;
	struct desk *desk;
	struct desk_caches *caches; /* NULL: nothing is kept */
	struct desk_key keys[3];    /* maker, samr, receipt */
	char id_code[RESIDENT_ID_LEN + 1], other_code[RESIDENT_ID_LEN + 1], parent_code[RESIDENT_ID_LEN + 1];
	uint32_t asked; /* request ids count up */
	struct operator_name operator;
	struct err_note note; /* of the last call */
	bool replayed;
	struct span reply;
	uint8_t leaf[SHA256_LEN];
};

/* ---- people --------------------------------------------------------------------------------- */

static inline struct principal someone(const char *id, const char *org_code, unsigned roles)
{
	static char *any_type[] = {"*"};

	return (struct principal){
	    .id = (char *)(uintptr_t)id,
	    .name = (char *)(uintptr_t)id,
	    .org_code = (char *)(uintptr_t)org_code,
	    .org_name = (char *)(uintptr_t)(strcmp(org_code, SAMR) == 0  ? "云州市市场监督管理局"
	                                    : strcmp(org_code, MNR) == 0 ? "云州市自然资源和规划局"
	                                                                 : "云州市政务服务中心"),
	    .roles = roles,
	    .n_types = 1,
	    .types = any_type,
	    .n_items = 1,
	    .items = any_type,
	};
}

static inline struct principal the_issuer(void)
{
	return someone("issuer", SAMR, ROLE_ISSUER);
}
static inline struct principal the_wallet(void)
{
	return someone("wallet", CENTRE, ROLE_WALLET);
}
static inline struct principal the_window(void)
{
	return someone("window", CENTRE, ROLE_WINDOW);
}
static inline struct principal the_inspector(void)
{
	struct principal p = someone("inspector", CENTRE, ROLE_INSPECTOR);

	p.statutory = true;
	return p;
}

static inline void resident(char out[RESIDENT_ID_LEN + 1], const char *first17)
{
	memcpy(out, first17, RESIDENT_ID_LEN - 1);
	out[RESIDENT_ID_LEN - 1] = resident_id_check(span_str(first17));
	out[RESIDENT_ID_LEN] = '\0';
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* Who asks, and whether the same request is asked again (a request id stays when `again`). */
static inline enum err ask_as(struct world *w, struct desk *d, struct principal who_asks, const struct use_case *use,
                              const void *req, void *ans)
{
	static const uint8_t digest[SM3_LEN] = {1};
	uint8_t id[REQUEST_ID_LEN] = {0};
	struct desk_call call = {
	    .desk = d, .arena = w->arena, .caller = who_asks, .operator= w->operator, .req = req, .ans = ans};
	enum err e;

	w->asked++;
	memcpy(id, &w->asked, sizeof(w->asked));
	if ((use->flags & USE_REQUEST_ID) != 0)
		call.request_id = span_of(id, sizeof(id));
	memcpy(call.request_digest, digest, SM3_LEN);
	e = desk_run(&call, use);
	w->note = call.note;
	w->replayed = call.replayed;
	memcpy(w->leaf, call.audit_leaf, SHA256_LEN);
	return e;
}

static inline enum err ask(struct world *w, struct principal who_asks, const struct use_case *use, const void *req,
                           void *ans)
{
	return ask_as(w, w->desk, who_asks, use, req, ans);
}

/* ---- what the store has at the beginning ---------------------------------------------------- */

static inline enum err put_type(struct store_tx *tx, struct arena *a, const struct licence_type *t)
{
	struct catalog_row row = {.code = t->code};
	enum err e = licence_type_to_json(a, t, &row.json);

	return e == ERR_OK ? store_catalog_put(tx, CATALOG_TYPE, &row) : e;
}

static inline enum err put_item(struct store_tx *tx, struct arena *a, const struct service_item *i)
{
	struct catalog_row row = {.code = i->code};
	enum err e = service_item_to_json(a, i, &row.json);

	return e == ERR_OK ? store_catalog_put(tx, CATALOG_ITEM, &row) : e;
}

#define TEXT(s) ((char *)(uintptr_t)(s))

static inline enum err put_types(struct store_tx *tx, struct arena *a)
{
	char *kinds[] = {TEXT("预包装"), TEXT("散装")};
	struct field_type food[] = {
	    {.name = TEXT("经营者名称"), .kind = FIELD_TEXT, .required = true, .face = true},
	    {.name = TEXT("法定代表人"), .kind = FIELD_TEXT, .personal = true, .face = true},
	    {.name = TEXT("类别"), .kind = FIELD_CHOICE, .face = true, .n_choices = 2, .choices = kinds},
	    {.name = TEXT("开业日期"), .kind = FIELD_DATE},
	};
	struct field_type person[] = {
	    {.name = TEXT("姓名"), .kind = FIELD_TEXT, .required = true, .personal = true, .face = true},
	    {.name = TEXT("公民身份号码"), .kind = FIELD_RESIDENT_ID, .required = true, .personal = true, .face = true},
	    {.name = TEXT("住址"), .kind = FIELD_TEXT, .personal = true},
	};
	struct licence_type types[] = {
	    {.code = TEXT(TYPE_FOOD), .name = TEXT("食品经营许可证"), .validity_months = 60, .n_fields = 4, .fields = food},
	    {.code = TEXT(TYPE_PERSON), .name = TEXT("居民身份证"), .n_fields = 3, .fields = person},
	    {.code = TEXT(TYPE_HOUSE), .name = TEXT("不动产权证书"), .n_fields = 1, .fields = food},
	};
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < 3; i++) {
		types[i].sample = true;
		types[i].definer_code = TEXT(i == 2 ? MNR : SAMR);
		types[i].definer_name = TEXT("云州市");
		e = put_type(tx, a, &types[i]);
	}
	return e;
}

static inline enum err put_items(struct store_tx *tx, struct arena *a)
{
	char *of_person[] = {TEXT("姓名"), TEXT("公民身份号码")}, *of_food[] = {TEXT("经营者名称")};
	struct item_material materials[] = {
	    {TEXT("身份证"), TEXT(TYPE_PERSON), TEXT("核对申请人"), true, 2, of_person},
	    {TEXT("许可证"), TEXT(TYPE_FOOD), TEXT("核对许可"), true, 1, of_food},
	    {TEXT("房产证"), TEXT(TYPE_HOUSE), TEXT("核对场所"), false, 1, of_food},
	};
	struct service_item item = {TEXT(ITEM), TEXT("食品经营许可变更"), true, 3, materials};
	struct service_item other = {TEXT(ITEM_OTHER), TEXT("另一事项"), true, 1, materials};
	enum err e = put_item(tx, a, &item);

	return e == ERR_OK ? put_item(tx, a, &other) : e;
}

static inline enum err put_seal(struct store_tx *tx, struct arena *a)
{
	const struct made good = {0};
	struct seal_row row = {
	    .id = TEXT("SEAL-1"),
	    .name = TEXT("云州市测试专用章"),
	    .owner_code = TEXT(SAMR),
	    .maker = TEXT("maker"),
	    .type = 1,
	    .state = SEAL_ACTIVE,
	    .valid_start = pki.t0 - HOUR / 2,
	    .valid_end = pki.t0 + 4000 * DAY,
	    .application = TEXT("A-1"),
	    .approver = TEXT("B"),
	    .created_by = TEXT("sealer"),
	    .der = make_seal(a, &good),
	};
	enum err e = sm3(row.der, row.hash);

	return e == ERR_OK ? store_seal_insert(tx, &row) : e;
}

static inline enum err put_people(struct store_tx *tx)
{
	struct principal all[] = {the_issuer(), the_wallet(), the_window(), the_inspector()};
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < 4; i++)
		e = store_principal_put(tx, &all[i]);
	return e;
}

struct enrolment {
	struct principal *p;
};

static inline enum err put_one(struct store_tx *tx, void *arg)
{
	return store_principal_put(tx, ((struct enrolment *)arg)->p);
}

/* Who is not among the usual four must be enrolled before asking. */
static inline struct principal enrolled(struct world *w, struct principal p)
{
	struct enrolment en = {&p};

	assert_err(store_write(w->store, put_one, &en), ERR_OK);
	return p;
}

static inline enum err put_world(struct store_tx *tx, void *arg)
{
	struct world *w = arg;
	enum err e = put_types(tx, w->arena);

	if (e == ERR_OK)
		e = put_items(tx, w->arena);
	if (e == ERR_OK)
		e = put_seal(tx, w->arena);
	return e == ERR_OK ? put_people(tx) : e;
}

static inline struct desk *new_desk(struct world *w, const struct source *const *sources, size_t n)
{
	struct desk_options o = {
	    .store = w->store,
	    .clock = clock_fixed(&w->clock),
	    .rand = rand_system(),
	    .service = "印证测试",
	    .trust = pki.trust,
	    .maker = &w->keys[0],
	    .receipt = &w->keys[2],
	    .seal_keys = &w->keys[1],
	    .n_seal_keys = 1,
	    .sources = sources,
	    .n_sources = n,
	    .caches = w->caches,
	};
	struct desk *d = NULL;
	struct err_note note;

	assert_err(desk_new(&o, &d, &note), ERR_OK);
	return d;
}

static inline void open_store(struct world *w)
{
	struct store_options o = {
	    .url = w->url, .master_key = span_of(w->master, 32), .clock = clock_fixed(&w->clock), .rand = rand_system()};
	struct err_note note;

	assert_err(store_create(&o, &note), ERR_OK);
	assert_err(store_open(&o, &w->store, &note), ERR_OK);
}

static inline int world_setup(void **state)
{
	static const char *const names[] = {"maker", "samr", "receipt"};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/yzdesk.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/store.db", w->dir);
	snprintf(w->url, sizeof(w->url), "sqlite:%s", w->path);
	memset(w->master, 7, sizeof(w->master));
	w->clock = pki.t0 + DAY;
	w->arena = arena_new(256 << 20);
	w->operator=(struct operator_name){TEXT("op-7"), TEXT("李四"), TEXT("T1")};
	resident(w->id_code, "11010119900307001");
	resident(w->other_code, "11010119910307002");
	resident(w->parent_code, "11010119600307003");
	for (size_t i = 0; i < 3; i++)
		w->keys[i] = (struct desk_key){TEXT(names[i]), who(names[i])->signer, who(names[i])->cert};
	open_store(w);
	assert_err(store_write(w->store, put_world, w), ERR_OK);
	w->desk = new_desk(w, NULL, 0);
	*state = w;
	return 0;
}

static inline int world_teardown(void **state)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	struct world *w = *state;
	char path[128];

	desk_free(w->desk);
	store_close(w->store);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", w->path, tails[i]);
		unlink(path);
	}
	rmdir(w->dir);
	arena_free(w->arena);
	free(w);
	return 0;
}

#define WORLD(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* ---- the usual requests --------------------------------------------------------------------- */

static inline struct licence_holder the_holder(struct world *w)
{
	return (struct licence_holder){TEXT(NAME), TEXT("111"), w->id_code};
}

static inline struct presenter himself(struct world *w)
{
	return (struct presenter){.name = NAME,
	                          .code_type = "111",
	                          .code = w->id_code,
	                          .capacity = CAPACITY_SELF,
	                          .auth_method = "face",
	                          .auth_reference = "ref-1",
	                          .auth_level = 3,
	                          .auth_time = w->clock - 1000};
}

static inline struct issue_request person_request(struct world *w)
{
	struct licence_holder *h = arena_alloc(w->arena, sizeof(*h));
	struct licence_field *f = arena_array(w->arena, 8, sizeof(*f));

	*h = the_holder(w);
	f[0] = (struct licence_field){TEXT("公民身份号码"), w->id_code};
	f[1] = (struct licence_field){TEXT("姓名"), TEXT(NAME)};
	f[2] = (struct licence_field){TEXT("住址"), TEXT("云州市某街 1 号")};
	return (struct issue_request){.type_code = TYPE_PERSON,
	                              .number = w->id_code,
	                              .serial = "",
	                              .area_code = "990100",
	                              .seal_id = "",
	                              .n_holders = 1,
	                              .holders = h,
	                              .n_fields = 3,
	                              .fields = f};
}

static inline struct issue_request food_request(struct world *w)
{
	struct issue_request r = person_request(w);
	struct licence_field *f = arena_array(w->arena, 8, sizeof(*f));

	f[0] = (struct licence_field){TEXT("经营者名称"), TEXT("张三小吃店")};
	f[1] = (struct licence_field){TEXT("法定代表人"), TEXT(NAME)};
	f[2] = (struct licence_field){TEXT("类别"), TEXT("散装")};
	r.type_code = TYPE_FOOD;
	r.number = "JY-0001";
	r.fields = f;
	return r;
}

/* Issue and give the identifier. */
static inline const char *issued(struct world *w, struct issue_request r)
{
	struct licence_answer ans = {0};
	enum err e = ask(w, the_issuer(), &use_issue, &r, &ans);

	if (e != ERR_OK)
		fail_msg("issue: %s %s %s", err_name(e), w->note.field, w->note.help);
	return ans.record.id;
}

static inline struct holder_answer preview(struct world *w, struct desk *d)
{
	struct holder_request r = {.holder = the_holder(w), .presenter = himself(w), .item_code = ITEM};
	struct holder_answer ans = {0};
	enum err e = ask_as(w, d, the_wallet(), &use_holder_licences, &r, &ans);

	if (e != ERR_OK)
		fail_msg("preview: %s %s", err_name(e), w->note.help);
	return ans;
}

static inline struct code_request use_request(struct world *w, const struct holder_answer *p)
{
	return (struct code_request){.holder = the_holder(w),
	                             .presenter = himself(w),
	                             .kind = CODE_USE,
	                             .audience = AUDIENCE_WINDOWS,
	                             .audience_org = "",
	                             .purpose = "办理许可变更",
	                             .item_code = ITEM,
	                             .preview_digest = span_of(p->preview_digest, SM3_LEN)};
}

static inline const char *coded(struct world *w, struct desk *d, struct code_request r)
{
	struct code_answer ans = {0};
	enum err e = ask_as(w, d, the_wallet(), &use_code_issue, &r, &ans);

	if (e != ERR_OK)
		fail_msg("code: %s %s %s", err_name(e), w->note.field, w->note.help);
	return ans.code;
}

/* A use code over all that the holder has. */
static inline const char *use_code(struct world *w)
{
	struct holder_answer p = preview(w, w->desk);

	return coded(w, w->desk, use_request(w, &p));
}

static inline struct pull_request pull_of(const char *code)
{
	return (struct pull_request){.code = code, .item_code = ITEM, .case_number = "CASE-1", .purpose = "办理许可变更"};
}

static inline enum err pulled(struct world *w, const char *code, struct pull_answer *ans)
{
	struct pull_request r = pull_of(code);

	return ask(w, the_window(), &use_pull, &r, ans);
}

static inline struct code_request show_request(struct world *w, const char *const *ids, size_t n)
{
	struct show_selection *s = arena_array(w->arena, n, sizeof(*s));
	struct code_request r = {.holder = the_holder(w),
	                         .presenter = himself(w),
	                         .kind = CODE_SHOW,
	                         .audience = AUDIENCE_INSPECTORS,
	                         .audience_org = "",
	                         .purpose = "检查",
	                         .item_code = "",
	                         .n_show = n,
	                         .show = s};

	for (size_t i = 0; i < n; i++)
		s[i].licence_id = ids[i];
	return r;
}

static inline const char *show_code(struct world *w, const char *id)
{
	return coded(w, w->desk, show_request(w, &id, 1));
}

static inline enum err set_state(struct world *w, const char *id, enum licence_state state)
{
	struct status_request r = {.id = id, .reason = "测试", .state = (int)state};
	struct licence_answer ans = {0};

	return ask(w, the_issuer(), &use_licence_status, &r, &ans);
}

#endif
