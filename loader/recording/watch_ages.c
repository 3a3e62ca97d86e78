// SPDX-License-Identifier: GPL-2.0
#include "recording/watch_ages.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/text.h"
#include "recording/live_ages.h"
#include "walk/monitor.h"
#include "walk/target.h"

#define TICK_NS		1000000000ULL
#define BUFFER_SIZE	(8 << 20)

/* What walks show of a process, whoever makes them; @tgid is the key. */
struct watched {
	int32_t tgid;
	uint64_t calls;
	struct live_ages ages;
};

struct watching {
	const struct vec *targets;	/* struct target */
	struct vec list;		/* struct watched */
	size_t last;
	uint64_t start_ns;
	uint64_t duration;
	bool enough;
};

static int watch_range(void *data, const struct pmadv_range_record *record)
{
	struct watching *watching = data;
	struct watched *watched = vec_of_key(&watching->list, sizeof(*watched),
					     record->head.tgid, &watching->last);

	return watched && !live_ages_range(&watched->ages, record) ? 0 : say_no_memory();
}

static int watch_call(void *data, const struct pmadv_call_record *record)
{
	struct watching *watching = data;
	struct watched *watched = vec_of_key(&watching->list, sizeof(*watched),
					     record->head.tgid, &watching->last);

	if (!watched)
		return say_no_memory();
	if (!(record->walk_flags & PMADV_DRY_RUN))
		watched->calls++;
	live_ages_call(&watched->ages, record);
	return 0;
}

/* A pidfd can be read from once its process has exited. */
static bool has_exited(const struct target *target)
{
	struct pollfd fd = { .fd = target->pidfd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static int watch_tick(void *data, struct monitor *records)
{
	struct watching *watching = data;
	const struct target *target = watching->targets->items;
	char passed[HUMAN_LEN], all[HUMAN_LEN];
	size_t i = 0;

	(void)records;
	progress_line("watching walks: %s of %s",
		      human_time(now_ns() - watching->start_ns, passed),
		      human_time(watching->duration, all));
	while (i < watching->targets->nr && has_exited(&target[i]))
		i++;
	watching->enough = i == watching->targets->nr;
	return 0;
}

static int show_ages_head(const struct target *target, const struct watched *watched,
			  const struct live_sum *sum, uint64_t passed)
{
	char time[HUMAN_LEN], held[HUMAN_LEN], accessed[HUMAN_LEN];

	if (out_json()) {
		struct json_object *line = json_line("ages");

		json_signed(line, "pid", target->pid);
		json_text(line, "comm", target->name);
		json_number(line, "watched_ns", passed);
		json_number(line, "calls", watched->calls);
		json_number(line, "held", round_u64(sum->held));
		json_number(line, "accessed", round_u64(sum->accessed));
		return json_print(line);
	}
	out_text("\n%s (%d): in %s, %" PRIu64 " calls looked at %s, of which %s was accessed since the walk before\n",
		 target->name, target->pid, human_time(passed, time), watched->calls,
		 human_bytes(round_u64(sum->held), held),
		 human_bytes(round_u64(sum->accessed), accessed));
	return out_flush();
}

static int show_ages(struct watching *watching, const struct target *target)
{
	const struct watched *watched = vec_of_key(&watching->list, sizeof(*watched),
						   target->pid, &watching->last);
	uint64_t passed = now_ns() - watching->start_ns;
	struct age_histogram histogram;
	struct live_sum sum;
	int err;

	if (!watched)
		return say_no_memory();
	live_ages_sum(&watched->ages, 0, &sum);
	if (!(sum.held > 0))
		say_note("%s (%d): no walk looked at its pages meanwhile, so its ages are not known: 'pmadv run caller %d --advice cold', beside this, looks every ten seconds and gives up no page",
			 target->name, target->pid, target->pid);
	if (!(sum.held > 0) && !out_json())
		return 0;
	err = show_ages_head(target, watched, &sum, passed);
	if (err || !(sum.held > 0))
		return err;
	live_ages_histogram(&watched->ages, &histogram);
	return age_histogram_print(&histogram, out_json() ? ROWS_JSON : ROWS_TEXT);
}

static void free_watched(struct vec *list)
{
	struct watched *watched = list->items;

	for (size_t i = 0; i < list->nr; i++)
		live_ages_free(&watched[i].ages);
	vec_free(list);
}

int watch_ages(const struct vec *targets, uint64_t duration)
{
	struct watching watching = {
		.targets = targets, .start_ns = now_ns(), .duration = duration,
	};
	const struct target *target = targets->items;
	const struct monitor_filter filter = {
		.target = targets->nr == 1 ? target->pid : 0,
		.ranges = true,
		.calls = true,
	};
	const struct monitor_handler handler = {
		.range = watch_range,
		.call = watch_call,
		.tick = watch_tick,
		.data = &watching,
	};
	struct monitor *records;
	int err;

	records = monitor_open(&filter, BUFFER_SIZE, &handler, &err);
	if (!records)
		return err;
	err = monitor_watch(records, TICK_NS, duration, &watching.enough);
	progress_line("%s", "");
	for (size_t i = 0; i < targets->nr && !err; i++)
		err = show_ages(&watching, &target[i]);
	monitor_close(records);
	free_watched(&watching.list);
	return err;
}
