/* SPDX-License-Identifier: GPL-2.0 */
/* Being asked to end, and waiting for that and for other things. */
#ifndef PMADV_SIGNALS_H
#define PMADV_SIGNALS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Signals that ask us to end set a flag and interrupt waiting. A signal that
 * arrives between a check of the flag and the wait is not missed.
 */
extern volatile int stop_asked;
int signals_init(void);
/* SIGUSR1, which ends other programs, ends what is under way from now on. */
int signals_take_usr1(void);
/* If @signal asked us to end, clear the request and return true. */
bool stop_forget(int signal);
int wait_fds(struct pollfd *fds, unsigned int nr, int64_t timeout_ns);

#endif /* PMADV_SIGNALS_H */
