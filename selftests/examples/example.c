/* SPDX-License-Identifier: GPL-2.0 */
/* Page out a whole process: C11 and C++17, no library. Usage: example PID */
#define _DEFAULT_SOURCE		/* syscall() is not of C11 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pmadv/process_madvise.h>

/* Returns the bytes advised, or -1 with errno set; a signal does not end it. */
static ssize_t page_out(int pidfd, struct pmadv_result *result)
{
	memset(result, 0, sizeof(*result));
	return pmadv_call_all(pidfd, NULL, 0, MADV_PAGEOUT,
			      PMADV_ENTIRE_ADDRESS_SPACE, result, NULL);
}

int main(int argc, char **argv)
{
	struct pmadv_result result;
	int pidfd = argc == 2 ? pmadv_open(atoi(argv[1])) : -1;

	if (pidfd < 0 || page_out(pidfd, &result) < 0) {
		perror("example");
		return 1;
	}
	printf("%llu of %llu ranges advised, %llu pages reclaimed\n",
	       (unsigned long long)result.ranges_advised,
	       (unsigned long long)result.ranges_seen,
	       (unsigned long long)result.stats.reclaimed);
	return 0;
}
