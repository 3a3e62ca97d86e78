// SPDX-License-Identifier: GPL-2.0
#include "walk/walk.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pmadv/process_madvise.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "policy/sysfs.h"
#include "proc/maps.h"
#include "proc/process.h"
#include "walk/monitor.h"
#include "walk/target.h"

#define PROGRESS_AFTER_NS	2000000000ULL
#define PROGRESS_EVERY_NS	250000000L
#define RECORDS_BUFFER_WHOLE	(64 << 20)
#define RECORDS_HEADER		8	/* BPF_RINGBUF_HDR_SZ */

/*
 * The call returns only when it is done. If it returned early to show progress,
 * the policy would see several calls instead of one. So a thread watches the
 * target's memory meanwhile.
 */
struct progress {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
	bool started;
	const struct walk *walk;
	uint64_t from_ns;
};

static void show_progress(const struct progress *progress, uint64_t elapsed)
{
	const struct walk *walk = progress->walk;
	char before[HUMAN_LEN], now[HUMAN_LEN];
	uint64_t resident, swapped;

	if (process_memory(walk->target->pid, &resident, &swapped))
		return;
	progress_line("%s (%d): %llu s, resident %s of %s", walk->target->name,
		      walk->target->pid, (unsigned long long)(elapsed / 1000000000),
		      human_bytes(resident, now),
		      human_bytes(walk->resident_before, before));
}

static void *progress_run(void *data)
{
	struct progress *progress = data;
	struct timespec until;

	pthread_mutex_lock(&progress->lock);
	while (!progress->done) {
		uint64_t elapsed = now_ns() - progress->from_ns;

		if (elapsed >= PROGRESS_AFTER_NS)
			show_progress(progress, elapsed);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += PROGRESS_EVERY_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&progress->wake, &progress->lock, &until);
	}
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

/* Signals go to the thread that makes the call, because they are to end it. */
static void progress_start(struct progress *progress, const struct walk *walk)
{
	pthread_condattr_t monotonic;
	sigset_t all, before;

	memset(progress, 0, sizeof(*progress));
	if (out_json() || out_quiet() || !isatty(STDERR_FILENO))
		return;

	progress->walk = walk;
	progress->from_ns = now_ns();
	pthread_mutex_init(&progress->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	progress->started = !pthread_create(&progress->thread, NULL, progress_run,
					    progress);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void progress_stop(struct progress *progress)
{
	if (!progress->started)
		return;

	pthread_mutex_lock(&progress->lock);
	progress->done = true;
	pthread_cond_signal(&progress->wake);
	pthread_mutex_unlock(&progress->lock);
	pthread_join(progress->thread, NULL);
	progress_line("%s", "");
}

/*
 * Make the call, for the process or for one mapping of it. Without ranges it
 * covers the whole mapping.
 */
static ssize_t call_target(const struct target *target, const struct request *request,
			   struct walk *walk)
{
	struct pidfd_vma vma;
	struct iovec whole;
	bool all = !request->nr_ranges;
	ssize_t ret;
	int fd, err;

	if (!request->vma)
		return pmadv_call_all(target->pidfd, request->ranges, request->nr_ranges,
				      request->advice, request->flags, &walk->result,
				      &stop_asked);

	fd = pmadv_open_vma(target->pidfd, request->vma, &vma);
	if (fd < 0)
		return -1;
	whole.iov_base = (void *)(uintptr_t)vma.start;
	whole.iov_len = vma.end - vma.start;
	ret = pmadv_call_all(fd, all ? &whole : request->ranges,
			     all ? 1 : request->nr_ranges, request->advice,
			     request->flags, &walk->result, &stop_asked);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

/* The same by the engine: 0 or -errno. */
static int walk_with_engine(const struct target *target, const struct request *request,
			    struct walk *walk)
{
	struct engine_walk engine_request = {
		.pid = target->pid,
		.pidfd = target->pidfd,
		.comm = target->name,
		.ranges = request->ranges,
		.nr_ranges = request->nr_ranges,
		.advice = request->advice,
		.flags = request->flags,
		.proven_only = request->proven_only,
		.freeze = request->freeze,
		.on_range = request->on_range,
		.data = request->data,
		.result = walk->result,
	};
	int err = -ENOENT;

	if (decider_covers(request->decider, target->pid))
		err = engine_walk(request->decider->engine, &engine_request);
	walk->result = engine_request.result;
	walk->exact = engine_request.exact;
	walk->pages = engine_request.pages;
	return err;
}

static int walk_with_hook(const struct target *target, const struct request *request,
			  struct walk *walk)
{
	return call_target(target, request, walk) < 0 ? -errno : 0;
}

static bool uses_engine(const struct request *request)
{
	return request->decider && request->decider->engine;
}

int walk_run(const struct target *target, const struct request *request,
	     struct walk *walk)
{
	struct progress progress;

	memset(walk, 0, sizeof(*walk));
	walk->target = target;
	walk->result.max_pages = request->max_pages;
	walk->result.cursor = request->cursor;
	walk->result.cursor_index = request->cursor_index;
	process_memory(target->pid, &walk->resident_before, &walk->swapped_before);

	progress_start(&progress, walk);
	walk->elapsed_ns = now_ns();
	walk->err = uses_engine(request) ? walk_with_engine(target, request, walk) :
					   walk_with_hook(target, request, walk);
	walk->elapsed_ns = now_ns() - walk->elapsed_ns;
	progress_stop(&progress);

	/* A call that ended before the first range ended early; it did not fail. */
	if (walk->err == -EINTR && walk->result.stopped == PMADV_STOPPED_SIGNAL)
		walk->err = 0;
	if (walk->result.stopped == PMADV_STOPPED_EJECTED)
		walk->err = -EEJECTED;
	/* Ranges that fail are passed over: it is a call that failed, after others. */
	if (walk->result.stopped == PMADV_STOPPED_ERROR && !walk->err)
		walk->err = -(int)walk->result.error;

	/* These stay 0 if the process has exited. */
	process_memory(target->pid, &walk->resident_after, &walk->swapped_after);
	return walk->err;
}

static int keep_range(void *data, const struct pmadv_range_record *record)
{
	struct pmadv_range_record *item = vec_add(data, sizeof(*item));

	if (!item)
		return say_no_memory();
	*item = *record;
	return 0;
}

/*
 * Nobody reads the buffer during the call, so it must hold all mappings, even
 * if a policy decides about each in pieces of a megabyte.
 */
static uint64_t buffer_for(pid_t pid)
{
	const struct map_name *map;
	struct vec maps = { };
	uint64_t nr = 1024;

	if (!maps_read(pid, &maps))
		nr += maps.nr;
	map = maps.items;
	for (size_t i = 0; i < maps.nr; i++)
		nr += (map[i].end - map[i].start) >> 20;
	maps_free(&maps);
	nr *= sizeof(struct pmadv_range_record) + RECORDS_HEADER;
	return nr < RECORDS_BUFFER_WHOLE ? nr : RECORDS_BUFFER_WHOLE;
}

int walk_recorded(const struct target *target, const struct request *request,
		  struct walk *walk, struct vec *ranges)
{
	const struct monitor_filter filter = { .caller = getpid(), .ranges = true };
	const struct monitor_handler handler = { .range = keep_range, .data = ranges };
	struct request own = *request;
	struct monitor *records;
	int ret;

	if (uses_engine(request)) {
		own.on_range = keep_range;
		own.data = ranges;
		walk_run(target, &own, walk);
		return 0;
	}
	records = monitor_open(&filter, buffer_for(target->pid), &handler, &ret);
	if (!records)
		return ret;

	walk_run(target, request, walk);
	do {
		ret = monitor_read(records);
	} while (ret > 0);

	monitor_warn_lost(records);
	/* The monitor knows us by our process id in the initial PID namespace. */
	if (!ret && !ranges->nr && walk->result.ranges_seen && !monitor_lost(records))
		say_warning("the ranges cannot be shown from inside a pid namespace");
	monitor_close(records);
	return ret;
}

/* On a kernel without the patches, any call with flags fails because of them. */
static bool flags_known(unsigned int flags)
{
	struct pmadv_result result = { };

	errno = 0;
	pmadv_call(-1, NULL, 0, MADV_COLD, flags, &result);
	return errno == EBADF;
}

int walk_say_error(const struct walk *walk, const struct request *request)
{
	const char *name = walk->target->name;
	int pid = walk->target->pid;
	char ejection[256] = "";

	switch (-walk->err) {
	case 0:
		return 0;
	case EEJECTED:
		if (uses_engine(request))
			return decider_say_left(request->decider);
		if (sysfs_last_ejection(ejection, sizeof(ejection)))
			ejection[0] = '\0';
		return say_error(walk->err, "the kernel ejected policy %s", ejection);
	case ELACKS:
		return say_error(walk->err, "--proven-only: this kernel cannot tell whether mappings have changed: that takes mm_lock_seq, of Linux 6.4 and later");
	case ENOENT:
		return say_error(walk->err, "%s (%d): no policy is in force for it: attach one with 'pmadv attach', or give --advice without --policy",
				 name, pid);
	case ESRCH:
		return say_error(walk->err, "%s (%d): it has exited", name, pid);
	case EPERM:
		return say_error(walk->err, "%s (%d): no permission to advise it: this needs CAP_SYS_NICE",
				 name, pid);
	case EACCES:
		return say_error(walk->err, "%s (%d): no permission to access it: this needs the same user, or CAP_SYS_PTRACE",
				 name, pid);
	case ENOTSUP:
		if (request->freeze)
			return say_error(walk->err, "%s (%d): --freeze: it is in no cgroup (v2) of its own that can be frozen, or in ours: put it into one, or do without --freeze",
					 name, pid);
		return say_error(walk->err, "%s (%d): %s", name, pid,
				 error_text(walk->err));
	case ENOTTY:
		return say_error(-ELACKS, "this kernel has no file descriptors for mappings: boot one built with this project's patches and CONFIG_VMA_FD=y");
	case ESTALE:
		return say_error(walk->err, "%s (%d): the mapping is gone", name, pid);
	case ENOMEM:
		if (request->vma && !walk->result.ranges_seen)
			return say_error(walk->err, "%s (%d): nothing is mapped at %llx",
					 name, pid, (unsigned long long)request->vma);
		return say_error(walk->err, "%s (%d): %s", name, pid,
				 error_text(walk->err));
	case EINVAL:
	case ENOSYS:
		if (request->vma && flags_known(request->flags))
			return say_error(walk->err, "%s (%d): the ranges are not all inside the mapping at %llx, or this kernel has no CONFIG_VMA_FD",
					 name, pid, (unsigned long long)request->vma);
		if (!flags_known(request->flags))
			return say_error(-ELACKS, "this kernel's process_madvise(2) lacks flags that this needs: boot one built with this project's patches; see 'pmadv probe'");
		/* fall through */
	default:
		if (walk->result.error)
			return say_error(walk->err, "%s (%d): nothing was advised: %s, first at %llx",
					 name, pid, error_text(walk->err),
					 (unsigned long long)walk->result.error_addr);
		return say_error(walk->err, "%s (%d): %s", name, pid,
				 error_text(walk->err));
	}
}

const char *exact_text(const struct pmadv_exactness *exact, char buf[EXACT_TEXT_LEN])
{
	__u64 given = exact->proven + exact->unproven;
	int length;

	length = snprintf(buf, EXACT_TEXT_LEN, "%llu of %llu ranges proven exact",
			  exact->proven, given);
	if (exact->reasked)
		length += snprintf(buf + length, EXACT_TEXT_LEN - (size_t)length,
				   ", %llu asked again", exact->reasked);
	if (exact->dropped)
		snprintf(buf + length, EXACT_TEXT_LEN - (size_t)length,
			 ", %llu given up", exact->dropped);
	return buf;
}

void json_exact(struct json_object *line, const struct pmadv_exactness *exact)
{
	json_number(line, "proven", exact->proven);
	json_number(line, "unproven", exact->unproven);
	json_number(line, "reasked", exact->reasked);
	json_number(line, "dropped", exact->dropped);
}

struct json_object *walk_json(const struct walk *walk, const struct request *request,
			      uint64_t round)
{
	const struct pmadv_result *result = &walk->result;
	struct json_object *line = json_line("walk");

	if (round)
		json_number(line, "round", round);
	json_signed(line, "pid", walk->target->pid);
	json_text(line, "comm", walk->target->name);
	json_text(line, "error",
		  !walk->err ? NULL :
		  -walk->err < EUSAGE ? strerrorname_np(-walk->err) :
		  -walk->err == EEJECTED ? "EJECTED" : "LACKS");
	json_text(line, "engine", engine_in_use());
	if (uses_engine(request))
		json_exact(line, &walk->exact);
	json_text(line, "advice", advice_name(request->advice));
	json_flag(line, "policy", request->flags & PMADV_POLICY);
	json_flag(line, "dry_run", request->flags & PMADV_DRY_RUN);
	json_number(line, "call_id", result->call_id);
	json_text(line, "stopped", stopped_word(result->stopped));
	json_address(line, "cursor", result->cursor);
	json_number(line, "cursor_index", result->cursor_index);
	json_text(line, "first_error",
		  result->error ? strerrorname_np((int)result->error) : NULL);
	json_address(line, "first_error_addr", result->error_addr);
	json_ranges(line, result);
	json_number(line, "holes", result->holes);
	json_number(line, "bytes_advised", result->bytes_advised);
	json_number(line, "yields", result->yields);
	json_stats(line, &result->stats);
	json_number(line, "elapsed_ns", walk->elapsed_ns);
	json_number(line, "resident_before", walk->resident_before);
	json_number(line, "resident_after", walk->resident_after);
	json_number(line, "swap_before", walk->swapped_before);
	json_number(line, "swap_after", walk->swapped_after);
	return line;
}
