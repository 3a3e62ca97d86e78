// SPDX-License-Identifier: GPL-2.0
/* A linked policy, whose relocations against types of the hook are taken out. */
#include "fuzz.h"

#include <errno.h>

#include "engine/join.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *image = malloc(size + 1), *again = malloc(size + 1);
	int err;

	must(image && again);
	memcpy(image, data, size);
	err = engine_strip_core(image, size);
	must(!err || err == -ENOEXEC || err == -EPROTO);
	if (!err) {
		memcpy(again, image, size);
		must(!engine_strip_core(again, size));
		must(!memcmp(again, image, size));
	}
	free(image);
	free(again);
	return 0;
}
