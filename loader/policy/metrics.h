/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of policies in Prometheus' text format. pmadv-metrics(8) describes
 * names, labels and the limit of series.
 */
#ifndef PMADV_METRICS_H
#define PMADV_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/util.h"

/*
 * Write the metrics of @policies (see policies_at_work()), which are sorted for
 * it, and of the system; @hook says whether the kernel asks them. Returns 0 or an
 * error, which is reported; the caller checks @to for errors.
 */
int metrics_write(FILE *to, struct vec *policies, bool hook);

/* What precedes the values of a metric. */
void metrics_put_head(FILE *to, const char *name, const char *type, const char *help);
/* What stands inside the quotes of a label. */
void metrics_put_label(FILE *to, const char *text);

#endif /* PMADV_METRICS_H */
