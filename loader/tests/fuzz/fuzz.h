/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every fuzzer includes: each file here is a program that libFuzzer feeds,
 * beginning with what is in corpus/ under its name. What must hold whatever the
 * input is checked with must(); ASan and UBSan find the rest.
 */
#ifndef PMADV_FUZZ_H
#define PMADV_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/output.h"
#include "policy/bpf_log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);

#define must(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: not true: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		abort();						\
	}								\
} while (0)

/* As main() does it; results go nowhere. */
static inline void fuzz_begin(void)
{
	must(freopen("/dev/null", "w", stdout));
	out_init("fuzz", false, false);
	policy_log_init(false);
}

/* To be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* A file that has it, until the next call: its path. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	must(fd >= 0 && !ftruncate(fd, 0));
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

#endif /* PMADV_FUZZ_H */
