#include "tests/corpus/helpers.h"

void chain_cases(void)
{
}
