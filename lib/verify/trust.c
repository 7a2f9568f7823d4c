/* A trust list from files: certificates, revocation lists and OCSP responses, told apart by content. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "verify/verify.h"

enum { TRUST_PATH_MAX = 4096, TRUST_ARENA = 3 * TRUST_FILE_MAX };

struct loader {
	struct cert_store *store;
	size_t files, found;
	struct err_note *note;
};

static enum err add_cert(struct loader *l, struct cert *c)
{
	l->found++;
	if (cert_is_self_issued(c))
		return cert_store_add_anchor(l->store, c);
	return cert_store_add_intermediate(l->store, c);
}

static enum err add_certs(struct loader *l, struct arena *a, struct span bytes)
{
	struct cert **certs = NULL;
	size_t n = 0;
	enum err e = cert_parse_bundle(a, bytes, &certs, &n);

	for (size_t i = 0; i < n; i++) {
		if (e == ERR_OK)
			e = add_cert(l, certs[i]);
		cert_free(certs[i]);
	}
	return e;
}

static enum err add_crl(struct loader *l, struct span bytes)
{
	struct crl *crl = NULL;
	enum err e = crl_parse_pem_or_der(bytes, &crl);

	if (e != ERR_OK)
		return e;
	e = cert_store_add_crl(l->store, crl);
	if (e == ERR_OK)
		l->found++;
	return e;
}

static enum err add_ocsp(struct loader *l, struct span bytes)
{
	struct ocsp *ocsp = NULL;
	enum err e = ocsp_parse(bytes, &ocsp);

	if (e != ERR_OK)
		return e;
	e = cert_store_add_ocsp(l->store, ocsp);
	if (e == ERR_OK)
		l->found++;
	else
		ocsp_free(ocsp);
	return e;
}

static const uint8_t *find(struct span s, const char *text)
{
	return s.ptr != NULL ? memmem(s.ptr, s.len, text, strlen(text)) : NULL;
}

/* One PEM file may hold several revocation lists. */
static enum err add_pem_crls(struct loader *l, struct span bytes)
{
	static const char begin[] = "-----BEGIN X509 CRL-----", end[] = "-----END X509 CRL-----";

	for (const uint8_t *from = find(bytes, begin); from != NULL; from = find(bytes, begin)) {
		struct span rest = span_sub(bytes, (size_t)(from - bytes.ptr), bytes.len);
		const uint8_t *to = find(rest, end);
		size_t len = to != NULL ? (size_t)(to - rest.ptr) + sizeof(end) - 1 : rest.len;
		enum err e = add_crl(l, span_sub(rest, 0, len));

		if (e != ERR_OK)
			return e;
		bytes = span_sub(rest, len, rest.len);
	}
	return ERR_OK;
}

static enum err add_pem(struct loader *l, struct arena *a, struct span bytes)
{
	enum err e = ERR_OK;

	if (find(bytes, "-----BEGIN CERTIFICATE-----") != NULL)
		e = add_certs(l, a, bytes);
	return e == ERR_OK ? add_pem_crls(l, bytes) : e;
}

/* ERR_OK and nothing found when the bytes are neither; binary files must be one or the other. */
static enum err add_bytes(struct loader *l, struct arena *a, struct span bytes)
{
	enum err e;

	if (find(bytes, "-----BEGIN ") != NULL)
		return add_pem(l, a, bytes);
	if (bytes.len == 0 || bytes.ptr[0] != 0x30)
		return ERR_OK;
	e = add_certs(l, a, bytes);
	if (err_class_of(e) == ERRC_DATA)
		e = add_crl(l, bytes);
	if (err_class_of(e) == ERRC_DATA)
		e = add_ocsp(l, bytes);
	return e;
}

static enum err add_file(struct loader *l, const char *path)
{
	struct arena *a = arena_new(TRUST_ARENA);
	struct span bytes;
	enum err e = a != NULL ? ERR_OK : ERR_NO_MEMORY;

	if (e == ERR_OK && ++l->files > TRUST_FILES_MAX)
		e = err_note_set(l->note, ERR_TOO_LARGE, "trust", "more than %d files of trust", TRUST_FILES_MAX);
	else if (e == ERR_OK)
		e = file_read(a, path, TRUST_FILE_MAX, &bytes, l->note);
	if (e == ERR_OK) {
		e = add_bytes(l, a, bytes);
		if (err_class_of(e) == ERRC_DATA)
			e = err_note_set(l->note, ERR_CERT_UNREADABLE, "trust", "%s: damaged certificate, CRL or OCSP response",
			                 path);
	}
	arena_free(a);
	return e;
}

static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static enum err add_dir(struct loader *l, DIR *dir, const char *path)
{
	char name[TRUST_PATH_MAX];
	const struct dirent *d;
	enum err e = ERR_OK;

	while (e == ERR_OK && (d = readdir(dir)) != NULL) {
		int n = snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		if (d->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof(name) || !is_regular(name))
			continue;
		e = add_file(l, name);
	}
	return e;
}

static enum err add_path(struct loader *l, const char *path)
{
	size_t before = l->found;
	DIR *dir = opendir(path);
	enum err e;

	if (dir == NULL && errno != ENOTDIR)
		return err_note_set(l->note, ERR_FILE_UNREADABLE, "trust", "%s: cannot be opened", path);
	e = dir != NULL ? add_dir(l, dir, path) : add_file(l, path);
	if (dir != NULL)
		closedir(dir);
	if (e == ERR_OK && l->found == before)
		e = err_note_set(l->note, ERR_CERT_UNREADABLE, "trust",
		                 "%s: neither certificate nor CRL nor OCSP response in it", path);
	return e;
}

enum err trust_load(const char *const *paths, size_t n, struct cert_store **out, struct err_note *note)
{
	struct loader l = {.note = note};
	enum err e = cert_store_new(&l.store);

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = add_path(&l, paths[i]);
	if (e == ERR_OK && cert_store_anchors(l.store) == 0)
		e = err_note_set(note, ERR_CERT_UNREADABLE, "trust", "%s: no trust anchor (self-issued certificate)",
		                 n != 0 ? paths[0] : "trust");
	if (e == ERR_OK)
		*out = l.store;
	else
		cert_store_free(l.store);
	return e;
}
