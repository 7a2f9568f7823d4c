/* The shipped policies: the files of share/policy, embedded, so that they are there wherever the program is. */
#include "verify/policy.h"

#define EMBED(name)                                                                                                    \
	__asm__(".section .rodata\n"                                                                                       \
	        ".global policy_text_" #name "\n"                                                                          \
	        ".global policy_text_" #name "_end\n"                                                                      \
	        "policy_text_" #name ":\n"                                                                                 \
	        ".incbin \"share/policy/" #name ".ini\"\n"                                                                 \
	        "policy_text_" #name "_end:\n"                                                                             \
	        ".byte 0\n"                                                                                                \
	        ".previous\n");                                                                                            \
	extern const uint8_t policy_text_##name[], policy_text_##name##_end[]

EMBED(default);
EMBED(strict);
EMBED(archive);

static const struct {
	const char *name;
	const uint8_t *from, *to;
} shipped[] = {
    {"default", policy_text_default, policy_text_default_end},
    {"strict", policy_text_strict, policy_text_strict_end},
    {"archive", policy_text_archive, policy_text_archive_end},
};

struct span policy_shipped(const char *name)
{
	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++)
		if (strcmp(shipped[i].name, name) == 0)
			return span_of(shipped[i].from, (size_t)(shipped[i].to - shipped[i].from));
	return span_of(NULL, 0);
}

const char *policy_shipped_name(size_t i)
{
	return i < sizeof(shipped) / sizeof(shipped[0]) ? shipped[i].name : NULL;
}
