// SPDX-License-Identifier: GPL-2.0
/* What a service manager gets to hear. */
#include "test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "lib/notify.h"

static char folder[] = "/tmp/test_notify.XXXXXX";
static char path[64], said[256];
static int manager = -1;

/* A manager that listens at a name of @length bytes, with a NUL first if it is no path. */
static void listen_at(const char *name, size_t length)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);

	memcpy(address.sun_path, name, length);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, size), 0);
}

static const char *heard(void)
{
	ssize_t got = recv(manager, said, sizeof(said) - 1, 0);

	said[got < 0 ? 0 : got] = '\0';
	return said;
}

static int make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/notify", folder);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	if (manager >= 0)
		close(manager);
	manager = -1;
	unlink(path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void to_a_path(void **state)
{
	(void)state;
	listen_at(path, strlen(path));
	notify_manager("READY=1");
	assert_string_equal(heard(), "");
	setenv("NOTIFY_SOCKET", path, 1);
	notify_manager("READY=1\nSTATUS=%d rules", 3);
	assert_string_equal(heard(), "READY=1\nSTATUS=3 rules");
}

static void to_a_name(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@pmadv-test-%d", getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	listen_at(name, 1 + strlen(name + 1));
	notify_manager("STOPPING=1");
	assert_string_equal(heard(), "STOPPING=1");
}

static void to_each(const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_manager("READY=1");
	}
}

/* It goes on without, and says so once. */
static void to_nobody(void **state)
{
	static const char *const names[] = { "/no/such/socket", "", "/", "relative" };
	char *said_here;

	(void)state;
	said_here = CAPTURE(2, to_each(names, 4));
	assert_contains(said_here, "manager at /no/such/socket how we are: No such file");
	assert_null(strstr(said_here, "relative"));
	free(said_here);
}

static void watchdog(void **state)
{
	char pid[16];

	(void)state;
	listen_at(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	notify_alive();
	assert_string_equal(heard(), "");

	/* That of another process. */
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_false(notify_watched());
	notify_alive();
	assert_string_equal(heard(), "");

	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_true(notify_watched());
	notify_alive();
	assert_string_equal(heard(), "WATCHDOG=1");
	/* Not more often than it takes. */
	setenv("WATCHDOG_USEC", "3600000000", 1);
	notify_alive();
	assert_string_equal(heard(), "");
	setenv("WATCHDOG_USEC", "2000", 1);
	usleep(2000);
	notify_alive();
	assert_string_equal(heard(), "WATCHDOG=1");

	setenv("WATCHDOG_USEC", "soon", 1);
	assert_false(notify_watched());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(to_a_path, clean),
		cmocka_unit_test_teardown(to_a_name, clean),
		cmocka_unit_test_teardown(to_nobody, clean),
		cmocka_unit_test_teardown(watchdog, clean),
	};

	return cmocka_run_group_tests_name("notify", tests, make, remove_all);
}
