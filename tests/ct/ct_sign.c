/*
 * Signing with all secrets marked as undefined, for valgrind's memcheck: it complains of every branch and every address
 * that hangs on undefined bits, and so of every one that hangs on a secret. Run by tests/ct/run.sh, once per path of
 * the arithmetic; sm2_sign.c is compiled with YZ_CT_CHECK (crypto/ct.h), all else are the objects of the library, but
 * for the choice of paths.
 *
 * The other two jobs leak on purpose: they show that what is looked for would be found.
 */
#include "crypto/cpu.h"
#include "crypto/sm2_core.h"
#include "crypto/sm2_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <valgrind/memcheck.h>

enum { ROUNDS = 3, NOT_UNDER_VALGRIND = 77 };

static const uint8_t digest[SM2_DIGEST] = {0x5a, 1, 2, 3};
static unsigned paths;

/* In place of the library's: valgrind knows MULX, ADCX and ADOX and does not say so (CPUID). */
unsigned cpu_paths(void)
{
	return paths;
}

unsigned cpu_limit(unsigned limit)
{
	return paths = limit;
}

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "ct_sign: %s\n", what);
	exit(EXIT_FAILURE);
}

/* The randomness is a secret as well. */
static enum err secret_fill(void *arg, uint8_t *out, size_t len)
{
	const struct rand r = rand_system();
	enum err e = rand_fill(&r, out, len);

	VALGRIND_MAKE_MEM_UNDEFINED(out, len);
	return e;
}

static void sign(void)
{
	const struct rand secrets = {.fill = secret_fill};
	uint8_t d[SM2_NUMBER] = {0x12, 0x34}, point[SM2_POINT];
	struct sm2_secret *s = NULL;
	struct sm2_affine key;
	struct sm2_value v;

	VALGRIND_MAKE_MEM_UNDEFINED(d, sizeof(d));
	need(sm2_secret_new(d, &s, point) == ERR_OK, "key");
	need(sm2_point_from_bytes(&key, point + 1, point + 1 + SM2_NUMBER), "public key");
	for (int i = 0; i < ROUNDS; i++) {
		need(sm2_sign(s, &secrets, digest, &v) == ERR_OK, "signing fails");
		need(VALGRIND_CHECK_MEM_IS_DEFINED(&v, sizeof(v)) == 0, "the signature is still a secret");
		need(sm2_core_verify_unknown(&key, digest, v.r, v.s), "the signature is bad");
	}
	sm2_secret_free(s);
}

/* A routine for public numbers gets a secret one. */
static void leak_branch(void)
{
	uint8_t r[SM2_NUMBER] = {1}, s[SM2_NUMBER] = {2};

	VALGRIND_MAKE_MEM_UNDEFINED(s, sizeof(s));
	(void)sm2_core_verify_unknown(&sm2_g, digest, r, s);
}

/* A table is read where a secret says. */
static void leak_index(void)
{
	static volatile uint8_t table[256], sink; /* what is not kept, valgrind leaves out */
	uint8_t secret = 7;

	VALGRIND_MAKE_MEM_UNDEFINED(&secret, sizeof(secret));
	sink = table[secret];
	(void)sink;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} jobs[] = {{"sign", sign}, {"leak-branch", leak_branch}, {"leak-index", leak_index}};

	need(argc == 3, "usage: ct_sign sign|leak-branch|leak-index PATHS");
	if (!RUNNING_ON_VALGRIND)
		return NOT_UNDER_VALGRIND;
	(void)cpu_limit((unsigned)strtoul(argv[2], NULL, 0));
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (strcmp(jobs[i].name, argv[1]) == 0)
			jobs[i].run();
	return EXIT_SUCCESS;
}
