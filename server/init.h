/* `yinzhengd init`: a new store with its first one or two security administrators; `enrol`: another one later. */
#ifndef YZ_SERVER_INIT_H
#define YZ_SERVER_INIT_H

#include "base/err.h"

enum { INIT_ADMINS_MAX = 2 };

struct init_options {
	const char *config_path;
	const char *admin_cert[INIT_ADMINS_MAX]; /* files, PEM or DER */
	unsigned n_admins;
	const char *admin_org;  /* credit code; NULL: organizationIdentifier of the certificate */
	const char *admin_name; /* NULL: common name of the certificate */
};

/* Makes the master key when its file is absent. ERR_ALREADY_EXISTS when the store exists: nothing is changed then. */
enum err init_store(const struct init_options *o, struct err_note *note) MUST_CHECK;
/* Into the store that is there: one administrator more. ERR_ALREADY_EXISTS when the id or the key is enrolled. */
enum err init_enrol(const struct init_options *o, struct err_note *note) MUST_CHECK;

#endif
