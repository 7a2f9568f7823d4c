/* What every part of the generator needs: memory, files, a little DER and BER. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tests/corpus/corpus.h"

static struct arena *arena;
static const char *folder;

void give_up(const char *what)
{
	fprintf(stderr, "make_corpus: %s\n", what);
	exit(1);
}

void must(enum err e, const char *what)
{
	if (e != ERR_OK) {
		fprintf(stderr, "make_corpus: %s: %s\n", what, err_name(e));
		exit(1);
	}
}

void corpus_begin(const char *out)
{
	folder = out;
	arena = arena_new((size_t)1 << 30);
	if (arena == NULL)
		give_up("out of memory");
}

struct arena *mem(void)
{
	return arena;
}

struct span done(struct buf *b)
{
	struct span out = {0};

	must(buf_done(b, &out), "buffer");
	return out;
}

static void make_folders(char *path)
{
	for (char *p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			give_up(path);
		*p = '/';
	}
}

void put_file(const char *name, struct span bytes)
{
	char *path = arena_printf(arena, "%s/%s", folder, name);
	FILE *f;

	make_folders(path);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fclose(f) != 0)
		give_up(path);
}

struct span joined(struct span a, struct span b)
{
	struct buf out;

	buf_init(&out, arena);
	buf_add(&out, a);
	buf_add(&out, b);
	return done(&out);
}

struct span digest_of(const EVP_MD *md, struct span data)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_Digest(data.ptr, data.len, digest, &n, md, NULL) != 1)
		give_up("digest");
	return arena_dup(arena, span_of(digest, n));
}

struct span wrap(uint8_t tag, struct span contents)
{
	struct buf b;

	buf_init(&b, arena);
	der_put(&b, tag, contents);
	return done(&b);
}

struct span oid_der(const char *dotted)
{
	struct buf b;

	buf_init(&b, arena);
	must(der_put_oid(&b, dotted), dotted);
	return done(&b);
}

struct span flipped(struct span bytes, const char *needle)
{
	struct span copy = arena_dup(arena, bytes);
	uint8_t *at = memmem(copy.ptr, copy.len, needle, strlen(needle));

	if (at == NULL)
		give_up(needle);
	*at ^= 1;
	return copy;
}

/* ---- BER ------------------------------------------------------------------------------------------------------- */

static void put_long(struct buf *b, uint8_t tag, struct span contents)
{
	buf_byte(b, tag);
	buf_byte(b, 0x84);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_byte(b, (uint8_t)(contents.len >> shift));
	buf_add(b, contents);
}

static void put_parts(struct buf *b, struct span contents)
{
	size_t mark = der_open(b, 0x24), half = contents.len / 2;

	der_put(b, DER_OCTET_STRING, span_sub(contents, 0, half));
	der_put(b, DER_OCTET_STRING, span_sub(contents, half, contents.len));
	der_close(b, mark);
}

static void put_ber(struct buf *b, const struct der_item *it, enum ber how)
{
	struct span contents = it->value;

	if ((it->tag & 0x20) != 0) {
		struct der d = der_of(it->value);
		struct buf in;
		buf_init(&in, arena);
		while (der_more(&d)) {
			struct der_item child;
			must(der_take(&d, DER_ANY, &child), "DER");
			put_ber(&in, &child, how);
		}
		contents = done(&in);
	}
	if (how == BER_LONG) {
		put_long(b, it->tag, contents);
	} else if (how == BER_PARTS && it->tag == DER_OCTET_STRING) {
		put_parts(b, contents);
	} else if (how == BER_INDEFINITE && (it->tag & 0x20) != 0) {
		buf_byte(b, it->tag);
		buf_byte(b, 0x80);
		buf_add(b, contents);
		buf_add(b, span_of("\0\0", 2));
	} else {
		der_put(b, it->tag, contents);
	}
}

struct span in_ber(struct span der, enum ber how)
{
	struct der d = der_of(der);
	struct der_item it;
	struct buf b;

	must(der_take(&d, DER_ANY, &it), "DER");
	buf_init(&b, arena);
	put_ber(&b, &it, how);
	return done(&b);
}
