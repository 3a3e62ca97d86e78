/* SPDX-License-Identifier: GPL-2.0 */
/* The monitor: attach bpf/monitor.bpf.c, and read its ring buffer. */
#ifndef PMADV_RECORDS_H
#define PMADV_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>
#include <pmadv/monitor.h>

#define MONITOR_BUFFER_DEFAULT	(1 << 20)
#define MONITOR_BUFFER_MAX	(1U << 30)

/* Which records to deliver. */
struct monitor_filter {
	int32_t target;		/* 0: any */
	int32_t caller;		/* 0: any */
	bool children;		/* and all that the target starts, at any remove */
	bool ranges;
	bool calls;
};

struct monitor;

/* Called for each record; an error ends monitor_read() with it. */
struct monitor_handler {
	int (*range)(void *data, const struct pmadv_range_record *record);
	int (*call)(void *data, const struct pmadv_call_record *record);
	int (*tick)(void *data, struct monitor *records);	/* monitor_watch() */
	void *data;
};

/* A reader of records. */
struct record_reader {
	struct monitor_handler handler;
	char comm[PMADV_COMM_LEN];		/* of the last record, as received */
	char comm_clean[PMADV_COMM_LEN];	/* and as shown */
};

/*
 * Check the record @item of @size bytes, as read from the ring buffer, and hand
 * a copy of it to the handler of @reader. Returns 0 or an error, which is
 * reported.
 */
int record_take(void *reader, void *item, size_t size);

/*
 * Attach the monitor with a ring buffer of @buffer bytes, rounded up to a power
 * of two of at least a page. On failure returns NULL and sets *@err, which is
 * reported.
 */
struct monitor *monitor_open(const struct monitor_filter *filter, uint64_t buffer,
			     const struct monitor_handler *handler, int *err);
void monitor_close(struct monitor *records);

/* The file descriptor to poll for POLLIN. */
int monitor_fd(const struct monitor *records);
/* How long to let more records gather after some arrived, in nanoseconds. */
int64_t monitor_nap(const struct monitor *records);
/*
 * Hand over the records that are there. Returns how many, or an error, which is
 * reported.
 */
int monitor_read(struct monitor *records);
/* The number of records that found the ring buffer full since it was attached. */
uint64_t monitor_lost(const struct monitor *records);
/* Warn of records lost since the last call of this function. */
void monitor_warn_lost(struct monitor *records);

/*
 * Hand over records as they arrive, and call tick() every @interval nanoseconds
 * (0: never) and at the end. Ends at once when *@enough is set; ends after
 * reading the rest when we are asked to stop, or after @duration nanoseconds
 * (0: never). Warns of lost records. Returns 0 or an error, which is reported.
 */
int monitor_watch(struct monitor *records, uint64_t interval, uint64_t duration,
		  const bool *enough);

/* A range record as a JSON object; NULL if there is no memory. */
struct json_object *range_json(const struct pmadv_range_record *record);

/* The wall-clock time of a record, "HH:MM:SS.mmm". */
#define CLOCK_TEXT_LEN	16
const char *record_clock(const struct pmadv_record *head, char buf[CLOCK_TEXT_LEN]);

#endif /* PMADV_RECORDS_H */
