/* Where a test of signers keeps its key file. */
#ifndef YZ_TESTS_UNIT_KEY_FILE_HELP_H
#define YZ_TESTS_UNIT_KEY_FILE_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder of a test's own and the path of a key file in it, which the test may make. */
struct files {
	char dir[32], path[64];
};

static inline int with_files(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	*state = f;
	strcpy(f->dir, "/tmp/yz-key-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/key", f->dir);
	return 0;
}

static inline int without_files(void **state)
{
	struct files *f = *state;
	int failed;

	unlink(f->path);
	failed = rmdir(f->dir);
	free(f);
	return failed;
}

#endif
