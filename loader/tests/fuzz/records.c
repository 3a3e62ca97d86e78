// SPDX-License-Identifier: GPL-2.0
/* Records of the monitor, as its ring buffer hands them over. */
#include "fuzz.h"

#include <json-c/json.h>

#include "lib/names.h"
#include "walk/monitor.h"

static int on_range(void *data, const struct pmadv_range_record *record)
{
	char clock[CLOCK_TEXT_LEN], vma[VMA_TEXT_LEN], verdict[VERDICT_TEXT_LEN];

	(void)data;
	must(record->head.size == sizeof(*record));
	must(strnlen(record->head.comm, PMADV_COMM_LEN) < PMADV_COMM_LEN);
	json_object_put(range_json(record));
	record_clock(&record->head, clock);
	vma_flags_text(record->vma_flags, vma);
	verdict_text(record->verdict, verdict);
	return 0;
}

static int on_call(void *data, const struct pmadv_call_record *record)
{
	(void)data;
	must(record->head.size == sizeof(*record));
	stopped_text(record->result.stopped);
	stopped_word(record->result.stopped);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record_reader reader = {
		.handler = { .range = on_range, .call = on_call },
	};
	/* Behind it is the next one, or nothing that is mapped. */
	void *item = malloc(size ? size : 1);

	must(item);
	memcpy(item, data, size);
	record_take(&reader, item, size);
	free(item);
	return 0;
}
