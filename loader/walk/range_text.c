// SPDX-License-Identifier: GPL-2.0
#include "walk/range_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/text.h"
#include "lib/util.h"
#include "walk/monitor.h"

const char *stats_text(const struct pmadv_stats *stats, char buf[STATS_TEXT_LEN])
{
	const struct {
		const char *name;
		uint64_t pages;
	} parts[] = {
		{ "scanned", stats->scanned },
		{ "young", stats->young },
		{ "shared", stats->shared },
		{ "deactivated", stats->deactivated },
		{ "reclaimed", stats->reclaimed },
		{ "written", stats->written_back },
		{ "kept", stats->activated },
		{ "swapped before", stats->swapped },
	};
	char bytes[HUMAN_LEN];
	size_t length = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(parts) && length < STATS_TEXT_LEN; i++)
		if (parts[i].pages)
			length += (size_t)snprintf(buf + length, STATS_TEXT_LEN - length,
						   "%s%s %s", length ? ", " : "",
						   human_bytes(parts[i].pages * page_size(),
							       bytes),
						   parts[i].name);
	return buf;
}

int show_range(const struct pmadv_range_record *record, bool first)
{
	char clock[CLOCK_TEXT_LEN], who[40], where[40], verdict[VERDICT_TEXT_LEN],
	     vma[VMA_TEXT_LEN], bytes[HUMAN_LEN], time[HUMAN_LEN],
	     stats[STATS_TEXT_LEN];

	if (first)
		out_text("%-12s %-22s %-25s %7s %-22s %-8s %-8s %9s  %s\n", "TIME",
			 "PROCESS", "RANGE", "SIZE", "MAPPING", "VERDICT", "OUTCOME",
			 "TOOK", "PAGES");

	snprintf(who, sizeof(who), "%s/%d", record->head.comm, record->head.tgid);
	snprintf(where, sizeof(where), "%llx-%llx", record->start, record->end);
	stats_text(&record->stats, stats);
	out_text("%s %-22s %-25s %7s %-22s %-8s %-8s %9s%s%s%s%s\n",
		 record_clock(&record->head, clock), who, where,
		 human_bytes(record->end - record->start, bytes),
		 vma_flags_text(record->vma_flags, vma),
		 verdict_text(record->verdict, verdict), outcome_text(record->outcome),
		 human_time(record->stats.time_ns, time),
		 record->error || *stats ? "  " : "",
		 record->error ? strerrorname_np((int)record->error) : "",
		 record->error && *stats ? ", " : "", stats);
	return out_flush();
}
