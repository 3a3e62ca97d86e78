// SPDX-License-Identifier: GPL-2.0
/*
 * Does the benchmark measure what it says? The policy and the monitor that
 * it is compared with must choose the same mappings and reach the same pages,
 * and records must add up. Counts only: times are for selftests/bench/run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/harness.h"
#include "bench.h"

#define VMAS		2000
#define BIG_VMAS	(VMAS / BIG_EVERY)
#define PAGES		(VMAS + BIG_VMAS * (BIG_PAGES - 1))
#define DATA		(32UL << 20)

/* Pages of the crowd that count as accessed, by the kind of their mapping. */
struct accessed {
	unsigned long big;
	unsigned long small;
};

static int count_accessed(const struct crowd *crowd, struct accessed *accessed)
{
	unsigned long start = 0, end = 0, kb;
	char path[64], line[512];
	FILE *smaps;

	memset(accessed, 0, sizeof(*accessed));
	snprintf(path, sizeof(path), "/proc/%d/smaps", crowd->target.pid);
	smaps = fopen(path, "re");
	if (!smaps)
		return -errno;
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			continue;
		if (start < crowd->addr || start >= crowd->addr + crowd->len ||
		    sscanf(line, "Referenced: %lu kB", &kb) != 1)
			continue;
		if (end - start == BIG)
			accessed->big += kb * 1024 / PAGE;
		else
			accessed->small += kb * 1024 / PAGE;
	}
	fclose(smaps);
	return 0;
}

FIXTURE(crowd)
{
	struct crowd crowd;
	struct policy policy;
	struct monitor monitor;
	struct pmadv_result result;
	struct accessed accessed;
};

FIXTURE_SETUP(crowd)
{
	pin_to_cpu(0);
	memset(self, 0, sizeof(*self));
	ASSERT_EQ(crowd_start(&self->crowd, VMAS), 0);
	ASSERT_EQ(count_accessed(&self->crowd, &self->accessed), 0);
	ASSERT_EQ(self->accessed.big, BIG_VMAS * BIG_PAGES);
	ASSERT_EQ(self->accessed.small, VMAS - BIG_VMAS);
}

FIXTURE_TEARDOWN(crowd)
{
	policy_detach(&self->policy);
	crowd_stop(&self->crowd);
}

#define EXPECT_ACCESSED(nr_big, nr_small) do {					\
	ASSERT_EQ(count_accessed(&self->crowd, &self->accessed), 0);		\
	EXPECT_EQ(self->accessed.big, nr_big);					\
	EXPECT_EQ(self->accessed.small, nr_small);				\
} while (0)

/* By policy; what it reached is in self->result. */
#define WALK_BY_POLICY(min_bytes) do {						\
	ASSERT_EQ(policy_attach(&self->policy, MADV_COLD, min_bytes, 0), 0);	\
	ASSERT_EQ(policy_walk(self->crowd.target.pidfd, &self->result), 0);	\
} while (0)

/* By the monitor, in one of its ways: it must do the same as the policy did. */
#define WALK_BY_MONITOR(way, min_bytes) do {					\
	ASSERT_EQ(crowd_touch(&self->crowd), 0);				\
	ASSERT_EQ(monitor_open(&self->monitor, &self->crowd.target, MADV_COLD,	\
			       min_bytes), 0);					\
	EXPECT_EQ(monitor_##way(&self->monitor), 0);				\
	monitor_close(&self->monitor);						\
	EXPECT_EQ(self->monitor.advised, self->result.ranges_advised);		\
	EXPECT_EQ(self->monitor.bytes, self->result.bytes_advised);		\
} while (0)

TEST_F(crowd, few_mappings_chosen)
{
	WALK_BY_POLICY(BIG);
	EXPECT_GE(self->result.ranges_seen, VMAS);
	EXPECT_GE(self->result.ranges_advised, BIG_VMAS);
	EXPECT_LE(self->result.ranges_advised, BIG_VMAS + 10);
	EXPECT_ACCESSED(0, VMAS - BIG_VMAS);

	WALK_BY_MONITOR(maps, BIG);
	EXPECT_ACCESSED(0, VMAS - BIG_VMAS);
	WALK_BY_MONITOR(query, BIG);
	EXPECT_ACCESSED(0, VMAS - BIG_VMAS);
}

TEST_F(crowd, all_mappings_chosen)
{
	WALK_BY_POLICY(0);
	EXPECT_GE(self->result.ranges_advised, VMAS);
	EXPECT_GE(self->result.stats.deactivated, PAGES);
	EXPECT_ACCESSED(0, 0);

	WALK_BY_MONITOR(maps, 0);
	EXPECT_ACCESSED(0, 0);
	WALK_BY_MONITOR(query, 0);
	EXPECT_ACCESSED(0, 0);
}

TEST_F(crowd, vectors_reach_each_page)
{
	struct known known;

	ASSERT_EQ(known_open(&known, &self->crowd), 0);
	EXPECT_EQ(known_walk(&known), 0);
	known_close(&known);
	EXPECT_ACCESSED(0, 0);
}

TEST_F(crowd, noop_is_asked_about_each_mapping)
{
	struct mapping *maps = NULL;
	int nr;

	ASSERT_EQ(policy_attach_noop(&self->policy), 0);
	ASSERT_EQ(policy_walk(self->crowd.target.pidfd, &self->result), 0);
	nr = read_maps(self->crowd.target.pid, &maps);
	/* [vsyscall] is the last line of each, and a mapping of none. */
	ASSERT_GT(nr, VMAS);
	nr -= !strcmp(maps[nr - 1].name, "[vsyscall]");
	free(maps);
	EXPECT_EQ(self->result.ranges_seen, nr);
	EXPECT_EQ(self->result.ranges_skipped, nr);
	EXPECT_ACCESSED(BIG_VMAS * BIG_PAGES, VMAS - BIG_VMAS);
}

TEST_F(crowd, allocations_are_counted)
{
	struct counter counter;
	uint64_t before;
	long addr;

	ASSERT_EQ(counter_open(&counter), 0);
	before = counter_read(&counter);
	addr = do_map_filled(PAGE, 1, 0);
	EXPECT_GT(counter_read(&counter), before);
	counter_close(&counter);
	EXPECT_EQ(do_unmap(addr, PAGE, 0), 0);
}

TEST_F(crowd, each_range_is_a_record)
{
	struct watcher watcher;

	ASSERT_EQ(policy_attach_noop(&self->policy), 0);
	ASSERT_EQ(watcher_start(&watcher), 0);
	ASSERT_EQ(policy_walk(self->crowd.target.pidfd, &self->result), 0);
	ASSERT_EQ(watcher_stop(&watcher), 0);
	EXPECT_EQ(watcher.records + watcher.lost, self->result.ranges_seen + 1);
	EXPECT_EQ(watcher.lost, 0);
}

TEST(all_of_the_memory_goes_out)
{
	struct pages pages;
	struct target target;
	struct policy policy;
	unsigned long addr;

	pin_to_cpu(0);
	ASSERT_EQ(target_start(&target), 0);
	addr = target_call(&target, do_map_data, DATA, 0, 0);
	ASSERT_NE(addr, 0);
	ASSERT_EQ(policy_attach(&policy, MADV_PAGEOUT, DATA, 0), 0);
	EXPECT_EQ(page_out(&target, addr, DATA), 0);
	policy_detach(&policy);
	ASSERT_EQ(pagemap(target.pid, addr, DATA, &pages), 0);
	EXPECT_EQ(pages.swapped, DATA / PAGE);
	target_stop(&target);
}

TEST(latencies_are_those_while_memory_goes_out)
{
	struct latencies latencies;
	struct target target;
	struct policy policy;

	pin_to_cpu(0);
	ASSERT_EQ(latencies_open(), 0);
	ASSERT_EQ(target_start(&target), 0);
	ASSERT_EQ(policy_attach(&policy, MADV_PAGEOUT, DATA, 0), 0);
	EXPECT_EQ(latencies_while(&target, DATA, &latencies), 0);
	policy_detach(&policy);
	target_stop(&target);
	latencies_close();

	EXPECT_GE(latencies.nr, 1);
	EXPECT_GT(latencies.p99, 0);
	EXPECT_GE(latencies.max, latencies.p99);
	/* Other times are the longer ones: it pauses after each. */
	EXPECT_LE(latencies.nr, (latencies.ended - latencies.began) / 1000000 + 2);
}

TEST_HARNESS_MAIN
