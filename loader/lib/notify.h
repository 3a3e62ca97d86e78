/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a service manager wants to know, as sd_notify(3) describes it: without
 * $NOTIFY_SOCKET, which one that wants to know sets, none of this does anything.
 */
#ifndef PMADV_NOTIFY_H
#define PMADV_NOTIFY_H

#include <stdbool.h>

/* Lines of NAME=VALUE, as sd_notify(3) has them. */
void notify_manager(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Are we ended if we do not say that we are alive? */
bool notify_watched(void);

/* Say it, if it is time to. */
void notify_alive(void);

#endif /* PMADV_NOTIFY_H */
