// SPDX-License-Identifier: GPL-2.0
/*
 * Sends pmadv a signal before the Nth thing it does that others see: a pin, a link
 * updated or detached, a file written, renamed or removed, or its end. Loaded with
 * LD_PRELOAD by loader_life.sh; KILL_POINT is N, KILL_SIGNAL the signal.
 * strace(1) can inject signals, too, but stops at the thousands of other calls.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

static void kill_point(void)
{
	const char *at = getenv("KILL_POINT"), *number = getenv("KILL_SIGNAL");
	static int nr;

	if (at && number && ++nr == atoi(at))
		kill(getpid(), atoi(number));
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* libbpf calls bpf(2) with it, which has three arguments. */
long syscall(long number, ...)
{
	typeof(syscall) *real = next("syscall");
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);

	if (number == SYS_bpf &&
	    (arg[0] == BPF_OBJ_PIN || arg[0] == BPF_LINK_UPDATE || arg[0] == BPF_LINK_DETACH))
		kill_point();
	return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

ssize_t write(int fd, const void *data, size_t size)
{
	typeof(write) *real = next("write");

	if (fd > STDERR_FILENO)
		kill_point();
	return real(fd, data, size);
}

int unlink(const char *path)
{
	typeof(unlink) *real = next("unlink");

	kill_point();
	return real(path);
}

int rename(const char *from, const char *to)
{
	typeof(rename) *real = next("rename");

	kill_point();
	return real(from, to);
}

static void __attribute__((destructor)) end(void)
{
	kill_point();
}
