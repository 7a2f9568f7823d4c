#include "form/deviation.h"

#include <string.h>

enum err deviation_add(struct deviations *list, const char *code, const char *where)
{
	if (list == NULL)
		return ERR_FORMAT;
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->item[i].code, code) == 0 && strcmp(list->item[i].where, where) == 0)
			return ERR_OK;
	}
	if (list->n == DEVIATIONS_MAX)
		return ERR_FORMAT;
	list->item[list->n++] = (struct deviation){code, where};
	return ERR_OK;
}
