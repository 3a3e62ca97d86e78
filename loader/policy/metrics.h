/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of policies in Prometheus' text format: names, labels and the limit
 * of series are what pmadv-metrics(8) says.
 */
#ifndef PMADV_METRICS_H
#define PMADV_METRICS_H

#include <stdio.h>

#include "lib/util.h"

/*
 * Write what there is about @policies (see sysfs_policies()), which are sorted for
 * it, and the system. 0 or an error, said; those of @to are the caller's to see.
 */
int metrics_write(FILE *to, struct vec *policies);

#endif /* PMADV_METRICS_H */
