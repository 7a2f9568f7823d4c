#include <string.h>
#include <zip.h>

#include "base/text.h"
#include "tests/corpus/package.h"

static const char *or_else(const char *s, const char *usual)
{
	return s != NULL ? s : usual;
}

/* ---- files ---------------------------------------------------------------------------------------------------------
 */

static size_t find(const struct package *p, const char *name)
{
	size_t i = 0;

	while (i < p->n && strcmp(p->file[i].name, name) != 0)
		i++;
	return i;
}

void package_put(struct package *p, const char *name, struct span bytes)
{
	size_t i = find(p, name);

	if (i == PACKAGE_FILES_MAX)
		give_up("too many files in a package");
	p->file[i].name = name;
	p->file[i].bytes = bytes;
	if (i == p->n)
		p->n++;
}

void package_text(struct package *p, const char *name, const char *text)
{
	package_put(p, name, span_str(text));
}

void package_remove(struct package *p, const char *name)
{
	size_t i = find(p, name);

	if (i == p->n)
		give_up(name);
	p->file[i] = p->file[--p->n];
}

struct span package_get(const struct package *p, const char *name)
{
	size_t i = find(p, name);

	if (i == p->n)
		give_up(name);
	return p->file[i].bytes;
}

struct package new_package(void)
{
	struct package p = {0};

	package_text(&p, "OFD.xml",
	             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ofd:OFD " OFD_NS
	             " Version=\"1.0\" DocType=\"OFD\"><ofd:DocBody><ofd:DocInfo><ofd:DocID>0</ofd:DocID></ofd:DocInfo>"
	             "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot><ofd:Signatures>/" OFD_LIST
	             "</ofd:Signatures></ofd:DocBody></ofd:OFD>\n");
	package_text(&p, OFD_DOC,
	             "<ofd:Document " OFD_NS "><ofd:CommonData><ofd:PublicRes>PublicRes.xml</ofd:PublicRes>"
	             "</ofd:CommonData><ofd:Pages><ofd:Page ID=\"1\" BaseLoc=\"Pages/Page_0/Content.xml\"/></ofd:Pages>"
	             "</ofd:Document>\n");
	package_text(&p, OFD_PAGE, "<ofd:Page " OFD_NS "><ofd:Content/></ofd:Page>\n");
	package_text(&p, "Doc_0/PublicRes.xml",
	             "<ofd:Res " OFD_NS " BaseLoc=\"Res\"><ofd:MultiMedias><ofd:MultiMedia ID=\"2\" Type=\"Image\">"
	             "<ofd:MediaFile>face.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>\n");
	package_text(&p, OFD_FACE, "not a real picture");
	return p;
}

/* ---- signatures
 * ------------------------------------------------------------------------------------------------------ */

static void put_references(struct buf *b, const struct package *p, const struct package_wish *w)
{
	bool first = true;

	for (size_t i = 0; i < p->n && !w->no_references; i++) {
		const char *name = p->file[i].name;

		if ((strcmp(name, OFD_LIST) == 0 && !w->locks) || strcmp(name, or_else(w->leave_out, "")) == 0)
			continue;
		if (first && w->first_ref != NULL)
			buf_printf(b, "<ofd:Reference FileRef=\"%s\">", w->first_ref);
		else
			buf_printf(b, "<ofd:Reference FileRef=\"/%s\">", name);
		first = false;
		buf_printf(b, "<ofd:CheckValue>%s</ofd:CheckValue></ofd:Reference>",
		           base64_text(mem(), digest_of(w->md != NULL ? w->md : EVP_sm3(), p->file[i].bytes)));
	}
}

static struct span signature_xml(const struct package *p, const struct package_wish *w, size_t i)
{
	const char *seal = w->cms != NULL ? "" : or_else(w->seal_loc, "Seal.esl");
	const char *method = or_else(w->method, OID_SM3);
	struct buf b;

	buf_init(&b, mem());
	buf_str(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ofd:Signature " OFD_NS
	            "><ofd:SignedInfo><ofd:Provider ProviderName=\"corpus\"/>");
	buf_printf(&b, "<ofd:SignatureDateTime>%s</ofd:SignatureDateTime>", or_else(w->date, "2024-06-01T00:00:00Z"));
	if (*method != '\0')
		buf_printf(&b, "<ofd:References CheckMethod=\"%s\">", method);
	else
		buf_str(&b, "<ofd:References>");
	put_references(&b, p, w);
	buf_str(&b, "</ofd:References>");
	if (*seal != '\0')
		buf_printf(&b, "<ofd:Seal><ofd:BaseLoc>%s</ofd:BaseLoc></ofd:Seal>", seal);
	buf_printf(&b, "</ofd:SignedInfo><ofd:SignedValue>%s</ofd:SignedValue></ofd:Signature>\n",
	           or_else(w->value_loc, arena_printf(mem(), "/Doc_0/Signs/Sign_%zu/SignedValue.dat", i)));
	return done(&b);
}

/* The list as it stands when n signatures are made. */
static struct span list_xml(const struct package_wish *w, size_t n)
{
	struct buf b;

	buf_init(&b, mem());
	buf_str(&b, "<ofd:Signatures " OFD_NS ">");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "<ofd:Signature ID=\"s%03zu\" Type=\"%s\" BaseLoc=\"%s\"/>", i + 1,
		           or_else(w[i].type, w[i].cms != NULL ? "Sign" : "Seal"),
		           or_else(w[i].base_loc, arena_printf(mem(), "/Doc_0/Signs/Sign_%zu/Signature.xml", i)));
	buf_str(&b, "</ofd:Signatures>\n");
	return done(&b);
}

/* The seal as it stands within a signature. */
static struct span seal_within(struct span value)
{
	struct der whole = der_of(value), sig, tbs;
	struct der_item it;

	must(der_enter(&whole, DER_SEQUENCE, &sig, NULL), "signature");
	must(der_enter(&sig, DER_SEQUENCE, &tbs, NULL), "signature");
	must(der_take(&tbs, DER_INTEGER, &it), "signature");
	must(der_take(&tbs, DER_SEQUENCE, &it), "signature");
	return it.raw;
}

static struct span new_value(const struct package_wish *w, size_t i, struct span xml)
{
	struct signature_wish sig = w->signature;
	struct cms_wish cms;
	const char *text = arena_strndup(mem(), xml.ptr, xml.len);

	if (w->cms != NULL) {
		cms = *w->cms;
		cms.data = text;
		return new_cms(&cms);
	}
	if (sig.data == NULL)
		sig.data = text;
	if (sig.scope == NULL)
		sig.scope = arena_printf(mem(), "/Doc_0/Signs/Sign_%zu/Signature.xml", i);
	return new_signature(&sig);
}

void package_sign(struct package *p, const struct package_wish *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct span xml, value;

		package_put(p, OFD_LIST, list_xml(w, i + 1));
		xml = signature_xml(p, &w[i], i);
		value = new_value(&w[i], i, xml);
		package_put(p, arena_printf(mem(), "Doc_0/Signs/Sign_%zu/Signature.xml", i), xml);
		package_put(p, arena_printf(mem(), "Doc_0/Signs/Sign_%zu/SignedValue.dat", i), value);
		if (w[i].cms == NULL)
			package_put(p, arena_printf(mem(), "Doc_0/Signs/Sign_%zu/Seal.esl", i), seal_within(value));
	}
}

/* ---- the ZIP
 * --------------------------------------------------------------------------------------------------------- */

static struct span source_bytes(zip_source_t *s)
{
	struct zip_stat st;
	uint8_t *out;

	if (zip_source_stat(s, &st) != 0 || zip_source_open(s) != 0)
		give_up("ZIP");
	out = arena_alloc(mem(), st.size);
	if (zip_source_read(s, out, st.size) != (zip_int64_t)st.size)
		give_up("ZIP");
	zip_source_close(s);
	zip_source_free(s);
	return span_of(out, st.size);
}

struct span package_zip(const struct package *p, const char *encrypted)
{
	static const time_t date = 1717200000; /* 2024-06-01 */
	zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *z = s != NULL ? zip_open_from_source(s, ZIP_TRUNCATE, NULL) : NULL;

	if (z == NULL)
		give_up("ZIP");
	zip_source_keep(s);
	for (size_t i = 0; i < p->n; i++) {
		struct span b = p->file[i].bytes;
		zip_int64_t at = zip_file_add(z, p->file[i].name, zip_source_buffer(z, b.ptr, b.len, 0), ZIP_FL_ENC_UTF_8);

		if (at < 0 || zip_file_set_mtime(z, (zip_uint64_t)at, date, 0) != 0)
			give_up(p->file[i].name);
		if (encrypted != NULL && strcmp(encrypted, p->file[i].name) == 0 &&
		    zip_file_set_encryption(z, (zip_uint64_t)at, ZIP_EM_AES_128, "secret") != 0)
			give_up("encryption");
	}
	if (zip_close(z) != 0)
		give_up("ZIP");
	return source_bytes(s);
}

struct span patched(struct span bytes, const char *from, const char *to)
{
	struct span copy = arena_dup(mem(), bytes);
	uint8_t *at = (uint8_t *)(uintptr_t)copy.ptr, *end = at + copy.len;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(end - at), from, strlen(from))) != NULL) {
		memcpy(at, to, strlen(to));
		at += strlen(to);
		n++;
	}
	if (n == 0 || strlen(from) != strlen(to))
		give_up(from);
	return copy;
}
