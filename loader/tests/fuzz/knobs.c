// SPDX-License-Identifier: GPL-2.0
/* Values of knobs, one --set in a line. Takes tests/knobs.bpf.o, see run. */
#include "fuzz.h"

#include <errno.h>

#include "lib/error.h"
#include "policy/knobs.h"

static struct bpf_object *object;
static void *values, *at_first;
static size_t values_size;

static void find_values(void)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			values = bpf_map__initial_value(map, &values_size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	object = bpf_object__open_file(getenv("PMADV_TEST_KNOBS"), NULL);
	must(object);
	find_values();
	at_first = malloc(values_size);
	must(values && at_first);
	memcpy(at_first, values, values_size);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text, *line;

	memcpy(values, at_first, values_size);
	while ((line = strsep(&rest, "\n"))) {
		int err = knob_set(object, line);

		must(!err || err == -EUSAGE);
	}
	must(knobs_print(object) > 0);
	free(text);
	return 0;
}
