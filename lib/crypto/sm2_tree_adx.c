/* The tree over MULX, ADCX and ADOX. */
#define SM2_FE_ADX   1
#define SM2_TREE_SUM sm2_tree_sum_adx
#include "crypto/sm2_field_inline.h"

#if SM2_HAS_ADX
#include "crypto/sm2_tree_body.h"
#endif
