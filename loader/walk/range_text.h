/* SPDX-License-Identifier: GPL-2.0 */
/* Records as text. */
#ifndef PMADV_SHOW_H
#define PMADV_SHOW_H

#include <stdbool.h>

#include <pmadv/monitor.h>

/* One line for a range, with a line of headings above the first. */
int show_range(const struct pmadv_range_record *record, bool first);

/* What happened to the pages: "12.0M scanned, 11.9M reclaimed" ... */
#define STATS_TEXT_LEN	160
const char *stats_text(const struct pmadv_stats *stats, char buf[STATS_TEXT_LEN]);

#endif /* PMADV_SHOW_H */
