/* The field's operations with MULX, ADCX and ADOX (BMI2 and ADX), as inline assembly: no compiler flag is needed, and
 * only code that was chosen by cpu_paths() may run it. Part of sm2_field_inline.h.
 *
 * Operands are read and written in memory through three pointers; the eight limbs of a product stand in r8 to r15. Each
 * output is written after all inputs were read. Without optimisation, or under a sanitizer, the compiler itself needs
 * registers: then the functions are not inlined. */
#ifndef YZ_CRYPTO_SM2_FIELD_ADX_H
#define YZ_CRYPTO_SM2_FIELD_ADX_H

#include "crypto/sm2_field.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SM2_ADX_CALL 1
#endif
#endif
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SM2_ADX_CALL)
#define SM2_ADX_INLINE static __attribute__((noinline, unused))
#else
#define SM2_ADX_INLINE static inline __attribute__((always_inline))
#endif

/* One row of a product: add b[k]·a to the limbs c0 .. c3, the new top limb being c4. */
#define SM2_ADX_ROW(k, c0, c1, c2, c3, c4)                                                                             \
	"mov " k "(%[b]), %%rdx\n\t"                                                                                       \
	"xor %%" c4 "d, %%" c4 "d\n\t"                                                                                     \
	"mulx (%[a]), %%rax, %%rcx\n\t"                                                                                    \
	"adcx %%rax, %%" c0 "\n\tadox %%rcx, %%" c1 "\n\t"                                                                 \
	"mulx 8(%[a]), %%rax, %%rcx\n\t"                                                                                   \
	"adcx %%rax, %%" c1 "\n\tadox %%rcx, %%" c2 "\n\t"                                                                 \
	"mulx 16(%[a]), %%rax, %%rcx\n\t"                                                                                  \
	"adcx %%rax, %%" c2 "\n\tadox %%rcx, %%" c3 "\n\t"                                                                 \
	"mulx 24(%[a]), %%rax, %%rcx\n\t"                                                                                  \
	"adcx %%rax, %%" c3 "\n\tadox %%rcx, %%" c4 "\n\t"                                                                 \
	"adc $0, %%" c4 "\n\t"

/* One step of the reduction, as sm2_fe_step(): m is taken up and becomes the new top limb. rdx is 32. */
#define SM2_ADX_STEP(m, c1, c2, c3)                                                                                    \
	"shlx %%rdx, %%" m ", %%rax\n\t"                                                                                   \
	"shrx %%rdx, %%" m ", %%rcx\n\t"                                                                                   \
	"add %%" m ", %%" c1 "\n\tadc $0, %%" c2 "\n\tadc $0, %%" c3 "\n\tadc $0, %%" m "\n\t"                             \
	"sub %%rax, %%" c1 "\n\tsbb %%rcx, %%" c2 "\n\tsbb %%rax, %%" c3 "\n\tsbb %%rcx, %%" m "\n\t"

/* (carry flag : c0 .. c3) - p into d0 .. d3, or the value itself when it is below p; then the store. */
#define SM2_ADX_FINAL(c0, c1, c2, c3, d0, d1, d2, d3)                                                                  \
	"mov $0, %%eax\n\tadc $0, %%eax\n\t"                                                                               \
	"movabs $0xffffffff00000000, %%rcx\n\tmovabs $0xfffffffeffffffff, %%rdx\n\t"                                       \
	"mov %%" c0 ", %%" d0 "\n\tmov %%" c1 ", %%" d1 "\n\t"                                                             \
	"mov %%" c2 ", %%" d2 "\n\tmov %%" c3 ", %%" d3 "\n\t"                                                             \
	"sub $-1, %%" d0 "\n\tsbb %%rcx, %%" d1 "\n\tsbb $-1, %%" d2 "\n\tsbb %%rdx, %%" d3 "\n\t"                         \
	"sbb $0, %%eax\n\t"                                                                                                \
	"cmovc %%" c0 ", %%" d0 "\n\tcmovc %%" c1 ", %%" d1 "\n\t"                                                         \
	"cmovc %%" c2 ", %%" d2 "\n\tcmovc %%" c3 ", %%" d3 "\n\t"                                                         \
	"mov %%" d0 ", (%[out])\n\tmov %%" d1 ", 8(%[out])\n\t"                                                            \
	"mov %%" d2 ", 16(%[out])\n\tmov %%" d3 ", 24(%[out])"

#define SM2_ADX_REDUCE                                                                                                 \
	"mov $32, %%edx\n\t" SM2_ADX_STEP("r8", "r9", "r10", "r11") SM2_ADX_STEP("r9", "r10", "r11", "r8")                 \
	    SM2_ADX_STEP("r10", "r11", "r8", "r9") SM2_ADX_STEP(                                                           \
	        "r11", "r8", "r9", "r10") "add %%r8, %%r12\n\tadc %%r9, %%r13\n\tadc %%r10, %%r14\n\tadc %%r11, "          \
	                                  "%%r15\n\t" SM2_ADX_FINAL("r12", "r13", "r14", "r15", "r8", "r9", "r10", "r11")

#define SM2_ADX_CLOBBERS "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory"

SM2_ADX_INLINE void sm2_adx_mul(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	__asm__ volatile("mov (%[b]), %%rdx\n\t"
	                 "mulx (%[a]), %%r8, %%r9\n\t"
	                 "mulx 8(%[a]), %%rax, %%r10\n\t"
	                 "mulx 16(%[a]), %%rcx, %%r11\n\t"
	                 "mulx 24(%[a]), %%r13, %%r12\n\t"
	                 "add %%rax, %%r9\n\tadc %%rcx, %%r10\n\tadc %%r13, %%r11\n\tadc $0, %%r12\n\t"
	                 /* the other three rows */
	                 SM2_ADX_ROW("8", "r9", "r10", "r11", "r12", "r13")
	                     SM2_ADX_ROW("16", "r10", "r11", "r12", "r13", "r14")
	                         SM2_ADX_ROW("24", "r11", "r12", "r13", "r14", "r15") SM2_ADX_REDUCE
	                 :
	                 : [out] "r"(out), [a] "r"(a), [b] "r"(b)
	                 : SM2_ADX_CLOBBERS);
}

/* Six products of different limbs, doubled by ADCX while ADOX adds the four squares. */
SM2_ADX_INLINE void sm2_adx_sqr(struct sm2_fe *out, const struct sm2_fe *a)
{
	__asm__ volatile(
	    "mov (%[a]), %%rdx\n\t"
	    "mulx 8(%[a]), %%r9, %%r10\n\t"
	    "mulx 16(%[a]), %%rax, %%r11\n\t"
	    "mulx 24(%[a]), %%rcx, %%r12\n\t"
	    "add %%rax, %%r10\n\tadc %%rcx, %%r11\n\tadc $0, %%r12\n\t"
	    "mov 8(%[a]), %%rdx\n\t"
	    "mulx 16(%[a]), %%rax, %%rcx\n\t"
	    "mulx 24(%[a]), %%r8, %%r13\n\t"
	    "add %%r8, %%rcx\n\tadc $0, %%r13\n\t"
	    "mov 16(%[a]), %%rdx\n\t"
	    "mulx 24(%[a]), %%r8, %%r14\n\t"
	    "add %%rax, %%r11\n\tadc %%rcx, %%r12\n\tadc %%r8, %%r13\n\tadc $0, %%r14\n\t"
	    "xor %%r15d, %%r15d\n\t"
	    "mov (%[a]), %%rdx\n\tmulx %%rdx, %%r8, %%rax\n\t"
	    "adcx %%r9, %%r9\n\tadox %%rax, %%r9\n\t"
	    "mov 8(%[a]), %%rdx\n\tmulx %%rdx, %%rcx, %%rax\n\t"
	    "adcx %%r10, %%r10\n\tadox %%rcx, %%r10\n\tadcx %%r11, %%r11\n\tadox %%rax, %%r11\n\t"
	    "mov 16(%[a]), %%rdx\n\tmulx %%rdx, %%rcx, %%rax\n\t"
	    "adcx %%r12, %%r12\n\tadox %%rcx, %%r12\n\tadcx %%r13, %%r13\n\tadox %%rax, %%r13\n\t"
	    "mov 24(%[a]), %%rdx\n\tmulx %%rdx, %%rcx, %%rax\n\t"
	    "adcx %%r14, %%r14\n\tadox %%rcx, %%r14\n\tadcx %%r15, %%r15\n\tadox %%rax, %%r15\n\t" SM2_ADX_REDUCE
	    :
	    : [out] "r"(out), [a] "r"(a)
	    : SM2_ADX_CLOBBERS);
}

#define SM2_ADX_LOAD(from)                                                                                             \
	"mov (%[" from "]), %%r8\n\tmov 8(%[" from "]), %%r9\n\tmov 16(%[" from "]), %%r10\n\tmov 24(%[" from              \
	"]), %%r11\n\t"

SM2_ADX_INLINE void sm2_adx_add(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	__asm__ volatile(SM2_ADX_LOAD("a") "add (%[b]), %%r8\n\tadc 8(%[b]), %%r9\n\tadc 16(%[b]), %%r10\n\tadc 24(%[b]), "
	                                   "%%r11\n\t" SM2_ADX_FINAL("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
	                 :
	                 : [out] "r"(out), [a] "r"(a), [b] "r"(b)
	                 : SM2_ADX_CLOBBERS);
}

/* rax is all ones when a - b is negative; then p is added, whose limbs are made of it. */
SM2_ADX_INLINE void sm2_adx_sub(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	__asm__ volatile(
	    SM2_ADX_LOAD("a") "sub (%[b]), %%r8\n\tsbb 8(%[b]), %%r9\n\tsbb 16(%[b]), %%r10\n\tsbb 24(%[b]), %%r11\n\t"
	                      "sbb %%rax, %%rax\n\t"
	                      "mov %%rax, %%rcx\n\tshl $32, %%rcx\n\t"
	                      "mov %%rax, %%rdx\n\tbtr $32, %%rdx\n\t"
	                      "add %%rax, %%r8\n\tadc %%rcx, %%r9\n\tadc %%rax, %%r10\n\tadc %%rdx, %%r11\n\t"
	                      "mov %%r8, (%[out])\n\tmov %%r9, 8(%[out])\n\tmov %%r10, 16(%[out])\n\tmov %%r11, 24(%[out])"
	    :
	    : [out] "r"(out), [a] "r"(a), [b] "r"(b)
	    : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
}

/* 3a = q·2^256 + c0 .. c3 for q <= 2, which is c + q·(2^256 - p) mod p, below 2p: 2^256 - p = 2^224 + 2^96 - 2^64 + 1.
 */
SM2_ADX_INLINE void sm2_adx_triple(struct sm2_fe *out, const struct sm2_fe *a)
{
	__asm__ volatile(
	    SM2_ADX_LOAD(
	        "a") "xor %%eax, %%eax\n\t"
	             "add %%r8, %%r8\n\tadc %%r9, %%r9\n\tadc %%r10, %%r10\n\tadc %%r11, %%r11\n\tadc $0, %%eax\n\t"
	             "add (%[a]), %%r8\n\tadc 8(%[a]), %%r9\n\tadc 16(%[a]), %%r10\n\tadc 24(%[a]), %%r11\n\t"
	             "adc $0, %%eax\n\t"
	             "mov %%rax, %%rcx\n\tshl $32, %%rcx\n\tmov %%rcx, %%rdx\n\tsub %%rax, %%rdx\n\t"
	             "add %%rax, %%r8\n\tadc %%rdx, %%r9\n\tadc $0, %%r10\n\tadc %%rcx, %%r11\n\t" SM2_ADX_FINAL(
	                 "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
	    :
	    : [out] "r"(out), [a] "r"(a)
	    : SM2_ADX_CLOBBERS);
}

#define SM2_ADX_SHIFT(low, high)                                                                                       \
	"mov %%" high ", %%r12\n\tshl $63, %%r12\n\tshr $1, %%" low "\n\tor %%r12, %%" low "\n\t"

/* rax is all ones when a is odd; then p is added, whose limbs are made of it; then rax is the carry. */
SM2_ADX_INLINE void sm2_adx_halve(struct sm2_fe *out, const struct sm2_fe *a)
{
	__asm__ volatile(SM2_ADX_LOAD("a") "mov %%r8, %%rax\n\tand $1, %%eax\n\tneg %%rax\n\t"
	                                   "mov %%rax, %%rcx\n\tshl $32, %%rcx\n\tmov %%rax, %%rdx\n\tbtr $32, %%rdx\n\t"
	                                   "add %%rax, %%r8\n\tadc %%rcx, %%r9\n\tadc %%rax, %%r10\n\tadc %%rdx, %%r11\n\t"
	                                   "sbb %%rax, %%rax\n\t" SM2_ADX_SHIFT("r8", "r9") SM2_ADX_SHIFT("r9", "r10")
	                                       SM2_ADX_SHIFT("r10", "r11") SM2_ADX_SHIFT(
	                                           "r11", "rax") "mov %%r8, (%[out])\n\tmov %%r9, 8(%[out])\n\tmov %%r10, "
	                                                         "16(%[out])\n\tmov %%r11, 24(%[out])"
	                 :
	                 : [out] "r"(out), [a] "r"(a)
	                 : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
}

#endif
