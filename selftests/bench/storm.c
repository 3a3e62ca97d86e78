// SPDX-License-Identifier: GPL-2.0
/*
 * Walks that only ask, while a thread of the target maps and unmaps without a
 * pause, and while it does not: what giving way to a writer costs.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "bench.h"

#define SETTLE_NS	20000000L

/* Memory shared by the target's thread and the process that walks. */
struct storm {
	volatile bool blows;
	volatile uint64_t nr;	/* mappings made and unmapped */
};

static struct storm *storm;

static void settle(void)
{
	struct timespec pause = { 0, SETTLE_NS };

	nanosleep(&pause, NULL);
}

static void *map_and_unmap(void *unused)
{
	char *p;

	(void)unused;
	/* Not where the walk is: it is the lock that one waits for. */
	pin_to_cpu(1);
	for (;;) {
		if (!storm->blows) {
			settle();
			continue;
		}
		p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || munmap(p, PAGE))
			break;
		storm->nr++;
	}
	return NULL;
}

static int walk_once(struct crowd *crowd, bool blows)
{
	struct pmadv_result result;
	uint64_t began, nr;
	int err;

	storm->blows = blows;
	settle();
	settle();
	nr = storm->nr;
	began = now_ns();
	err = policy_walk(crowd->target.pidfd, &result);
	if (err)
		return err;
	sample(blows ? "storm.blowing" : "storm.calm",
	       (double)(now_ns() - began) / crowd->nr);
	sample(blows ? "storm.blowing.yields" : "storm.calm.yields", result.yields);
	/* A thread that got nothing done has disturbed nobody. */
	return blows != (storm->nr > nr) ? -ENODATA : 0;
}

/* In turn, so that whatever else the machine does hits both. */
static int walk_in_turn(struct crowd *crowd, unsigned int samples)
{
	int err;

	err = start_thread(&crowd->target, map_and_unmap);
	while (!err && samples--) {
		err = walk_once(crowd, false);
		if (!err)
			err = walk_once(crowd, true);
	}
	return err;
}

static int with_noop(const struct options *opts)
{
	struct policy policy;
	struct crowd crowd;
	int err;

	err = crowd_start(&crowd, opts->vmas);
	if (err)
		return err;
	err = policy_attach_noop(&policy);
	if (!err) {
		err = walk_in_turn(&crowd, opts->samples);
		policy_detach(&policy);
	}
	crowd_stop(&crowd);
	return err;
}

int bench_storm(const struct options *opts)
{
	int err;

	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (storm == MAP_FAILED)
		return failed("shared memory", -errno);
	err = with_noop(opts);
	munmap(storm, sizeof(*storm));
	return err ? failed("storm", err) : 0;
}
