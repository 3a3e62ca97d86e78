/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A report as a page of HTML on standard output: one file, which loads nothing from
 * anywhere. Its tables are rows in the format ROWS_HTML.
 */
#ifndef PMADV_HTML_H
#define PMADV_HTML_H

#include "recording/analysis.h"
#include "recording/heatmap.h"

void html_begin(const char *title);
void html_heading(const char *text);
void html_end(void);

/* What was resident and swapped, over time. */
void html_savings(const struct analysis *analysis);
void html_heatmap(const struct heatmap *map);

#endif /* PMADV_HTML_H */
