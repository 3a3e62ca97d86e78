// SPDX-License-Identifier: GPL-2.0
#include "walk/monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/watched.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/privileges.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "policy/bpf_log.h"
#include "policy/hook.h"
#include "policy/knobs.h"
#include "policy/object.h"
#include "walk/family.h"

/* Records read at once at most, because the reader also has to watch the clock. */
#define READ_MOST	4096

/*
 * One record is followed by more: let them gather, or each would wake the
 * reader. Do so no longer than it takes to fill the ring at a byte per
 * nanosecond, some five million records a second.
 */
#define NAP_MOST_NS	10000000

/* What say_no_bpf() is to say. */
#define FOR_TRACING	"watch process_madvise(2)"

struct monitor {
	bool hook;		/* the kernel has it */
	struct bpf_object *object;
	struct bpf_link *links[8];
	unsigned int nr_links;
	struct ring_buffer *ring;
	struct record_reader reader;
	const volatile uint64_t *lost;
	uint64_t lost_said;
	int64_t nap_ns;
};

static int check_record(const struct pmadv_record *head, size_t size)
{
	if (size < sizeof(*head) || head->version != PMADV_RECORD_VERSION)
		return say_error(-EPROTO, "the monitor writes records of version %u, this pmadv reads version %u: install pmadv and its monitor.bpf.o together",
				 size < sizeof(*head) ? 0 : head->version,
				 PMADV_RECORD_VERSION);
	/* The ring buffer rounds sizes up, a record does not. */
	if (head->size > size ||
	    (head->type == PMADV_RECORD_RANGE &&
	     head->size != sizeof(struct pmadv_range_record)) ||
	    (head->type == PMADV_RECORD_CALL &&
	     head->size != sizeof(struct pmadv_call_record)))
		return say_error(-EPROTO, "a record of type %u has %u bytes, which is impossible: install pmadv and its monitor.bpf.o together",
				 head->type, head->size);
	return 0;
}

/* Successive records have the same target: clean its name once. */
static void clean_comm(struct record_reader *reader, struct pmadv_record *head)
{
	if (memcmp(head->comm, reader->comm, sizeof(head->comm))) {
		memcpy(reader->comm, head->comm, sizeof(head->comm));
		memcpy(reader->comm_clean, head->comm, sizeof(head->comm));
		reader->comm_clean[sizeof(head->comm) - 1] = '\0';
		clean_text(reader->comm_clean);
	}
	memcpy(head->comm, reader->comm_clean, sizeof(head->comm));
}

int record_take(void *data, void *item, size_t size)
{
	struct record_reader *reader = data;
	union {
		struct pmadv_record head;
		struct pmadv_range_record range;
		struct pmadv_call_record call;
	} record;
	const struct pmadv_record *head = item;
	int err;

	err = check_record(head, size);
	if (err)
		return err;

	/* Hand over copies, because names in them are cleaned. */
	switch (head->type) {
	case PMADV_RECORD_RANGE:
		record.range = *(const struct pmadv_range_record *)item;
		clean_comm(reader, &record.head);
		return reader->handler.range ?
		       reader->handler.range(reader->handler.data, &record.range) : 0;
	case PMADV_RECORD_CALL:
		record.call = *(const struct pmadv_call_record *)item;
		clean_comm(reader, &record.head);
		return reader->handler.call ?
		       reader->handler.call(reader->handler.data, &record.call) : 0;
	default:
		return 0;
	}
}

static int set_filter(struct bpf_object *object, const struct monitor_filter *filter)
{
	int err;

	err = knob_set_number(object, "only_target", (uint32_t)filter->target);
	if (!err)
		err = knob_set_number(object, "only_caller", (uint32_t)filter->caller);
	if (!err)
		err = knob_set_number(object, "with_children", filter->children);
	if (!err)
		err = knob_set_number(object, "want_ranges", filter->ranges);
	if (!err)
		err = knob_set_number(object, "want_calls", filter->calls);
	return err;
}

static uint32_t ring_size(uint64_t wanted)
{
	uint64_t size = page_size();

	while (size < wanted && size < MONITOR_BUFFER_MAX)
		size *= 2;
	return (uint32_t)size;
}

static int say_failed(const char *what, int err)
{
	policy_log_print();
	if (err == -EPERM)
		return say_no_bpf(err, FOR_TRACING);
	return say_error(err, "the monitor: %s: %s", what, error_text(err));
}

static bool is_of_engine(const struct bpf_program *program)
{
	return bpf_program__type(program) == BPF_PROG_TYPE_KPROBE;
}

/*
 * The tracepoints of the hook or, without it, what reads our engine's records; and
 * what follows children, if that is wanted.
 */
static void choose_programs(const struct monitor *records, bool children)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, records->object) {
		bool follows = strstr(bpf_program__section_name(program), "sched_process");

		bpf_program__set_autoload(program, follows ? children :
					  is_of_engine(program) != records->hook);
	}
}

/* To our own function, in all processes that run this program. */
static struct bpf_link *attach_to_engine(const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options);
	struct watched_place place;
	int err = watched_find(&place);

	if (err) {
		errno = -err;
		return NULL;
	}
	options.ref_ctr_offset = place.count;
	return bpf_program__attach_uprobe_opts(program, -1, "/proc/self/exe",
					       place.function, &options);
}

static int attach_all(struct monitor *records)
{
	struct bpf_program *program = NULL;

	while ((program = bpf_object__next_program(records->object, program))) {
		struct bpf_link *link;

		if (!bpf_program__autoload(program))
			continue;
		if (records->nr_links == ARRAY_SIZE(records->links))
			return -E2BIG;
		link = is_of_engine(program) ? attach_to_engine(program) :
					       bpf_program__attach(program);
		if (!link)
			return -errno;
		records->links[records->nr_links++] = link;
	}
	return 0;
}

static int say_attach_failed(const struct monitor *records, int err)
{
	if (!records->hook && err == -ENOENT) {
		policy_log_forget();
		return say_error(-ELACKS, "watching walks on a kernel without the hook takes uprobes: boot one built with CONFIG_UPROBE_EVENTS=y");
	}
	return say_failed("attaching it", err);
}

static int open_monitor(struct monitor *records, const struct monitor_filter *filter,
			uint64_t buffer)
{
	char path[PATH_MAX];
	struct bpf_map *map;
	size_t size = 0;
	int err;

	if (buffer > MONITOR_BUFFER_MAX)
		return say_error(-EUSAGE, "--buffer: at most 1G");
	/* One that does not exist would be waited for for ever. */
	if (filter->target && kill(filter->target, 0) && errno == ESRCH)
		return say_error(-ESRCH, "there is no process %d", filter->target);
	err = privileges_check_bpf(FOR_TRACING);
	if (!err)
		err = object_find("monitor", path);
	if (err)
		return err;

	records->object = bpf_object__open_file(path, NULL);
	if (!records->object)
		return say_failed(path, -errno);
	choose_programs(records, filter->children);
	map = bpf_object__find_map_by_name(records->object, "records");
	if (!map || set_filter(records->object, filter))
		return say_error(-EPROTO, "%s is not the monitor of this pmadv: install them together",
				 path);
	buffer = ring_size(buffer);
	records->nap_ns = buffer < NAP_MOST_NS ? (int64_t)buffer : NAP_MOST_NS;
	err = bpf_map__set_max_entries(map, (uint32_t)buffer);
	if (!err)
		err = object_load(records->object);
	if (err)
		return say_failed("loading it", err);

	records->lost = variable_find(records->object, ".bss", "lost", &size);
	if (!records->lost || size != sizeof(*records->lost))
		return say_error(-EPROTO, "%s does not count lost records: install pmadv and its monitor.bpf.o together",
				 path);
	records->ring = ring_buffer__new(bpf_map__fd(map), record_take, &records->reader,
					 NULL);
	if (!records->ring)
		return say_failed("its ring buffer", -errno);
	err = attach_all(records);
	if (err)
		return say_attach_failed(records, err);
	policy_log_forget();
	err = filter->children ? family_begin(records->object, filter->target) : 0;
	if (err)
		return err;
	if (!records->hook)
		say_note("this kernel has no hook: what pmadv itself walks is seen, calls of other programs are not");
	return 0;
}

struct monitor *monitor_open(const struct monitor_filter *filter, uint64_t buffer,
			     const struct monitor_handler *handler, int *err)
{
	struct monitor *records = calloc(1, sizeof(*records));

	if (!records) {
		*err = say_no_memory();
		return NULL;
	}
	records->hook = hook_present();
	records->reader.handler = *handler;
	*err = open_monitor(records, filter, buffer ? buffer : MONITOR_BUFFER_DEFAULT);
	if (*err) {
		monitor_close(records);
		return NULL;
	}
	return records;
}

void monitor_close(struct monitor *records)
{
	if (!records)
		return;
	while (records->nr_links)
		bpf_link__destroy(records->links[--records->nr_links]);
	ring_buffer__free(records->ring);
	bpf_object__close(records->object);
	policy_log_forget();
	free(records);
}

int monitor_fd(const struct monitor *records)
{
	return ring_buffer__epoll_fd(records->ring);
}

int64_t monitor_nap(const struct monitor *records)
{
	return records->nap_ns;
}

int monitor_read(struct monitor *records)
{
	return ring_buffer__consume_n(records->ring, READ_MOST);
}

uint64_t monitor_lost(const struct monitor *records)
{
	return *records->lost;
}

void monitor_warn_lost(struct monitor *records)
{
	uint64_t lost = monitor_lost(records);

	if (lost == records->lost_said)
		return;
	say_warning("%" PRIu64 " records lost so far, %" PRIu64 " more than before: they found the buffer full; use a larger --buffer",
		    lost, lost - records->lost_said);
	records->lost_said = lost;
}

/* Records in the ring when we are stopped are read, but not for ever. */
static int drain(struct monitor *records)
{
	int ret = 1;

	for (int i = 0; i < 1024 && ret > 0; i++)
		ret = monitor_read(records);
	return ret < 0 ? ret : 0;
}

/* The time until the earlier of two deadlines, 0 being none; -1 means for ever. */
static int64_t until(uint64_t a, uint64_t b)
{
	uint64_t due = a && (!b || a < b) ? a : b;
	uint64_t now = now_ns();

	if (!due)
		return -1;
	return due > now ? (int64_t)(due - now) : 0;
}

static int tick(struct monitor *records)
{
	const struct monitor_handler *handler = &records->reader.handler;

	return handler->tick(handler->data, records);
}

int monitor_watch(struct monitor *records, uint64_t interval, uint64_t duration,
		  const bool *enough)
{
	struct pollfd ring = { .fd = monitor_fd(records), .events = POLLIN };
	uint64_t end = duration ? now_ns() + duration : 0;
	uint64_t due = interval ? now_ns() + interval : 0;
	int nr, ret = 0;

	while (!*enough && !stop_asked && !(end && now_ns() >= end)) {
		nr = monitor_read(records);
		if (nr < 0)
			return nr;
		monitor_warn_lost(records);

		if (due && now_ns() >= due) {
			due += interval;
			ret = tick(records);
			if (ret)
				return ret;
		}
		if (nr == READ_MOST || *enough)
			continue;

		if (nr > 0)
			ret = wait_fds(NULL, 0, records->nap_ns);
		else
			ret = wait_fds(&ring, 1, until(due, end));
		if (ret < 0 && ret != -EINTR)
			return say_error(ret, "waiting: %s", error_text(ret));
	}

	if (*enough)
		return 0;
	ret = drain(records);
	monitor_warn_lost(records);
	return ret || !interval ? ret : tick(records);
}

const char *record_clock(const struct pmadv_record *head, char buf[CLOCK_TEXT_LEN])
{
	struct timespec wall;
	uint64_t ns, age;
	struct tm tm;
	time_t seconds;

	clock_gettime(CLOCK_REALTIME, &wall);
	age = now_ns() - head->time_ns;
	ns = (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec - age;
	seconds = (time_t)(ns / 1000000000);
	if (!localtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	snprintf(buf, CLOCK_TEXT_LEN, "%02u:%02u:%02u.%03u",
		 (unsigned int)tm.tm_hour % 100, (unsigned int)tm.tm_min % 100,
		 (unsigned int)tm.tm_sec % 100,
		 (unsigned int)(ns / 1000000 % 1000));
	return buf;
}

struct json_object *range_json(const struct pmadv_range_record *record)
{
	struct json_object *line = json_line("range");
	char verdict[VERDICT_TEXT_LEN], vma[VMA_TEXT_LEN];

	json_number(line, "time_mono_ns", record->head.time_ns);
	json_number(line, "call_id", record->head.call_id);
	json_signed(line, "pid", record->head.tgid);
	json_text(line, "comm", record->head.comm);
	json_signed(line, "caller", record->head.caller);
	json_address(line, "start", record->start);
	json_address(line, "end", record->end);
	json_number(line, "bytes", record->end - record->start);
	json_text(line, "vma", vma_flags_text(record->vma_flags, vma));
	json_number(line, "vma_flags", record->vma_flags);
	json_text(line, "verdict", verdict_text(record->verdict, verdict));
	json_flag(line, "skip_young", record->modifiers & PMADV_SKIP_YOUNG);
	json_text(line, "outcome", outcome_text(record->outcome));
	json_text(line, "error",
		  record->error ? strerrorname_np((int)record->error) : NULL);
	json_flag(line, "dry_run", record->walk_flags & PMADV_DRY_RUN);
	json_stats(line, &record->stats);
	return line;
}
