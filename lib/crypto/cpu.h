/* Which instruction sets the arithmetic may use on this machine.
 *
 * The answer is found once (CPUID, and XGETBV for what the operating system saves) and kept. Every path gives the same
 * results; the portable one is always there, and the only one on machines other than x86-64. */
#ifndef YZ_CRYPTO_CPU_H
#define YZ_CRYPTO_CPU_H

enum cpu_path {
	CPU_PORTABLE = 0, /* plain C: always there */
	CPU_ADX = 1,      /* BMI2 and ADX: MULX, ADCX, ADOX */
	CPU_AVX2 = 2,     /* AVX2, saved by the operating system */
	CPU_AVX512 = 4,   /* AVX-512 F, BW, DQ and VL, saved by the operating system */
	CPU_IFMA = 8,     /* AVX-512 IFMA beside CPU_AVX512 */
	CPU_ALL = 0xff,   /* for cpu_limit(): nothing is forbidden */
};

/* The set (bits of enum cpu_path) that may be used now: what the machine has, less what cpu_limit() forbids. One
 * relaxed atomic read after the first call. */
unsigned cpu_paths(void);

/* For tests and benchmarks only: allow no more than `paths` until the next call (CPU_PORTABLE forces plain C, CPU_ALL
 * lifts the limit). What the machine lacks is never switched on: the return value is the set that is now in force, so
 * that a test can say "skipped". Takes effect for operations that begin afterwards, in all threads. */
unsigned cpu_limit(unsigned paths);

#endif
