// SPDX-License-Identifier: GPL-2.0
/*
 * One call of process_madvise(2), for the tests that are scripts.
 *
 * Usage: call PID ADVICE FLAGS
 *   Numbers, all of them. PMADV_RESULT and PMADV_ENTIRE_ADDRESS_SPACE are
 *   added to FLAGS. Prints what came back, one NAME=VALUE a line.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/util.h"

int main(int argc, char **argv)
{
	struct pmadv_result r = { .size = sizeof(r) };
	unsigned int flags = PMADV_RESULT | PMADV_ENTIRE_ADDRESS_SPACE;
	int pidfd;

	if (argc != 4) {
		fprintf(stderr, "Usage: %s PID ADVICE FLAGS\n", argv[0]);
		return 2;
	}
	pidfd = pidfd_open_pid(atoi(argv[1]), 0);
	flags |= strtoul(argv[3], NULL, 0);
	printf("ret=%ld\n", pmadv(pidfd, NULL, 0, atoi(argv[2]), flags, &r));
	printf("seen=%llu\n", (unsigned long long)r.ranges_seen);
	printf("advised=%llu\n", (unsigned long long)r.ranges_advised);
	printf("skipped=%llu\n", (unsigned long long)r.ranges_skipped);
	printf("refused=%llu\n", (unsigned long long)r.ranges_refused);
	printf("reclaimed=%llu\n", (unsigned long long)r.stats.reclaimed);
	return 0;
}
