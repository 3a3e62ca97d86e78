// SPDX-License-Identifier: GPL-2.0
#include "lib/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/text.h"
#include "lib/util.h"

/*
 * One datagram. libsystemd has a function for it, but it would bring its libraries for
 * compression into a process that may look into every other one.
 */
static int send_to(const char *name, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);
	int fd, err = 0;

	if (length < 2 || length > sizeof(address.sun_path) || !strchr("/@", *name))
		return -EINVAL;
	memcpy(address.sun_path, name, length);
	/* Of a name that is no path. */
	if (*name == '@')
		address.sun_path[0] = '\0';

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		err = -errno;
	close(fd);
	return err;
}

void notify_manager(const char *format, ...)
{
	const char *name = getenv("NOTIFY_SOCKET");
	static bool warned;
	char *text = NULL;
	va_list args;
	int err;

	if (!name)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);

	err = text ? send_to(name, text) : -ENOMEM;
	free(text);
	if (err && !warned)
		say_warning("cannot tell the service manager at %s how we are: %s", name,
			    error_text(err));
	warned = warned || err;
}

/* How long we may be silent; 0: for ever. What is set may be about another process. */
static uint64_t silence_ns(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *who = getenv("WATCHDOG_PID");
	uint64_t usec, pid;

	if (!text || parse_u64(text, 10, &usec) || usec > UINT64_MAX / 1000)
		return 0;
	if (who && (parse_u64(who, 10, &pid) || pid != (uint64_t)getpid()))
		return 0;
	return usec * 1000;
}

bool notify_watched(void)
{
	return getenv("NOTIFY_SOCKET") && silence_ns();
}

void notify_alive(void)
{
	static uint64_t said_ns;
	uint64_t now = now_ns();

	/* Half of what is allowed, as sd_watchdog_enabled(3) recommends. */
	if (!notify_watched() || (said_ns && now - said_ns < silence_ns() / 2))
		return;
	said_ns = now;
	notify_manager("WATCHDOG=1");
}
