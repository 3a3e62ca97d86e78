// SPDX-License-Identifier: GPL-2.0
#include "lib/signals.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "lib/util.h"

volatile int stop_asked;

/*
 * SIGUSR1 may only mean "look again" and SIGHUP "read the file again": neither must hide
 * one that asks for more.
 */
static int weight(int signal)
{
	switch (signal) {
	case 0:
		return 0;
	case SIGUSR1:
		return 1;
	case SIGHUP:
		return 2;
	default:
		return 3;
	}
}

static void on_stop(int signal)
{
	if (weight(signal) >= weight(stop_asked))
		stop_asked = signal;
}

/* One at a time: else one of less weight could overwrite what came while it compared. */
static struct sigaction stop_action(void)
{
	struct sigaction action = { .sa_handler = on_stop };

	sigfillset(&action.sa_mask);
	return action;
}

bool stop_forget(int signal)
{
	return __atomic_compare_exchange_n(&stop_asked, &signal, 0, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

int signals_init(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = stop_action();
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		/*
		 * Respect nohup(1). Do not respect that shells have background
		 * jobs ignore SIGINT, because scripts end us with it.
		 */
		if (stops[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) &&
		    old.sa_handler == SIG_IGN)
			continue;
		if (sigaction(stops[i], &action, NULL))
			return -errno;
	}

	action.sa_handler = SIG_IGN;
	return sigaction(SIGPIPE, &action, NULL) ? -errno : 0;
}

int signals_take_usr1(void)
{
	const struct sigaction action = stop_action();

	return sigaction(SIGUSR1, &action, NULL) ? -errno : 0;
}

int wait_fds(struct pollfd *fds, unsigned int nr, int64_t timeout_ns)
{
	struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
	sigset_t stops, before;
	int ret = -EINTR;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGHUP);
	sigaddset(&stops, SIGUSR1);
	sigprocmask(SIG_BLOCK, &stops, &before);

	if (!stop_asked) {
		ret = ppoll(fds, nr, timeout_ns < 0 ? NULL : &timeout, &before);
		if (ret < 0)
			ret = -errno;
	}

	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}
