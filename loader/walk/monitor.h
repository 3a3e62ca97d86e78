/* SPDX-License-Identifier: GPL-2.0 */
/* The monitor: bpf/monitor.bpf.c attached, and what comes out of its ring. */
#ifndef PMADV_RECORDS_H
#define PMADV_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>
#include <pmadv/monitor.h>

#define RECORDS_BUFFER_DEFAULT	(1 << 20)
#define RECORDS_BUFFER_MAX	(1U << 30)

/* Of whom and what. */
struct records_filter {
	int32_t target;		/* 0: any */
	int32_t caller;		/* 0: any */
	bool ranges;
	bool calls;
};

struct records;

/* Called for each record; an error ends records_read() with it. */
struct records_handler {
	int (*range)(void *data, const struct pmadv_range_record *record);
	int (*call)(void *data, const struct pmadv_call_record *record);
	int (*tick)(void *data, struct records *records);	/* records_watch() */
	void *data;
};

/* What takes records as they come. */
struct record_reader {
	struct records_handler handler;
	char comm[PMADV_COMM_LEN];		/* of the last record, as it came */
	char comm_clean[PMADV_COMM_LEN];	/* and as it is shown */
};

/*
 * Check the record @item of @size bytes, as the ring buffer has it, and
 * hand a copy of it to the handler of @reader. 0 or an error, said.
 */
int record_take(void *reader, void *item, size_t size);

/*
 * Attach the monitor with a ring buffer of @buffer bytes (made a power of two
 * of at least a page). NULL and *@err, said, if that fails.
 */
struct records *records_open(const struct records_filter *filter, uint64_t buffer,
			     const struct records_handler *handler, int *err);
void records_close(struct records *records);

/* To poll for POLLIN. */
int records_fd(const struct records *records);
/* Where records came, how long to let more of them gather, in nanoseconds. */
int64_t records_nap(const struct records *records);
/* Hand over what is there: how many records, or an error, said. */
int records_read(struct records *records);
/* Records that found the ring buffer full since it was attached. */
uint64_t records_lost(const struct records *records);
/* Warn of records lost since the last time this was asked. */
void records_warn_lost(struct records *records);

/*
 * Hand over records as they come, and call tick() every @interval nanoseconds (0:
 * never) and at the end. Ends with *@enough, at once, or with all that is there
 * when we are asked to stop and after @duration nanoseconds (0: never). Warns of
 * lost records. 0 or an error, said.
 */
int records_watch(struct records *records, uint64_t interval, uint64_t duration,
		  const bool *enough);

/* The range record as a JSON object; NULL if there is no memory. */
struct json_object *range_json(const struct pmadv_range_record *record);

/* Wall-clock time of a record, "HH:MM:SS.mmm". */
#define CLOCK_TEXT_LEN	16
const char *record_clock(const struct pmadv_record *head, char buf[CLOCK_TEXT_LEN]);

#endif /* PMADV_RECORDS_H */
