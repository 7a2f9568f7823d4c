/* The tree in plain C, for every machine. */
#define SM2_FE_ADX   0
#define SM2_TREE_SUM sm2_tree_sum_portable
#include "crypto/sm2_tree_body.h"
