/* Words for what a report names, in two languages. */
#ifndef YZ_CLI_VERIFY_WORDS_H
#define YZ_CLI_VERIFY_WORDS_H

#include "cli/verify_view.h"

enum words_of { WORDS_VERDICT, WORDS_KIND, WORDS_STEP, WORDS_NOT_CHECKED };

/* NULL when there are none for this name. */
const char *words_find(enum words_of of, const char *name, enum language lang);

#endif
