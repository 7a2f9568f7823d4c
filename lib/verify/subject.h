/* Which organisation does a certificate's subject name? */
#ifndef YZ_VERIFY_SUBJECT_H
#define YZ_VERIFY_SUBJECT_H

#include "base/arena.h"
#include <stdbool.h>

/* Does the subject (RFC 2253) name this organisation: by its credit code in organizationIdentifier or serialNumber,
 * or, when it has no such code, by O or OU equal to the name. */
bool subject_names_org(struct arena *a, const char *subject, const char *code, const char *name);
/* Does it name an organisation by its credit code, and not this one? True, too, when there is no memory to tell. */
bool subject_names_other(struct arena *a, const char *subject, const char *code);

#endif
