/* OFD packages made for tests: sound by default, each with at most one fault. */
#ifndef YZ_TESTS_OFD_HELP_H
#define YZ_TESTS_OFD_HELP_H

#include "verify_help.h"

#include <zip.h>

#include "form/ofd.h"

enum { FILES_MAX = 48 };

struct pack {
	struct arena *a;
	size_t n;
	struct {
		const char *name;
		struct span bytes;
	} file[FILES_MAX];
};

static inline void pack_put(struct pack *p, const char *name, struct span bytes)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->file[i].name, name) == 0) {
			p->file[i].bytes = bytes;
			return;
		}
	assert_true(p->n < FILES_MAX);
	p->file[p->n].name = name;
	p->file[p->n++].bytes = bytes;
}

static inline void pack_text(struct pack *p, const char *name, const char *text)
{
	pack_put(p, name, span_str(text));
}

static inline void pack_remove(struct pack *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->file[i].name, name) == 0) {
			p->file[i] = p->file[--p->n];
			return;
		}
	fail_msg("no %s to remove", name);
}

static inline struct span pack_get(const struct pack *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->file[i].name, name) == 0)
			return p->file[i].bytes;
	fail_msg("no file %s", name);
	return span_of(NULL, 0);
}

static inline struct span read_source(struct arena *a, zip_source_t *s)
{
	struct zip_stat st;
	uint8_t *out;

	assert_int_equal(zip_source_stat(s, &st), 0);
	out = arena_alloc(a, st.size);
	assert_non_null(out);
	assert_int_equal(zip_source_open(s), 0);
	assert_int_equal(zip_source_read(s, out, st.size), st.size);
	zip_source_close(s);
	zip_source_free(s);
	return span_of(out, st.size);
}

/* encrypted: the entry of this name; NULL for none. */
static inline struct span pack_zip(const struct pack *p, const char *encrypted)
{
	zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *z = zip_open_from_source(s, ZIP_TRUNCATE, NULL);

	assert_non_null(z);
	zip_source_keep(s);
	for (size_t i = 0; i < p->n; i++) {
		struct span b = p->file[i].bytes;
		zip_int64_t at = zip_file_add(z, p->file[i].name, zip_source_buffer(z, b.ptr, b.len, 0), ZIP_FL_ENC_UTF_8);
		assert_true(at >= 0);
		if (encrypted != NULL && strcmp(encrypted, p->file[i].name) == 0)
			assert_int_equal(zip_file_set_encryption(z, (zip_uint64_t)at, ZIP_EM_AES_128, "secret"), 0);
	}
	assert_int_equal(zip_close(z), 0);
	return read_source(p->a, s);
}

/* Every occurrence of `from` in the bytes becomes `to`, of the same length; how many there were. */
static inline size_t patch(struct span bytes, const char *from, const char *to)
{
	size_t n = 0, len = strlen(from);
	uint8_t *at = (uint8_t *)(uintptr_t)bytes.ptr, *end = at + bytes.len;

	assert_int_equal(len, strlen(to));
	while ((at = memmem(at, (size_t)(end - at), from, len)) != NULL) {
		memcpy(at, to, len);
		at += len;
		n++;
	}
	return n;
}

/* ---- the document ---- */

#define NS       "xmlns:ofd=\"http://www.ofdspec.org/2016\""
#define DOCUMENT "Doc_0/Document.xml"
#define PAGE     "Doc_0/Pages/Page_0/Content.xml"
#define TEMPLATE "Doc_0/Tpls/Tpl_0/Content.xml"
#define PUBLIC   "Doc_0/PublicRes.xml"
#define PICTURE  "Doc_0/Res/face.png"
#define ANNOTS   "Doc_0/Annots/Annotations.xml"
#define ANNOT    "Doc_0/Annots/Page_0/Annotation.xml"
#define ATTACHS  "Doc_0/Attachs/Attachments.xml"
#define ATTACHED "Doc_0/Attachs/data.xml"
#define LIST     "Doc_0/Signs/Signatures.xml"
#define SIGN(n)  "Doc_0/Signs/Sign_" #n "/Signature.xml"
#define VALUE(n) "Doc_0/Signs/Sign_" #n "/SignedValue.dat"
#define ESL(n)   "Doc_0/Signs/Sign_" #n "/Seal.esl"

static inline struct pack pack_document(struct arena *a)
{
	struct pack p = {.a = a};

	pack_text(&p, OFD_MAIN,
	          "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ofd:OFD " NS
	          " Version=\"1.0\" DocType=\"OFD\"><ofd:DocBody><ofd:DocInfo><ofd:DocID>0</ofd:DocID></ofd:DocInfo>"
	          "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot><ofd:Signatures>/" LIST
	          "</ofd:Signatures></ofd:DocBody></ofd:OFD>");
	pack_text(&p, DOCUMENT,
	          "<ofd:Document " NS "><ofd:CommonData><ofd:PublicRes> PublicRes.xml </ofd:PublicRes>"
	          "<ofd:TemplatePage ID=\"2\" BaseLoc=\"Tpls/Tpl_0/Content.xml\"/></ofd:CommonData>"
	          "<ofd:Pages><ofd:Page ID=\"1\" BaseLoc=\"Pages/Page_0/Content.xml\"/></ofd:Pages>"
	          "<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations>"
	          "<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments></ofd:Document>");
	pack_text(&p, PAGE, "<ofd:Page " NS "><ofd:Content>食品经营许可证</ofd:Content></ofd:Page>");
	pack_text(&p, TEMPLATE, "<ofd:Page " NS "><ofd:Content/></ofd:Page>");
	pack_text(&p, PUBLIC,
	          "<ofd:Res " NS " BaseLoc=\"Res\"><ofd:MultiMedias><ofd:MultiMedia><ofd:MediaFile>face.png"
	          "</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>");
	pack_text(&p, PICTURE, "picture of the face");
	pack_text(&p, ANNOTS,
	          "<ofd:Annotations " NS "><ofd:Page PageID=\"1\"><ofd:FileLoc>Page_0/Annotation.xml</ofd:FileLoc>"
	          "</ofd:Page></ofd:Annotations>");
	pack_text(&p, ANNOT, "<ofd:PageAnnot " NS "/>");
	pack_text(&p, ATTACHS, "<ofd:Attachments " NS "><ofd:FileLoc>data.xml</ofd:FileLoc></ofd:Attachments>");
	pack_text(&p, ATTACHED, "<data/>");
	return p;
}

/* How one signature is made; zero means the good value. */
struct stamp {
	struct made made;
	const char *method;                          /* CheckMethod; "" leaves it out */
	enum run_alg alg;                            /* with which the digests are made */
	const char *leave_out;                       /* an entry without Reference */
	const char *type;                            /* "" leaves it out */
	const char *base_loc, *value_loc, *seal_loc; /* as written in the XML; "" leaves it out */
	const char *first_ref;                       /* as written, in place of the first FileRef */
	const char *more;                            /* XML at the end of Signature.xml */
	bool locks;                                  /* refers to the list too */
	bool without_references;
};

static inline const char *given(const char *s, const char *usual)
{
	return s != NULL ? s : usual;
}

static inline const char *digest_text(struct arena *a, enum run_alg alg, struct span bytes)
{
	struct digest_run *run;
	struct run_digests d;

	assert_err(digest_run_new(RUN_BIT(alg), &run), ERR_OK);
	assert_err(digest_run_add(run, bytes), ERR_OK);
	assert_err(digest_run_done(run, &d), ERR_OK);
	digest_run_free(run);
	return base64_text(a, span_of(d.value[alg], run_len(alg)));
}

static inline void write_references(struct buf *b, const struct pack *p, const struct stamp *s)
{
	bool first = true;

	for (size_t i = 0; i < p->n && !s->without_references; i++) {
		const char *name = p->file[i].name;
		if ((strcmp(name, LIST) == 0 && !s->locks) || (s->leave_out != NULL && strcmp(name, s->leave_out) == 0))
			continue;
		if (first && s->first_ref != NULL)
			buf_printf(b, "<ofd:Reference FileRef=\"%s\">", s->first_ref);
		else
			buf_printf(b, "<ofd:Reference FileRef=\"/%s\">", name);
		buf_printf(b, "<ofd:CheckValue>\n%s\n</ofd:CheckValue></ofd:Reference>",
		           digest_text(p->a, s->alg, p->file[i].bytes));
		first = false;
	}
}

static inline struct span signature_xml(const struct pack *p, const struct stamp *s, int n)
{
	struct buf b;
	struct span out;

	buf_init(&b, p->a);
	buf_str(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ofd:Signature " NS "><ofd:SignedInfo>"
	            "<ofd:Provider ProviderName=\"test\"/>");
	if (s->method == NULL || s->method[0] != '\0')
		buf_printf(&b, "<ofd:References CheckMethod=\"%s\">", given(s->method, OID_SM3));
	else
		buf_str(&b, "<ofd:References>");
	write_references(&b, p, s);
	buf_str(&b, "</ofd:References>");
	if (s->seal_loc == NULL || s->seal_loc[0] != '\0')
		buf_printf(&b, "<ofd:Seal><ofd:BaseLoc>%s</ofd:BaseLoc></ofd:Seal>", given(s->seal_loc, "Seal.esl"));
	buf_str(&b, "</ofd:SignedInfo>");
	if (s->value_loc == NULL || s->value_loc[0] != '\0')
		buf_printf(&b, "<ofd:SignedValue>%s</ofd:SignedValue>",
		           given(s->value_loc, arena_printf(p->a, "/Doc_0/Signs/Sign_%d/SignedValue.dat", n)));
	buf_printf(&b, "%s</ofd:Signature>", given(s->more, ""));
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

/* The list with these signatures, as it stands when the last of them is made. */
static inline struct span list_xml(struct arena *a, const struct stamp *stamps, size_t n)
{
	struct buf b;
	struct span out;

	buf_init(&b, a);
	buf_str(&b, "<ofd:Signatures " NS ">");
	for (size_t i = 0; i < n; i++) {
		const char *type = given(stamps[i].type, "Seal");
		buf_printf(&b, "<ofd:Signature ID=\"s%03zu\"", i + 1);
		if (type[0] != '\0')
			buf_printf(&b, " Type=\"%s\"", type);
		buf_printf(&b, " BaseLoc=\"%s\"/>",
		           given(stamps[i].base_loc, arena_printf(a, "/Doc_0/Signs/Sign_%zu/Signature.xml", i)));
	}
	buf_str(&b, "</ofd:Signatures>");
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

/* The seal as it stands within a signature. */
static inline struct span seal_within(struct span value)
{
	struct der whole = der_of(value), sig, tbs;
	struct der_item it;

	assert_err(der_enter(&whole, DER_SEQUENCE, &sig, NULL), ERR_OK);
	assert_err(der_enter(&sig, DER_SEQUENCE, &tbs, NULL), ERR_OK);
	assert_err(der_take(&tbs, DER_INTEGER, &it), ERR_OK);
	assert_err(der_take(&tbs, DER_SEQUENCE, &it), ERR_OK);
	return it.raw;
}

/* Signatures one after another, each over what stands there when it is made. */
static inline void pack_sign(struct pack *p, const struct stamp *stamps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct span xml, value;
		struct pack before;

		pack_put(p, LIST, list_xml(p->a, stamps, i + 1));
		before = *p;
		xml = signature_xml(&before, &stamps[i], (int)i);
		struct made made = stamps[i].made;
		if (made.scope == NULL)
			made.scope = arena_printf(p->a, "/Doc_0/Signs/Sign_%zu/Signature.xml", i);
		value = make_signature(p->a, &made, xml);
		pack_put(p, arena_printf(p->a, "Doc_0/Signs/Sign_%zu/Signature.xml", i), xml);
		pack_put(p, arena_printf(p->a, "Doc_0/Signs/Sign_%zu/SignedValue.dat", i), value);
		pack_put(p, arena_printf(p->a, "Doc_0/Signs/Sign_%zu/Seal.esl", i), seal_within(value));
	}
}

/* A sound document with one signature. */
static inline struct pack pack_signed(struct arena *a)
{
	static const struct stamp good;
	struct pack p = pack_document(a);

	pack_sign(&p, &good, 1);
	return p;
}

#endif
