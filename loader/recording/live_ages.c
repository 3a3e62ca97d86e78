// SPDX-License-Identifier: GPL-2.0
#include "recording/live_ages.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Times that are told apart in a part. */
#define SLOTS	16

/* Addresses that the last walk dealt with as one range. */
struct live_part {
	uint64_t start;
	uint64_t end;
	uint64_t walked_ns;	/* the last look at its pages */
	uint64_t seen_ns;	/* the last record, if only of a skipped range */
	size_t nr;
	uint64_t times[SLOTS];	/* in order; the first: of those never seen accessed */
	double pages[SLOTS];	/* last accessed then */
};

static struct live_part *part_at(const struct live_ages *ages, size_t at)
{
	return (struct live_part *)ages->parts.items + at;
}

static struct live_part *insert_part(struct live_ages *ages, size_t at)
{
	struct live_part *part;

	if (!vec_add(&ages->parts, sizeof(*part)))
		return NULL;
	part = part_at(ages, at);
	memmove(part + 1, part, (ages->parts.nr - 1 - at) * sizeof(*part));
	memset(part, 0, sizeof(*part));
	return part;
}

static void scale(struct live_part *part, double factor)
{
	for (size_t i = 0; i < part->nr; i++)
		part->pages[i] *= factor;
}

/* Pages are spread evenly over a part. */
static int split_at(struct live_ages *ages, uint64_t address)
{
	size_t at = vec_find_end(&ages->parts, sizeof(struct live_part), address);
	struct live_part *part;
	double low;

	if (at == ages->parts.nr || part_at(ages, at)->start >= address)
		return 0;
	part = insert_part(ages, at);
	if (!part)
		return -ENOMEM;
	part[0] = part[1];
	part[0].end = address;
	low = (double)(address - part[1].start) / (double)(part[1].end - part[1].start);
	part[1].start = address;
	scale(&part[0], low);
	scale(&part[1], 1 - low);
	return 0;
}

static void remove_slot(struct live_part *part, size_t at)
{
	part->nr--;
	memmove(&part->times[at], &part->times[at + 1],
		(part->nr - at) * sizeof(*part->times));
	memmove(&part->pages[at], &part->pages[at + 1],
		(part->nr - at) * sizeof(*part->pages));
}

/*
 * Make room for another time. One becomes the next later one, so that idle times get
 * shorter, if anything: the one where that blurs least, for how long ago it is. So
 * there are many recent times and few old ones, each about twice as long ago as another.
 */
static void make_room(struct live_part *part, uint64_t now)
{
	double least = INFINITY;
	size_t which = 1;

	if (part->nr < SLOTS)
		return;
	for (size_t i = 1; i + 1 < part->nr; i++) {
		double blurred = (double)(part->times[i + 1] - part->times[i - 1]) /
				 ((double)(now - part->times[i + 1]) + 1);

		if (blurred < least) {
			least = blurred;
			which = i;
		}
	}
	part->pages[which + 1] += part->pages[which];
	remove_slot(part, which);
}

static void add_slot(struct live_part *part, uint64_t time_ns, double pages, uint64_t now)
{
	size_t at;

	make_room(part, now);
	for (at = part->nr; at && part->times[at - 1] > time_ns; at--) {
		part->times[at] = part->times[at - 1];
		part->pages[at] = part->pages[at - 1];
	}
	part->times[at] = time_ns;
	part->pages[at] = pages;
	part->nr++;
}

static void remove_parts(struct live_ages *ages, size_t at, size_t nr)
{
	struct live_part *part = part_at(ages, at);

	memmove(part, part + nr, (ages->parts.nr - at - nr) * sizeof(*part));
	ages->parts.nr -= nr;
}

/* The part that is exactly [@start, @end), with what was known of these addresses. */
static struct live_part *take_part(struct live_ages *ages, uint64_t start, uint64_t end,
				   uint64_t now)
{
	struct live_part *part, *other;
	size_t at, nr = 0;

	if (split_at(ages, start) || split_at(ages, end))
		return NULL;
	at = vec_find_end(&ages->parts, sizeof(struct live_part), start);
	while (at + nr < ages->parts.nr && part_at(ages, at + nr)->start < end)
		nr++;
	part = nr ? part_at(ages, at) : insert_part(ages, at);
	if (!part)
		return NULL;
	part->start = start;
	part->end = end;
	for (other = part + 1; nr > 1 && other < part + nr; other++)
		for (size_t i = 0; i < other->nr; i++)
			add_slot(part, other->times[i], other->pages[i], now);
	if (nr > 1)
		remove_parts(ages, at + 1, nr - 1);
	return part;
}

/* Nothing was looked at, but the mapping is there. */
static void note_seen(struct live_ages *ages, const struct pmadv_range_record *record)
{
	for (size_t i = vec_find_end(&ages->parts, sizeof(struct live_part), record->start);
	     i < ages->parts.nr && part_at(ages, i)->start < record->end; i++)
		part_at(ages, i)->seen_ns = record->head.time_ns;
}

int live_ages_range(struct live_ages *ages, const struct pmadv_range_record *record)
{
	double held = (double)(record->stats.scanned + record->stats.swapped);
	uint64_t now = record->head.time_ns;
	struct live_part *part;

	if (record->walk_flags & PMADV_DRY_RUN || record->start >= record->end)
		return 0;
	/* Of two callers, one may be a moment behind. */
	if (now < ages->last_ns)
		now = ages->last_ns;
	ages->last_ns = now;
	if (!(held > 0)) {
		note_seen(ages, record);
		return 0;
	}
	part = take_part(ages, record->start, record->end, now);
	if (!part)
		return -ENOMEM;
	if (!ages->first_ns)
		ages->first_ns = now;
	if (!part->nr)
		add_slot(part, now, 0, now);
	make_room(part, now);
	ages_walk(part->pages, part->nr, (double)record->stats.young, held);
	part->times[part->nr++] = now;
	part->walked_ns = now;
	part->seen_ns = now;
	return 0;
}

void live_ages_call(struct live_ages *ages, const struct pmadv_call_record *record)
{
	struct live_part *part = ages->parts.items;
	size_t kept = 0;

	if (!(record->walk_flags & PMADV_ENTIRE_ADDRESS_SPACE) ||
	    record->walk_flags & PMADV_DRY_RUN || record->result.stopped || record->ret < 0)
		return;
	for (size_t i = 0; i < ages->parts.nr; i++)
		if (part[i].seen_ns > ages->whole_ns)
			part[kept++] = part[i];
	ages->parts.nr = kept;
	ages->whole_ns = record->head.time_ns;
}

void live_ages_free(struct live_ages *ages)
{
	vec_free(&ages->parts);
}

/* How long what is in a slot was idle. */
static uint64_t slot_idle(const struct live_ages *ages, const struct live_part *part,
			  size_t slot)
{
	return ages->last_ns - part->times[slot];
}

void live_ages_sum(const struct live_ages *ages, uint64_t idle_ns, struct live_sum *sum)
{
	const struct live_part *part = ages->parts.items;
	double held = 0, accessed = 0, idle = 0, page = (double)page_size();

	for (size_t i = 0; i < ages->parts.nr; i++) {
		for (size_t slot = 0; slot < part[i].nr; slot++) {
			double pages = part[i].pages[slot];

			held += pages;
			if (slot && part[i].times[slot] == part[i].walked_ns)
				accessed += pages;
			if (slot_idle(ages, &part[i], slot) >= idle_ns)
				idle += pages;
		}
	}
	*sum = (struct live_sum) {
		.held = held * page, .accessed = accessed * page, .idle = idle * page,
	};
}

void live_ages_histogram(const struct live_ages *ages, struct age_histogram *histogram)
{
	const struct live_part *part = ages->parts.items;

	*histogram = (struct age_histogram) {
		.longest_ns = ages->first_ns ? ages->last_ns - ages->first_ns : 0,
	};
	for (size_t i = 0; i < ages->parts.nr; i++)
		for (size_t slot = 0; slot < part[i].nr; slot++)
			age_histogram_add(histogram, slot_idle(ages, &part[i], slot),
					  part[i].pages[slot] * (double)page_size());
}

void live_bar(const struct live_sum *sum, size_t width, char *bar)
{
	size_t hot = 0, warm = 0;

	if (!(sum->held > 0))
		width = 0;
	if (width) {
		hot = (size_t)round_u64(sum->accessed / sum->held * (double)width);
		warm = (size_t)round_u64(fmax(sum->held - sum->idle, 0) / sum->held *
					 (double)width);
	}
	for (size_t i = 0; i < width; i++)
		bar[i] = i < hot ? '#' : i < warm ? '+' : '.';
	bar[width] = '\0';
}
