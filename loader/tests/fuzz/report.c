// SPDX-License-Identifier: GPL-2.0
/* Files of pmadv record, as pmadv report shows them, in text and in JSON. */
#include "fuzz.h"

#include <zlib.h>

#include <pmadv/recording.h>

#include "lib/output.h"
#include "options.h"

#define HEADER_SIZE	sizeof(struct pmadv_file_header)
#define HEAD_SIZE	sizeof(struct pmadv_file_block)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

static void report(const char *path, bool json)
{
	char *operands[] = { (char *)path, NULL };
	const struct args args = {
		.json = json,
		.nr_operands = 1,
		.operands = operands,
	};

	out_init("report", json, false);
	verb_report.run(&args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);

	report(path, false);
	report(path, true);
	return 0;
}

/* Where the entries of block number @nr are, or of the last one before it. */
static size_t find_block(const uint8_t *data, size_t size, unsigned int nr)
{
	struct pmadv_file_block head;
	size_t at = HEADER_SIZE;

	while (nr--) {
		memcpy(&head, data + at, sizeof(head));
		if (head.stored > size || at + 2 * HEAD_SIZE + head.stored > size)
			break;
		at += HEAD_SIZE + head.stored;
	}
	return at + HEAD_SIZE;
}

/*
 * Whatever is changed in compressed entries is damage, and nothing else would
 * ever be found: change what is compressed, of one of the first blocks, and
 * leave out the others.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	static uint8_t entries[PMADV_BLOCK_MAX];
	uLongf length = sizeof(entries), stored = max_size - HEADER_SIZE - HEAD_SIZE;
	struct pmadv_file_block head;
	size_t at;

	if (size < HEADER_SIZE + HEAD_SIZE || seed % 8 == 0)
		return LLVMFuzzerMutate(data, size, max_size);

	at = find_block(data, size, seed / 8 % 8);
	if (uncompress(entries, &length, data + at, size - at) != Z_OK)
		length = 0;
	length = LLVMFuzzerMutate(entries, length, sizeof(entries));
	if (compress(data + HEADER_SIZE + HEAD_SIZE, &stored, entries, length) != Z_OK)
		return size;

	head = (struct pmadv_file_block) {
		.magic = PMADV_BLOCK_MAGIC,
		.stored = (uint32_t)stored,
		.size = (uint32_t)length,
	};
	memcpy(data + HEADER_SIZE, &head, sizeof(head));
	return HEADER_SIZE + HEAD_SIZE + stored;
}
