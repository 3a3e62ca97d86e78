// SPDX-License-Identifier: GPL-2.0
#include "lib/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/util.h"

struct json_object *json_line(const char *type)
{
	struct json_object *line = json_object_new_object();
	struct timespec now;
	char ts[40];

	if (!line)
		return NULL;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(ts, sizeof(ts), "%lld.%06ld", (long long)now.tv_sec,
		 now.tv_nsec / 1000);
	json_number(line, "schema", OUTPUT_SCHEMA);
	json_add(line, "ts", json_object_new_double_s((double)now.tv_sec +
						      (double)now.tv_nsec / 1e9, ts));
	json_text(line, "type", type);
	return line;
}

void json_add(struct json_object *to, const char *key, struct json_object *value)
{
	if (!to || json_object_object_add(to, key, value))
		json_object_put(value);
}

void json_text(struct json_object *to, const char *key, const char *value)
{
	json_add(to, key, value ? json_object_new_string(value) : NULL);
}

void json_number(struct json_object *to, const char *key, uint64_t value)
{
	json_add(to, key, json_object_new_uint64(value));
}

void json_signed(struct json_object *to, const char *key, int64_t value)
{
	json_add(to, key, json_object_new_int64(value));
}

void json_flag(struct json_object *to, const char *key, bool value)
{
	json_add(to, key, json_object_new_boolean(value));
}

void json_address(struct json_object *to, const char *key, uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_text(to, key, text);
}

void json_ranges(struct json_object *to, const struct pmadv_result *result)
{
	json_number(to, "ranges_seen", result->ranges_seen);
	json_number(to, "ranges_advised", result->ranges_advised);
	json_number(to, "ranges_skipped", result->ranges_skipped);
	json_number(to, "ranges_refused", result->ranges_refused);
	json_number(to, "ranges_failed", result->ranges_failed);
}

void json_stats(struct json_object *to, const struct pmadv_stats *stats)
{
	uint64_t page = page_size();

	json_number(to, "scanned", stats->scanned * page);
	json_number(to, "young", stats->young * page);
	json_number(to, "shared", stats->shared * page);
	json_number(to, "deactivated", stats->deactivated * page);
	json_number(to, "isolated", stats->isolated * page);
	json_number(to, "reclaimed", stats->reclaimed * page);
	json_number(to, "written_back", stats->written_back * page);
	json_number(to, "activated", stats->activated * page);
	json_number(to, "swapped", stats->swapped * page);
	json_number(to, "time_ns", stats->time_ns);
}
