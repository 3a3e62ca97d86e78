/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What walks by others find out about some targets within a time: how much of each was
 * idle for how long. Nothing is done to the targets.
 */
#ifndef PMADV_WATCH_AGES_H
#define PMADV_WATCH_AGES_H

#include <stdint.h>

#include "lib/util.h"

/*
 * Watch @targets, of struct target, for @duration nanoseconds or as long as one of them
 * is there, and print what was found. Returns 0 or an error, which is reported.
 */
int watch_ages(const struct vec *targets, uint64_t duration);

#endif /* PMADV_WATCH_AGES_H */
