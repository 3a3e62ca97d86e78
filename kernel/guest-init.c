// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of a guest that kernel/vm started. The root file system is
 * the host's, read only; $PMADV_RUN is a directory with settings, argv and env.
 * On a kernel of Debian's it starts in an initramfs, with the modules that it
 * takes to get there.
 *
 * With --init systemd it makes way for systemd once everything is mounted, which starts
 * it again as a service, for the command alone.
 *
 * A static program and not a script: under emulation each program that a
 * script would start costs as much as all of this.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define LOWER		"/dev/.lower"
#define UPPER		"/dev/.upper"
#define LEAKS		"/sys/kernel/debug/kmemleak"
#define TTY		"/dev/hvc0"
#define MODULES		"/modules"
#define HOST		"/host"
#define NEW_ROOT	"/tmp"
#define SYSTEMD		"/lib/systemd/systemd"
#define UNITS		"/run/systemd/system"
#define WANTED		UNITS "/multi-user.target.wants"
#define SELF		"/run/guest-init"
#define ROOT_OPTIONS	"trans=virtio,version=9p2000.L,msize=512000,cache=loose"
#define P9_OPTIONS	"trans=virtio,version=9p2000.L,msize=512000,cache=mmap"

/* The numbers that kernel/vm gives its virtio-serial ports. */
enum { PORT_OUT = 1, PORT_ERR, PORT_STATUS };

/* What kernel/vm writes to settings, one name=value a line. */
static struct {
	char *repo, *home, *cwd, *root, *modules, *swap, *init, *merge, *probe,
	     *rows, *cols;
} set;

static const struct {
	const char *name;
	char **value;
} names[] = {
	{ "repo", &set.repo }, { "home", &set.home }, { "cwd", &set.cwd },
	{ "root", &set.root }, { "modules", &set.modules },
	{ "swap", &set.swap }, { "init", &set.init }, { "merge", &set.merge },
	{ "probe", &set.probe }, { "rows", &set.rows }, { "cols", &set.cols },
};

/*
 * The command under systemd. It comes when the system is up, and the system is up without
 * waiting for it.
 */
static const char unit[] =
	"[Unit]\n"
	"Description=What kernel/vm was asked to run\n"
	"After=multi-user.target\n"
	"[Service]\n"
	"Type=exec\n"
	"ExecStart=" SELF "\n"
	"PassEnvironment=PMADV_RUN\n"
	"StandardError=journal+console\n";

/* Without one systemd takes it for its first boot, and enables what is installed. */
static const char machine_id[] = "6b65726e656c2f766d20677565737400\n";

static const struct {
	const char *type, *dir, *options;
} mounts[] = {
	{ "sysfs", "/sys" },
	{ "devpts", "/dev/pts", "mode=620,ptmxmode=666" },
	{ "tmpfs", "/dev/shm", "mode=1777" },
	{ "mqueue", "/dev/mqueue" },
	{ "cgroup2", "/sys/fs/cgroup" },
	{ "bpf", "/sys/fs/bpf", "mode=700" },
	{ "debugfs", "/sys/kernel/debug" },
	{ "tracefs", "/sys/kernel/tracing" },
	{ "securityfs", "/sys/kernel/security" },
};

/* Standard error is the console, which kernel/vm shows when there is no status. */
static void complain(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "guest-init: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(errno));
}

static char *join(const char *a, const char *b, const char *c)
{
	char *path = NULL;

	return asprintf(&path, "%s%s%s", a, b, c) < 0 ? NULL : path;
}

static int put_at(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | flags, 0644);
	int ret = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		ret = -errno;
		complain("%s", path);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static int put(const char *path, const char *text)
{
	return put_at(path, text, 0);
}

/* All of a file of the host, NUL terminated; NULL if it cannot be read. */
static char *get(const char *name, size_t *length)
{
	char *path = join(getenv("PMADV_RUN"), "/", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st)) {
		text = calloc(1, st.st_size + 1);
		*length = 0;
		while (text && *length < (size_t)st.st_size) {
			ssize_t got = read(fd, text + *length, st.st_size - *length);

			if (got <= 0)
				break;
			*length += got;
		}
	}
	if (!text)
		complain("%s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return text;
}

static int read_settings(void)
{
	char *line, *next, *value;
	size_t length, i;

	line = get("settings", &length);
	if (!line)
		return -1;
	for (; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			if (!strcmp(line, names[i].name))
				*names[i].value = value;
		}
	}
	return 0;
}

/* The strings of a file in which each ends with a NUL, as execve() wants them. */
static char **read_strings(const char *name)
{
	size_t length = 0, n = 0, at;
	char *text = get(name, &length);
	char **strings = calloc(length + 1, sizeof(*strings));

	if (!text || !strings)
		return NULL;
	for (at = 0; at < length; at += strlen(text + at) + 1)
		strings[n++] = text + at;
	return strings;
}

static void make_dirs(const char *path)
{
	char *copy = strdup(path), *slash = copy;

	while (slash && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	mkdir(copy, 0755);
	free(copy);
}

static int mount_on(const char *type, const char *source, const char *dir,
		    unsigned long flags, const char *options)
{
	if (!mount(source, dir, type, flags, options))
		return 0;
	complain("mount %s on %s", type ? type : source, dir);
	return -1;
}

static void mount_kernel(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		mount_on(mounts[i].type, mounts[i].type, mounts[i].dir, 0,
			 mounts[i].options);
	}
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	put("/sys/fs/cgroup/cgroup.subtree_control", "+memory +cpu +pids +io");
}

static bool can_list(const char *path)
{
	DIR *dir = opendir(path);
	bool ok = false;

	if (dir) {
		errno = 0;
		ok = readdir(dir) || !errno;
		closedir(dir);
	}
	return ok;
}

/* What is in a directory of the host stays visible; what is written goes to memory. */
static void overlay(const char *host, const char *dir)
{
	char *lower = join(LOWER, host, "");
	char *upper = join(UPPER, dir, "/new");
	char *work = join(UPPER, dir, "/work");
	char *options = NULL;

	make_dirs(upper);
	make_dirs(work);
	/* A home that the host does not let us list is no lower layer. */
	if (!can_list(lower) ||
	    asprintf(&options, "lowerdir=%s,upperdir=%s,workdir=%s",
		     lower, upper, work) < 0 ||
	    mount_on("overlay", "overlay", dir, 0, options))
		mount_on("tmpfs", "tmpfs", dir, 0, "mode=700");
	free(options);
	free(work);
	free(upper);
	free(lower);
}

static bool below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	return !strncmp(path, dir, length) &&
	       (path[length] == '/' || path[length] == '\0');
}

/* From here on, a directory is the root. */
static void enter(const char *dir)
{
	static const char *const moved[] = { "/dev", "/proc" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(moved); i++) {
		char *there = join(dir, moved[i], "");

		mount_on(NULL, moved[i], there, MS_MOVE, NULL);
		free(there);
	}
	if (chdir(dir) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		complain("chroot %s", dir);
}

/* The directories of the host that are written to. */
static void overlay_host(void)
{
	overlay("/var", "/var");
	overlay("/root", "/root");
	if (strcmp(set.home, "/") && !below(set.home, "/root") &&
	    !below(set.home, "/var") && !below(set.home, "/run") &&
	    !below(set.home, "/tmp") && !access(set.home, F_OK))
		overlay(set.home, set.home);
}

/* For modprobe, where the root file system has the place for it. */
static void mount_modules(void)
{
	char *modules = join(LOWER, set.modules, "");

	if (*set.root)
		make_dirs("/lib/modules");
	if (!access("/lib/modules", F_OK))
		mount_on(NULL, modules, "/lib/modules", MS_BIND, NULL);
	free(modules);
}

/* What the root file system is made of. */
static void mount_layers(void)
{
	mkdir(LOWER, 0700);
	mkdir(UPPER, 0700);
	mount_on(NULL, "/", LOWER, MS_BIND, NULL);
	mount_on("tmpfs", "tmpfs", UPPER, 0, NULL);
	if (*set.root) {
		overlay(set.root, NEW_ROOT);
		enter(NEW_ROOT);
	}
}

static void mount_host(void)
{
	char *repo = join(LOWER, set.repo, "");
	char *out = join(set.repo, "/build/vm/out", "");

	mount_on("tmpfs", "tmpfs", "/tmp", 0, "mode=1777");
	mount_on("tmpfs", "tmpfs", "/run", 0, "mode=755");
	mkdir("/run/lock", 0755);
	if (!*set.root)
		overlay_host();
	if (*set.modules)
		mount_modules();

	/* One of the mounts above may lie over the repository. */
	make_dirs(set.repo);
	mount_on(NULL, repo, set.repo, MS_BIND, NULL);
	mount_on("9p", "out", out, 0, P9_OPTIONS);

	umount2(LOWER, MNT_DETACH);
	umount2(UPPER, MNT_DETACH);
	rmdir(LOWER);
	rmdir(UPPER);
	free(out);
	free(repo);
}

static void add_swap(void)
{
	pid_t pid;

	if (!strcmp(set.swap, "0") || put("/sys/block/zram0/disksize", set.swap))
		return;
	pid = fork();
	if (!pid) {
		if (freopen("/dev/null", "w", stdout))
			execlp("mkswap", "mkswap", "/dev/zram0", NULL);
		complain("mkswap");
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	if (swapon("/dev/zram0", 0))
		complain("swapon");
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		complain("lo");
	if (fd >= 0)
		close(fd);
}

/* The ports may still be on their way; their names end in p and the number. */
static int open_port(int number)
{
	int tries, fd = -1;
	struct dirent *entry;
	char suffix[16];
	DIR *dev;

	snprintf(suffix, sizeof(suffix), "p%d", number);
	for (tries = 0; fd < 0 && tries < 100; tries++) {
		dev = opendir("/dev");
		while (dev && fd < 0 && (entry = readdir(dev))) {
			const char *name = entry->d_name;
			size_t length = strlen(name);

			if (!strncmp(name, "vport", 5) &&
			    !strcmp(name + length - strlen(suffix), suffix))
				fd = openat(dirfd(dev), name, O_WRONLY | O_CLOEXEC);
		}
		if (dev)
			closedir(dev);
		if (fd < 0)
			usleep(50000);
	}
	if (fd < 0)
		complain("virtio-serial port %d", number);
	return fd;
}

static void exec_command(void)
{
	struct rlimit files = { 1024, 1048576 };
	char **argv = read_strings("argv");
	char **env = read_strings("env");
	sigset_t none;
	size_t i;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_NOFILE, &files);
	if (chdir(set.cwd) && chdir(set.repo))
		complain("%s", set.repo);
	clearenv();
	for (i = 0; env && env[i]; i++)
		putenv(env[i]);
	if (argv && argv[0]) {
		execvp(argv[0], argv);
		complain("%s", argv[0]);
	}
	_exit(errno == ENOENT ? 127 : 126);
}

/* One chunk from a pipe to its port; false at its end. */
static bool forward(int from, int to)
{
	char buffer[65536];
	ssize_t got = read(from, buffer, sizeof(buffer)), done = 0, n;

	while (done < got) {
		n = write(to, buffer + done, got - done);
		if (n < 0)
			break;
		done += n;
	}
	return got > 0;
}

/*
 * Collects everybody whose parent died. When it was the command, those whom it
 * leaves behind would hold its output open, so they end too.
 */
static void reap(pid_t command, int *status)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
		kill(-1, SIGKILL);
	}
}

/*
 * Pipes between the command and the ports: a port can be opened only once, and
 * programs do open /dev/stdout and /dev/stderr.
 */
static int run_command(int children)
{
	struct pollfd fds[3] = { { children, POLLIN } };
	int ports[3], pipes[3][2], status = -1, i;
	struct signalfd_siginfo info;
	pid_t pid;

	for (i = PORT_OUT; i <= PORT_ERR; i++) {
		ports[i] = open_port(i);
		if (ports[i] < 0 || pipe2(pipes[i], O_CLOEXEC))
			return -1;
		fds[i].fd = pipes[i][0];
		fds[i].events = POLLIN;
	}
	pid = fork();
	if (!pid) {
		setsid();
		dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDIN_FILENO);
		dup2(pipes[PORT_OUT][1], STDOUT_FILENO);
		dup2(pipes[set.merge ? PORT_OUT : PORT_ERR][1], STDERR_FILENO);
		exec_command();
	}
	for (i = PORT_OUT; i <= PORT_ERR; i++)
		close(pipes[i][1]);

	while (status < 0 || fds[PORT_OUT].fd >= 0 || fds[PORT_ERR].fd >= 0) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		for (i = PORT_OUT; i <= PORT_ERR; i++) {
			if (fds[i].fd >= 0 && fds[i].revents &&
			    !forward(fds[i].fd, ports[i]))
				fds[i].fd = -1;
		}
		if (fds[0].revents && read(children, &info, sizeof(info)) > 0)
			reap(pid, &status);
	}
	return status;
}

static int run_shell(int children)
{
	struct winsize size = { atoi(set.rows), atoi(set.cols) };
	struct signalfd_siginfo info;
	int status = -1, fd;
	pid_t pid;

	pid = fork();
	if (!pid) {
		setsid();
		fd = open(TTY, O_RDWR | O_CLOEXEC);
		ioctl(fd, TIOCSCTTY, 0);
		ioctl(fd, TIOCSWINSZ, &size);
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		exec_command();
	}
	while (status < 0) {
		if (read(children, &info, sizeof(info)) > 0)
			reap(pid, &status);
	}
	return status;
}

/* A leak counts once it is five seconds old. The console is where it belongs. */
static void find_leaks(void)
{
	char line[512];
	int lines = 0;
	FILE *leaks;

	if (access(LEAKS, W_OK))
		return;
	sleep(5);
	put(LEAKS, "scan");
	leaks = fopen(LEAKS, "r");
	while (leaks && lines++ < 60 && fgets(line, sizeof(line), leaks))
		fputs(line, stderr);
	if (leaks)
		fclose(leaks);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Their names begin with numbers, in the order in which they need each other. */
static void load_modules(void)
{
	struct dirent **entries;
	int n, i, fd;

	n = scandir(MODULES, &entries, NULL, compare_names);
	for (i = 0; i < n; i++) {
		char *path = join(MODULES, "/", entries[i]->d_name);

		if (entries[i]->d_name[0] != '.') {
			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (syscall(SYS_finit_module, fd, "", 0))
				complain("%s", path);
			close(fd);
			unlink(path);
		}
		free(path);
	}
}

/* What the kernel itself does where it finds the root file system alone. */
static void leave_initramfs(void)
{
	mkdir(HOST, 0755);
	mount_on("devtmpfs", "devtmpfs", "/dev", 0, NULL);
	load_modules();
	mount_on("9p", "hostroot", HOST, MS_RDONLY, ROOT_OPTIONS);
	unlink("/init");
	enter(HOST);
}

static void set_up(void)
{
	mount_layers();
	mount_kernel();
	mount_host();
	add_swap();
	raise_loopback();
	sethostname("pmadv", 5);
}

/* Returns only if there is no systemd. */
static void become_systemd(void)
{
	char *self = join(set.repo, "/build/vm/guest-init", "");

	make_dirs(WANTED);
	symlink(self, SELF);
	put_at(UNITS "/kernel-vm.service", unit, O_CREAT);
	symlink("../kernel-vm.service", WANTED "/kernel-vm.service");
	put_at("/etc/machine-id", machine_id, O_CREAT | O_TRUNC);
	execl(SYSTEMD, SYSTEMD, NULL);
	complain(SYSTEMD);
	free(self);
}

static int run(void)
{
	sigset_t mask;
	int children, status;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	children = signalfd(-1, &mask, SFD_CLOEXEC);
	if (!access(TTY, F_OK))
		status = run_shell(children);
	else
		status = run_command(children);
	find_leaks();
	return status;
}

/* What is mounted first, and by systemd's service not again. */
static void begin(void)
{
	mkdir("/proc", 0755);
	mount_on("proc", "proc", "/proc", 0, NULL);
	if (!access(MODULES, F_OK))
		leave_initramfs();
}

/* What kernel/vm asked for. Its status, or -1. */
static int work(bool first)
{
	int status = -1;
	char *out;

	if (first)
		set_up();
	if (first && *set.init)
		become_systemd();
	else
		status = run();

	out = join(set.repo, "/build/vm/out", "");
	umount2(out, 0);
	sync();
	free(out);
	return status;
}

int main(void)
{
	bool first = getpid() == 1;
	int port, status = -1;
	char text[16];

	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (first)
		begin();
	if (getenv("PMADV_RUN") && !read_settings()) {
		if (!set.probe)
			status = work(first);
		if (set.probe)
			snprintf(text, sizeof(text), "alive\n");
		else
			snprintf(text, sizeof(text), "%d\n", status);
		port = open_port(PORT_STATUS);
		if (port >= 0 && (set.probe || status >= 0) &&
		    write(port, text, strlen(text)) < 0)
			complain("status");
	}
	/* QEMU runs with -no-reboot. */
	reboot(RB_AUTOBOOT);
	return 1;
}
