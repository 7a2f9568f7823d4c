/* The documents that are measured and not found elsewhere: a page with text each, as an invoice has it, and scans. */
#include "tests/bench/bench_verify.h"
#include "tests/corpus/package.h"

enum { SMALL_PAGES = 5, LARGE_PAGES = 15, PAGE_OBJECTS = 180, SMALL_SCAN = 1400, LARGE_SCAN = 1400 * 1000 };

/* As incompressible as a JPEG, and the same each time (xorshift64). */
static struct span scan(size_t len, uint64_t seed)
{
	uint8_t *out = arena_alloc(mem(), len);

	if (out == NULL)
		give_up("out of memory");
	for (size_t i = 0; i < len; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		out[i] = (uint8_t)(seed >> 32);
	}
	return span_of(out, len);
}

static struct span page(size_t n)
{
	struct buf b;

	buf_init(&b, mem());
	buf_str(&b, "<ofd:Page " OFD_NS "><ofd:Content><ofd:Layer ID=\"2\">");
	for (size_t i = 0; i < PAGE_OBJECTS; i++)
		buf_printf(&b,
		           "<ofd:TextObject ID=\"%zu\" Boundary=\"%zu.5 %zu.25 30.1 4.233\" Font=\"3\" Size=\"3.175\">"
		           "<ofd:TextCode X=\"0.0\" Y=\"2.7284\" DeltaX=\"g 9 3.175\">第%zu页第%zu行</ofd:TextCode>"
		           "</ofd:TextObject>",
		           1000 * n + i, i % 20 * 10, i / 20 * 5, n + 1, i + 1);
	buf_str(&b, "</ofd:Layer></ofd:Content></ofd:Page>\n");
	return done(&b);
}

static struct span document_xml(size_t pages)
{
	struct buf b;

	buf_init(&b, mem());
	buf_str(&b, "<ofd:Document " OFD_NS "><ofd:CommonData><ofd:PublicRes>PublicRes.xml</ofd:PublicRes>"
	            "</ofd:CommonData><ofd:Pages>");
	for (size_t i = 0; i < pages; i++)
		buf_printf(&b, "<ofd:Page ID=\"%zu\" BaseLoc=\"Pages/Page_%zu/Content.xml\"/>", i + 1, i);
	buf_str(&b, "</ofd:Pages></ofd:Document>\n");
	return done(&b);
}

static struct span resources_xml(size_t pages)
{
	struct buf b;

	buf_init(&b, mem());
	buf_str(&b, "<ofd:Res " OFD_NS " BaseLoc=\"Res\"><ofd:MultiMedias>");
	for (size_t i = 0; i < pages; i++)
		buf_printf(&b,
		           "<ofd:MultiMedia ID=\"%zu\" Type=\"Image\"><ofd:MediaFile>scan_%zu.jpg</ofd:MediaFile>"
		           "</ofd:MultiMedia>",
		           100 + i, i);
	buf_str(&b, "</ofd:MultiMedias></ofd:Res>\n");
	return done(&b);
}

static void make_document(const char *name, size_t pages, size_t scan_len)
{
	struct package p = new_package();
	static const struct package_wish usual;

	package_remove(&p, OFD_FACE);
	package_put(&p, OFD_DOC, document_xml(pages));
	package_put(&p, "Doc_0/PublicRes.xml", resources_xml(pages));
	for (size_t i = 0; i < pages; i++) {
		package_put(&p, arena_printf(mem(), "Doc_0/Pages/Page_%zu/Content.xml", i), page(i));
		package_put(&p, arena_printf(mem(), "Doc_0/Res/scan_%zu.jpg", i), scan(scan_len, i + 1));
	}
	package_sign(&p, &usual, 1);
	put_file(name, package_zip(&p, NULL));
}

void make_documents(const char *folder)
{
	corpus_begin(folder);
	make_document("small.ofd", SMALL_PAGES, SMALL_SCAN);
	make_document("large.ofd", LARGE_PAGES, LARGE_SCAN);
}
