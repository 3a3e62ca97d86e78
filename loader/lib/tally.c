// SPDX-License-Identifier: GPL-2.0
#include "lib/tally.h"

#include <pmadv/hook.h>
#include <pmadv/process_madvise.h>

void result_count(struct pmadv_result *result, uint32_t outcome, uint64_t bytes)
{
	result->ranges_seen++;
	switch (outcome) {
	case PMADV_ADVISED:
		result->ranges_advised++;
		result->bytes_advised += bytes;
		break;
	case PMADV_SKIPPED:
		result->ranges_skipped++;
		break;
	case PMADV_REFUSED:
		result->ranges_refused++;
		break;
	case PMADV_FAILED:
		result->ranges_failed++;
		break;
	}
}

void tally_range(struct tally *tally, const struct pmadv_range_record *record)
{
	result_count(&tally->counts, record->outcome, record->end - record->start);
	pmadv_stats_add(&tally->counts.stats, &record->stats);
}

void tally_add(struct tally *sum, const struct tally *one)
{
	sum->calls += one->calls;
	pmadv_result_add(&sum->counts, &one->counts);
}
