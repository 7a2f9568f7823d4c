/* A verdict for people: one sentence first (what is wrong, and whose fault), then what is not in order; for experts
 * every step in its order. */
#ifndef YZ_CLI_VERIFY_VIEW_H
#define YZ_CLI_VERIFY_VIEW_H

#include "verify/report.h"

enum language { LANGUAGE_EN, LANGUAGE_ZH };

/* From LC_ALL, LC_MESSAGES, LANG: Chinese when the first that is set begins with "zh". */
enum language language_of_user(void);

struct view_options {
	enum language lang;
	bool steps; /* for experts */
};
/* To stdout. `a` takes texts made safe for a terminal. */
void verify_view_print(struct arena *a, const struct report *r, const char *file, const struct view_options *o);
/* The sentence of a code; NULL when there is no such code. */
const char *verify_view_sentence(const char *code, enum language lang);

#endif
