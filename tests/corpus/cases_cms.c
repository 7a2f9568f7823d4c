#include "tests/corpus/helpers.h"

void cms_cases(void)
{
}
