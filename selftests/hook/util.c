// SPDX-License-Identifier: GPL-2.0
/* Shared by the tests of the hook; hook.h describes each function. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "hook.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

int hook_map(struct hook *h, size_t pages)
{
	h->len = pages * PAGE;
	h->addr = target_call(&h->target, do_map_filled, h->len, 1, 0);
	return h->addr ? 0 : -ENOMEM;
}

/* Huge ones are off meanwhile, and for khugepaged it is as if there were no mapping. */
static long do_map_small_pages(unsigned long len, unsigned long unused1,
			       unsigned long unused2)
{
	unsigned long addr;

	(void)unused1;
	(void)unused2;
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		return 0;
	addr = do_map(len + HUGE, PROT_READ | PROT_WRITE, 0);
	if (!addr)
		return 0;
	addr = (addr + HUGE - 1) & ~(HUGE - 1);
	fill(addr, len, 1);
	return prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) ? 0 : addr;
}

int hook_map_small_pages(struct hook *h, size_t len)
{
	h->len = len;
	h->addr = target_call(&h->target, do_map_small_pages, len, 0, 0);
	return h->addr ? 0 : -ENOMEM;
}

int hook_setup_target(struct hook *h)
{
	int err;

	err = target_start(&h->target);
	return err ? err : hook_map(h, 64);
}

struct hook_policy *hook_load_refusing(uint64_t cgroup_id, uint64_t refused)
{
	struct hook_policy *skel;
	int err;

	skel = hook_policy__open();
	if (!skel)
		return NULL;

	skel->struct_ops.hook->cgroup_id = cgroup_id;
	skel->struct_ops.hook->inner_refused = refused;
	err = hook_policy__load(skel);
	if (err) {
		hook_policy__destroy(skel);
		errno = -err;
		return NULL;
	}
	return skel;
}

struct hook_policy *hook_load(uint64_t cgroup_id)
{
	return hook_load_refusing(cgroup_id, 0);
}

int hook_setup_loaded(struct hook *h)
{
	h->skel = hook_load(0);
	if (!h->skel)
		return errno ? -errno : -EINVAL;
	return hook_setup_target(h);
}

int hook_setup_attached(struct hook *h)
{
	int err;

	err = hook_setup_loaded(h);
	return err ? err : hook_attach(h->skel->maps.hook, &h->link);
}

void hook_cleanup(struct hook *h)
{
	unsigned int i;

	target_stop(&h->target);
	for (i = 0; i < ARRAY_LEN(h->more); i++) {
		hook_detach(&h->more_link[i]);
		hook_policy__destroy(h->more[i]);
	}
	hook_detach(&h->link);
	hook_policy__destroy(h->skel);
	memset(h, 0, sizeof(*h));
}

int hook_attach(struct bpf_map *map, struct bpf_link **link)
{
	*link = bpf_map__attach_struct_ops(map);
	if (*link)
		return 0;
	return errno ? -errno : -EINVAL;
}

int hook_attach_again(struct bpf_map *map, struct bpf_link **link)
{
	unsigned int i;
	int err;

	for (i = 0; (err = hook_attach(map, link)) == -EBUSY && i < 5000; i++)
		hook_sleep_ms(1);
	return err;
}

int hook_update_again(struct bpf_link *link, struct bpf_map *map)
{
	unsigned int i;
	int err;

	for (i = 0; (err = bpf_link__update_map(link, map)) == -EBUSY &&
	     i < 5000; i++)
		hook_sleep_ms(1);
	return err;
}

void hook_detach(struct bpf_link **link)
{
	bpf_link__destroy(*link);
	*link = NULL;
}

struct hook_rule *hook_rule(struct hook_policy *skel, uint64_t start,
			    uint64_t end, int verdict)
{
	struct hook_rule *rule;

	if (!EXPECT(skel->bss->nr_rules < HOOK_RULES, ""))
		return NULL;
	rule = &skel->bss->rules[skel->bss->nr_rules];
	memset(rule, 0, sizeof(*rule));
	rule->start = start;
	rule->end = end;
	rule->verdict = verdict;
	skel->bss->nr_rules++;
	return rule;
}

void hook_reset(struct hook_policy *skel)
{
	skel->bss->nr_rules = 0;
	skel->bss->nr_seen = 0;
	skel->bss->nr_advised = 0;
	memset(skel->bss->seen, 0, sizeof(skel->bss->seen));
}

long hook_walk_range(struct hook *h, unsigned long addr, size_t len, int advice,
		     unsigned int flags)
{
	return pmadv_one(h->target.pidfd, addr, len, advice,
			 flags | PMADV_POLICY, &h->result);
}

long hook_walk(struct hook *h, int advice, unsigned int flags)
{
	return hook_walk_range(h, h->addr, h->len, advice, flags);
}

long do_name(unsigned long addr, unsigned long len, unsigned long name)
{
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, len, name) ?
	       -errno : 0;
}

long do_map_path(unsigned long path, unsigned long prot, unsigned long flags)
{
	int fd = open((const char *)path, O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return 0;
	p = mmap(NULL, 4 * PAGE, prot, flags, fd, 0);
	close(fd);
	return p == MAP_FAILED ? 0 : (long)p;
}

long do_map_memfd(unsigned long name, unsigned long len, unsigned long flags)
{
	int fd = memfd_create((const char *)name, MFD_CLOEXEC);
	void *p;

	if (fd < 0 || ftruncate(fd, len))
		return 0;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);
	close(fd);
	return p == MAP_FAILED ? 0 : (long)p;
}

long do_read_major(unsigned long addr, unsigned long len, unsigned long unused)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	do_read(addr, len, unused);
	getrusage(RUSAGE_SELF, &after);
	return after.ru_majflt - before.ru_majflt;
}

long hook_swapped(struct hook *h, unsigned long addr, size_t len)
{
	struct pages pages;
	int err = pagemap(h->target.pid, addr, len, &pages);

	return err ? err : (long)pages.swapped;
}

long hook_present(struct hook *h, unsigned long addr, size_t len)
{
	struct pages pages;
	int err = pagemap(h->target.pid, addr, len, &pages);

	return err ? err : (long)pages.present;
}

void hook_expect_intact(struct hook *h)
{
	EXPECT_EQ(target_call(&h->target, do_check, h->addr, h->len, 1), 0);
}

void hook_expect_untouched(struct hook *h)
{
	EXPECT_EQ(hook_present(h, h->addr, h->len), h->len / PAGE);
	EXPECT_EQ(h->result.stats.isolated, 0);
	EXPECT_EQ(h->result.stats.deactivated, 0);
	hook_expect_intact(h);
}

void hook_expect_unmarked(struct hook *h)
{
	/* Traces in smaps of advice other than the four. */
	static const char *const marks[] = {
		" sr", " rr", " dc", " dd", " wf", " hg", " mg",
	};
	char field[16];
	unsigned int i;

	/* The target has said so itself, to each of the mappings. */
	EXPECT(smaps(h->target.pid, "VmFlags: nh", h->addr,
		     h->addr + h->len) >= 1, "");
	for (i = 0; i < ARRAY_LEN(marks); i++) {
		snprintf(field, sizeof(field), "VmFlags:%s", marks[i]);
		EXPECT(!smaps(h->target.pid, field, h->addr, h->addr + h->len),
		       ", but%s is set", marks[i]);
	}
}

void hook_sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

bool hook_left(struct hook_policy *skel, unsigned int exits)
{
	volatile __u64 *seen = &skel->bss->exits;
	unsigned int i;

	for (i = 0; *seen < exits && i < 5000; i++)
		hook_sleep_ms(1);
	return *seen == exits;
}

bool hook_expect_exit(struct hook_policy *skel, unsigned int exits,
		      unsigned int kind)
{
	hook_left(skel, exits);
	return EXPECT_EQ(skel->bss->exits, exits) &
	       EXPECT_EQ(skel->bss->exit_kind, kind);
}

bool hook_await_held(struct hook_policy *skel, unsigned int where)
{
	volatile __u32 *held = &skel->bss->held;
	unsigned int i;

	for (i = 0; !(*held & where) && i < 5000; i++)
		hook_sleep_ms(1);
	return EXPECT(*held & where, "");
}

pid_t hook_start(struct hook *h, int (*call)(struct hook *h))
{
	pid_t pid = fork();

	if (!pid)
		_exit(-call(h));
	return pid;
}

bool hook_await_waiting(pid_t pid)
{
	char path[64], stat[256];
	unsigned int i, seen = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	/* A short sleep is not taken for that. */
	for (i = 0; seen < 5 && i < 5000; i++) {
		hook_sleep_ms(1);
		seen = read_file(path, stat, sizeof(stat)) > 0 &&
		       strstr(stat, ") D ") ? seen + 1 : 0;
	}
	return EXPECT(seen, "");
}

bool hook_hung_up(struct bpf_link *link, int ms)
{
	struct pollfd pfd = { .fd = bpf_link__fd(link) };

	return poll(&pfd, 1, ms) == 1 && pfd.revents & POLLHUP;
}

long long hook_counter(const char *policy, const char *counter)
{
	char path[512], text[64];
	long long found = -ENOENT;
	struct dirent *entry;
	DIR *dir;

	dir = opendir(HOOK_SYSFS "/policies");
	if (!dir)
		return -errno;
	while (found == -ENOENT && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), HOOK_SYSFS "/policies/%s/name",
			 entry->d_name);
		if (read_file(path, text, sizeof(text)) < 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		if (strcmp(text, policy))
			continue;
		snprintf(path, sizeof(path), HOOK_SYSFS "/policies/%s/%s",
			 entry->d_name, counter);
		found = read_file(path, text, sizeof(text));
		if (found >= 0)
			found = strtoll(text, NULL, 0);
	}
	closedir(dir);
	return found;
}

void hook_on_signal(int sig)
{
}
