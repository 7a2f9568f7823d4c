#include "crypto/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>

enum {
	OSXSAVE = 1 << 27, /* leaf 1, ECX */
	XCR_YMM = 0x06,    /* XMM and YMM state */
	XCR_ZMM = 0xe6,    /* and opmask, both halves of ZMM */
	BMI2 = 1 << 8,     /* leaf 7, EBX, from here on */
	ADX = 1 << 19,
	AVX2 = 1 << 5,
	AVX512_F_DQ = 1 << 16 | 1 << 17,
	AVX512_BW = 1 << 30,
	IFMA = 1 << 21,
};
static const unsigned AVX512_VL = 1U << 31;

/* The register states that the operating system saves. */
static unsigned xcr0(void)
{
	unsigned low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static bool has_all(unsigned word, unsigned bits)
{
	return (word & bits) == bits;
}

static unsigned find(void)
{
	unsigned a, b, c, d, found = CPU_PORTABLE, saved = 0;

	if (__get_cpuid(1, &a, &b, &c, &d) != 0 && has_all(c, OSXSAVE))
		saved = xcr0();
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
		return CPU_PORTABLE;
	if (has_all(b, BMI2 | ADX))
		found |= CPU_ADX;
	if (has_all(b, AVX2) && has_all(saved, XCR_YMM))
		found |= CPU_AVX2;
	if (has_all(b, AVX512_F_DQ | AVX512_BW | AVX512_VL) && has_all(saved, XCR_ZMM))
		found |= CPU_AVX512;
	if ((found & CPU_AVX512) != 0 && has_all(b, IFMA))
		found |= CPU_IFMA;
	return found;
}
#else
static unsigned find(void)
{
	return CPU_PORTABLE;
}
#endif

enum { UNKNOWN = 1U << 30 };

/* What was found, and what is allowed of it. Written with the same values by whoever comes first. */
static atomic_uint cpu_found = UNKNOWN, cpu_allowed = CPU_ALL;

unsigned cpu_paths(void)
{
	unsigned found = atomic_load_explicit(&cpu_found, memory_order_relaxed);

	if (found == UNKNOWN) {
		found = find();
		atomic_store_explicit(&cpu_found, found, memory_order_relaxed);
	}
	return found & atomic_load_explicit(&cpu_allowed, memory_order_relaxed);
}

unsigned cpu_limit(unsigned paths)
{
	atomic_store_explicit(&cpu_allowed, paths, memory_order_relaxed);
	return cpu_paths();
}
