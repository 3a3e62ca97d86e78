/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON lines. Each is an object with "schema" (the version of the format, 1), "ts"
 * (seconds since 1970) and "type"; the rest depends on the type. Sizes are
 * bytes, times nanoseconds, addresses strings in hexadecimal.
 */
#ifndef PMADV_JSON_H
#define PMADV_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>
#include <linux/process_madvise.h>

#define OUTPUT_SCHEMA	1

/* How json_object_to_json_string_ext() is to print it. */
#define JSON_STYLE	(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* Build a JSON line; json_print() prints it. The members may be added with a NULL object. */
struct json_object *json_line(const char *type);
void json_add(struct json_object *to, const char *key, struct json_object *value);
void json_text(struct json_object *to, const char *key, const char *value);
void json_number(struct json_object *to, const char *key, uint64_t value);
void json_signed(struct json_object *to, const char *key, int64_t value);
void json_flag(struct json_object *to, const char *key, bool value);
void json_address(struct json_object *to, const char *key, uint64_t value);
void json_ranges(struct json_object *to, const struct pmadv_result *result);
void json_stats(struct json_object *to, const struct pmadv_stats *stats);

#endif /* PMADV_JSON_H */
