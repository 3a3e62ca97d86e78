// SPDX-License-Identifier: GPL-2.0
#include "policy/knobs.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bpf/btf.h>
#include <pmadv/hook.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/text.h"
#include "lib/util.h"

#define TYPE_LEN	64
#define VALUE_LEN	256

/* A place in a knob: the whole knob, an element, or a member. */
struct place {
	const struct btf *btf;
	const char *name;	/* of the knob or of the member in it */
	uint32_t type;
	void *data;
};

static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	int resolved = btf__resolve_type(btf, id);

	return resolved < 0 ? NULL : btf__type_by_id(btf, (uint32_t)resolved);
}

/* Is it `const volatile`? For an array, the elements have the modifiers. */
static bool is_volatile(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type) {
		if (btf_is_volatile(type))
			return true;
		if (btf_is_array(type))
			id = btf_array(type)->type;
		else if (btf_is_mod(type) || btf_is_typedef(type))
			id = type->type;
		else
			return false;
		type = btf__type_by_id(btf, id);
	}
	return false;
}

/* No variable is nearly as large; in a damaged object one may be. */
#define MOST_PARTS	4096

static bool is_sound_part(const struct btf *btf, uint32_t id, size_t room,
			  unsigned int *parts);

static bool are_sound_members(const struct btf *btf, const struct btf_type *type,
			      size_t room, unsigned int *parts)
{
	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		size_t offset = btf_member_bit_offset(type, i) / 8;

		if (offset > room || !is_sound_part(btf, btf_members(type)[i].type,
						    room - offset, parts))
			return false;
	}
	return true;
}

static bool is_sound_part(const struct btf *btf, uint32_t id, size_t room,
			  unsigned int *parts)
{
	const struct btf_type *type = resolve(btf, id);
	ssize_t size = btf__resolve_size(btf, id);

	if (!type || size < 0 || (size_t)size > room || ++*parts > MOST_PARTS)
		return false;
	if (btf_is_array(type))
		return is_sound_part(btf, btf_array(type)->type, room, parts);
	if (btf_is_composite(type))
		return are_sound_members(btf, type, (size_t)size, parts);
	if (btf_is_int(type))
		return size == 1 || size == 2 || size == 4 || size == 8 || size == 16;
	if (btf_is_any_enum(type))
		return size == 1 || size == 2 || size == 4 || size == 8;
	return true;
}

/*
 * libbpf checks that the types that a type refers to exist, but not that its
 * parts lie inside it. Does it, with all its parts, fit into @room bytes?
 */
static bool is_sound(const struct btf *btf, uint32_t id, size_t room)
{
	unsigned int parts = 0;

	return is_sound_part(btf, id, room, &parts);
}

/* Iterate over the variables of the sections whose names begin with @section. */
struct variables {
	struct bpf_object *object;
	const char *section;
	struct bpf_map *map;
	const struct btf_type *datasec;
	unsigned int index;
};

static const struct btf_type *section_of(const struct btf *btf, struct bpf_map *map,
					 const char *section)
{
	const struct btf_type *type;
	const char *name;

	if (!bpf_map__is_internal(map) || !bpf_map__btf_value_type_id(map))
		return NULL;
	type = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	if (!type || !btf_is_datasec(type))
		return NULL;
	name = btf__name_by_offset(btf, type->name_off);
	return !strncmp(name, section, strlen(section)) ? type : NULL;
}

static bool next_variable(struct variables *at, struct place *place)
{
	const struct btf *btf = bpf_object__btf(at->object);
	const struct btf_var_secinfo *info;
	const struct btf_type *variable;
	size_t size = 0;
	char *data;

	do {
		while (!at->datasec || at->index >= btf_vlen(at->datasec)) {
			at->map = bpf_object__next_map(at->object, at->map);
			if (!at->map)
				return false;
			at->datasec = section_of(btf, at->map, at->section);
			at->index = 0;
		}

		data = bpf_map__initial_value(at->map, &size);
		info = &btf_var_secinfos(at->datasec)[at->index++];
		variable = btf__type_by_id(btf, info->type);
	} while (!data || info->offset > size || !btf_is_var(variable) ||
		 !is_sound(btf, variable->type, size - info->offset));

	place->btf = btf;
	place->name = btf__name_by_offset(btf, variable->name_off);
	place->type = variable->type;
	place->data = data + info->offset;
	return true;
}

static bool next_knob(struct variables *at, struct place *place)
{
	while (next_variable(at, place))
		if (is_volatile(place->btf, place->type))
			return true;
	return false;
}

static int find_knob(struct bpf_object *object, const char *name, size_t length,
		     struct place *place)
{
	struct variables at = { .object = object, .section = ".rodata" };

	while (next_knob(&at, place))
		if (strlen(place->name) == length && !strncmp(place->name, name, length))
			return 0;
	return -ENOENT;
}

void *variable_find(struct bpf_object *object, const char *section,
		    const char *name, size_t *size)
{
	struct variables at = { .object = object, .section = section };
	struct place place;

	while (next_variable(&at, &place)) {
		if (strcmp(place.name, name))
			continue;
		*size = (size_t)btf__resolve_size(place.btf, place.type);
		return place.data;
	}
	return NULL;
}

static bool is_string(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_type *element;

	if (!btf_is_array(type))
		return false;
	element = resolve(btf, btf_array(type)->type);
	return element && btf_is_int(element) && element->size == 1 &&
	       (btf_int_encoding(element) & BTF_INT_CHAR ||
		!strcmp(btf__name_by_offset(btf, element->name_off), "char"));
}

static void type_text(const struct btf *btf, uint32_t id, char buf[TYPE_LEN])
{
	const struct btf_type *type = resolve(btf, id);
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : "?";
	char element[TYPE_LEN];

	if (!type) {
		snprintf(buf, TYPE_LEN, "?");
	} else if (is_string(btf, type)) {
		snprintf(buf, TYPE_LEN, "string of up to %u", btf_array(type)->nelems - 1);
	} else if (btf_is_array(type)) {
		type_text(btf, btf_array(type)->type, element);
		snprintf(buf, TYPE_LEN, "%.40s[%u]", element, btf_array(type)->nelems);
	} else if (btf_is_int(type) && btf_int_encoding(type) & BTF_INT_BOOL) {
		snprintf(buf, TYPE_LEN, "bool");
	} else if (btf_is_int(type)) {
		snprintf(buf, TYPE_LEN, "%c%u",
			 btf_int_encoding(type) & BTF_INT_SIGNED ? 's' : 'u',
			 type->size * 8);
	} else if (btf_is_any_enum(type)) {
		snprintf(buf, TYPE_LEN, "enum %s", name);
	} else if (btf_is_composite(type)) {
		snprintf(buf, TYPE_LEN, "struct %s", name);
	} else {
		snprintf(buf, TYPE_LEN, "no type that can be set");
	}
}

static int64_t read_integer(const struct btf_type *type, const void *data)
{
	bool is_signed = btf_is_int(type) ? btf_int_encoding(type) & BTF_INT_SIGNED :
					    btf_kflag(type);
	uint64_t value = 0;
	unsigned int unused;

	/* Little endian, like all machines this is built for. */
	memcpy(&value, data, type->size < 8 ? type->size : 8);
	unused = 64 - type->size * 8;
	if (type->size >= 8 || !is_signed)
		return (int64_t)value;
	return (int64_t)(value << unused) >> unused;
}

static const char *enum_name(const struct btf *btf, const struct btf_type *type,
			     int64_t value)
{
	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		if (btf_is_enum(type) && btf_enum(type)[i].val == (int32_t)value)
			return btf__name_by_offset(btf, btf_enum(type)[i].name_off);
		if (btf_is_enum64(type) &&
		    btf_enum64_value(&btf_enum64(type)[i]) == (uint64_t)value)
			return btf__name_by_offset(btf, btf_enum64(type)[i].name_off);
	}
	return NULL;
}

static bool all_zero(const void *data, size_t size)
{
	const char *byte = data;

	return !size || (!*byte && !memcmp(byte, byte + 1, size - 1));
}

/* As the user would type it; structures and arrays without trailing zeroes. */
static size_t value_text(const struct btf *btf, uint32_t id, const void *data,
			 char *buf, size_t room)
{
	const struct btf_type *type = resolve(btf, id);
	size_t length = 0;
	const char *name;

	if (!room || !type)
		return 0;
	buf[0] = '\0';

#define ADD(...) do {							\
		if (length < room)					\
			length += (size_t)snprintf(buf + length, room - length, \
						   __VA_ARGS__);	\
	} while (0)
	if (is_string(btf, type)) {
		ADD("\"%.*s\"", (int)btf_array(type)->nelems, (const char *)data);
	} else if (btf_is_array(type)) {
		ssize_t size = btf__resolve_size(btf, btf_array(type)->type);
		uint32_t used = btf_array(type)->nelems;

		while (used && all_zero((const char *)data + (used - 1) * (size_t)size,
					(size_t)size))
			used--;
		ADD("{");
		for (uint32_t i = 0; i < used && length < room; i++) {
			ADD(i ? ", " : "");
			if (length < room)
				length += value_text(btf, btf_array(type)->type,
						     (const char *)data + i * (size_t)size,
						     buf + length, room - length);
		}
		ADD("}");
	} else if (btf_is_composite(type)) {
		ADD("{");
		for (unsigned int i = 0; i < btf_vlen(type) && length < room; i++) {
			const struct btf_member *member = &btf_members(type)[i];

			ADD("%s%s=", i ? ", " : "",
			    btf__name_by_offset(btf, member->name_off));
			if (length < room)
				length += value_text(btf, member->type,
						     (const char *)data +
						     btf_member_bit_offset(type, i) / 8,
						     buf + length, room - length);
		}
		ADD("}");
	} else if (btf_is_any_enum(type)) {
		name = enum_name(btf, type, read_integer(type, data));
		if (name)
			ADD("%s", name);
		else
			ADD("%" PRId64, read_integer(type, data));
	} else if (btf_is_int(type) && btf_int_encoding(type) & BTF_INT_BOOL) {
		ADD("%s", read_integer(type, data) ? "true" : "false");
	} else if (btf_is_int(type) && btf_int_encoding(type) & BTF_INT_SIGNED) {
		ADD("%" PRId64, read_integer(type, data));
	} else if (btf_is_int(type)) {
		ADD("%" PRIu64, (uint64_t)read_integer(type, data));
	}
#undef ADD
	if (length >= room) {
		/* Truncate, and show it. */
		length = room - 1;
		if (room > 4)
			memcpy(buf + room - 4, "...", 4);
	}
	return length;
}

int knobs_print(struct bpf_object *object)
{
	static const char *const columns[] = { "KNOB", "TYPE", "VALUE", NULL };
	struct variables at = { .object = object, .section = ".rodata" };
	struct libscols_table *table;
	struct place place;
	int nr = 0;
	int err = 0;

	table = table_new(columns);
	if (!table)
		return say_no_memory();

	while (!err && next_knob(&at, &place)) {
		char type[TYPE_LEN], value[VALUE_LEN];

		type_text(place.btf, place.type, type);
		value_text(place.btf, place.type, place.data, value, sizeof(value));
		nr++;
		if (out_json()) {
			struct json_object *line = json_line("knob");

			json_text(line, "knob", place.name);
			json_text(line, "value_type", type);
			json_text(line, "value", value);
			err = json_print(line);
		} else {
			err = table_row(table, place.name, type, value);
		}
	}
	if (!err && nr && !out_json())
		err = table_print(table);

	scols_unref_table(table);
	return err ? err : nr;
}

static int say_unknown_knob(struct bpf_object *object, const char *name, int length)
{
	struct variables at = { .object = object, .section = ".rodata" };
	char *list = NULL, *longer;
	struct place place;

	while (next_knob(&at, &place)) {
		char type[TYPE_LEN], value[VALUE_LEN];

		type_text(place.btf, place.type, type);
		value_text(place.btf, place.type, place.data, value, sizeof(value));
		longer = format_string("%s\n  %s = %s  (%s)", list ? list : "",
				       place.name, value, type);
		free(list);
		list = longer;
		if (!list)
			return say_no_memory();
	}

	if (list)
		say_error(-EUSAGE, "the policy has no knob '%.*s'; it has:%s", length,
			  name, list);
	else
		say_error(-EUSAGE, "the policy has no knob '%.*s', nor any other", length,
			  name);
	free(list);
	return -EUSAGE;
}

static int say_bad_value(const struct place *place, const char *value,
			 const char *expected)
{
	return say_error(-EUSAGE, "knob %s: '%s' is not %s", place->name, value,
			 expected);
}

static void integer_limits(const struct btf_type *type, bool is_signed,
			   int64_t *min, uint64_t *max)
{
	unsigned int bits = type->size * 8;

	if (is_signed) {
		*max = (1ULL << (bits - 1)) - 1;
		*min = -(int64_t)*max - 1;
	} else {
		*min = 0;
		*max = bits == 64 ? UINT64_MAX : (1ULL << bits) - 1;
	}
}

/* Does the number mean advice? All known policies use this name for it. */
static bool means_advice(const char *name)
{
	size_t length = strlen(name);

	return (length >= 6 && !strcmp(name + length - 6, "advice")) ||
	       (length >= 7 && !strcmp(name + length - 7, "verdict"));
}

static int set_integer(const struct place *place, const struct btf_type *type,
		       bool is_signed, const char *text)
{
	char expected[128];
	uint64_t max, number;
	int64_t min, value;
	int verdict;
	int err;

	integer_limits(type, is_signed, &min, &max);
	if (means_advice(place->name) && !verdict_parse(text, &verdict)) {
		value = verdict;
		if (value < min || (value > 0 && (uint64_t)value > max))
			err = -ERANGE;
		else
			err = 0;
	} else if (*text == '-') {
		err = parse_s64(text, 0, &value);
		if (!err && value < min)
			err = -ERANGE;
	} else {
		err = parse_size(text, &number);
		value = (int64_t)number;
		if (!err && number > max)
			err = -ERANGE;
	}

	if (err == -ERANGE)
		snprintf(expected, sizeof(expected), "in range: %" PRId64 " to %" PRIu64,
			 min, max);
	else if (means_advice(place->name))
		snprintf(expected, sizeof(expected),
			 "one of " ADVICE_NAMES ", skip, caller, stop, or a number");
	else
		snprintf(expected, sizeof(expected), "a number");
	if (err)
		return say_bad_value(place, text, expected);

	memcpy(place->data, &value, type->size);
	return 0;
}

static int set_bool(const struct place *place, const char *text)
{
	static const char *const yes[] = { "1", "true", "yes", "on", "y" };
	static const char *const no[] = { "0", "false", "no", "off", "n" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcasecmp(text, yes[i])) {
			*(uint8_t *)place->data = 1;
			return 0;
		}
		if (!strcasecmp(text, no[i])) {
			*(uint8_t *)place->data = 0;
			return 0;
		}
	}
	return say_bad_value(place, text, "a bool: true or false");
}

static int set_enum(const struct place *place, const struct btf_type *type,
		    const char *text)
{
	char expected[256] = "one of";
	size_t length = strlen(expected);

	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		uint32_t name_off = btf_is_enum(type) ? btf_enum(type)[i].name_off :
							btf_enum64(type)[i].name_off;
		const char *name = btf__name_by_offset(place->btf, name_off);
		int64_t value = btf_is_enum(type) ? btf_enum(type)[i].val :
			(int64_t)btf_enum64_value(&btf_enum64(type)[i]);

		if (!strcasecmp(name, text)) {
			memcpy(place->data, &value, type->size);
			return 0;
		}
		if (length < sizeof(expected))
			length += (size_t)snprintf(expected + length,
						   sizeof(expected) - length, "%s %s",
						   i ? "," : "", name);
	}
	if (isdigit((unsigned char)*text) || *text == '-')
		return set_integer(place, type, btf_kflag(type), text);
	return say_bad_value(place, text, expected);
}

static int set_string(const struct place *place, const struct btf_type *type,
		      const char *text)
{
	size_t room = btf_array(type)->nelems;

	if (strlen(text) >= room)
		return say_error(-EUSAGE, "knob %s: '%s' is too long: at most %zu characters fit",
				 place->name, text, room - 1);
	memset(place->data, 0, room);
	memcpy(place->data, text, strlen(text));
	return 0;
}

static int set_value(const struct place *place, const char *text);

static struct place element_of(const struct place *array,
			       const struct btf_type *type, uint32_t index)
{
	struct place element = *array;

	element.type = btf_array(type)->type;
	element.data = (char *)array->data +
		       index * (size_t)btf__resolve_size(array->btf, element.type);
	return element;
}

static int set_list(const struct place *place, const struct btf_type *type,
		    const char *text)
{
	char *list = strdup(text), *rest = list, *item;
	uint32_t index = 0;
	int err = 0;

	if (!list)
		return say_no_memory();

	while (!err && (item = strsep(&rest, ","))) {
		struct place element;

		if (index == btf_array(type)->nelems) {
			err = say_error(-EUSAGE, "knob %s: more than its %u values",
					place->name, index);
			break;
		}
		element = element_of(place, type, index++);
		err = set_value(&element, item);
	}
	if (!err && index < btf_array(type)->nelems) {
		struct place first_unset = element_of(place, type, index);
		ssize_t size = btf__resolve_size(place->btf, place->type);

		memset(first_unset.data, 0,
		       (size_t)((char *)place->data + size - (char *)first_unset.data));
	}

	free(list);
	return err;
}

static bool settable_array(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_type *element;

	if (!btf_is_array(type))
		return false;
	element = resolve(btf, btf_array(type)->type);
	return element && !btf_is_composite(element);
}

static int set_value(const struct place *place, const char *text)
{
	const struct btf_type *type = resolve(place->btf, place->type);
	char name[TYPE_LEN];

	if (type && is_string(place->btf, type))
		return set_string(place, type, text);
	if (type && settable_array(place->btf, type))
		return set_list(place, type, text);
	if (type && btf_is_any_enum(type))
		return set_enum(place, type, text);
	if (type && btf_is_int(type) && btf_int_encoding(type) & BTF_INT_BOOL)
		return set_bool(place, text);
	if (type && btf_is_int(type) && type->size <= 8)
		return set_integer(place, type, btf_int_encoding(type) & BTF_INT_SIGNED,
				   text);

	type_text(place->btf, place->type, name);
	return say_error(-EUSAGE, "knob %s is a %s: set its parts, like %s%s.MEMBER=VALUE, or append with %s+=",
			 place->name, name, place->name,
			 type && btf_is_array(type) ? "[0]" : "", place->name);
}

static int find_member(struct place *place, const char *name, size_t length)
{
	const struct btf_type *type = resolve(place->btf, place->type);
	char text[TYPE_LEN];

	type_text(place->btf, place->type, text);
	if (!type || !btf_is_composite(type))
		return say_error(-EUSAGE, "knob %s is a %s: it has no members",
				 place->name, text);

	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *member_name = btf__name_by_offset(place->btf, member->name_off);

		if (strlen(member_name) != length || strncmp(member_name, name, length))
			continue;
		if (btf_member_bitfield_size(type, i))
			return say_error(-EUSAGE, "knob %s: the bit field '%s' cannot be set",
					 place->name, member_name);
		place->data = (char *)place->data + btf_member_bit_offset(type, i) / 8;
		place->type = member->type;
		place->name = member_name;
		return 0;
	}
	return say_error(-EUSAGE, "knob %s: %s has no member '%.*s'", place->name, text,
			 (int)length, name);
}

static int find_element(struct place *place, const char *text, size_t length)
{
	const struct btf_type *type = resolve(place->btf, place->type);
	char number[24] = "";
	uint64_t index;

	if (!type || !btf_is_array(type))
		return say_error(-EUSAGE, "knob %s is not an array", place->name);
	if (length < sizeof(number))
		memcpy(number, text, length);
	if (parse_u64(number, 0, &index) || index >= btf_array(type)->nelems)
		return say_error(-EUSAGE, "knob %s: there is no element [%.*s]: 0 to %u",
				 place->name, (int)length, text,
				 btf_array(type)->nelems - 1);

	*place = element_of(place, type, (uint32_t)index);
	return 0;
}

/* Follow ".MEMBER" and "[INDEX]" from the knob to the part that they name. */
static int find_part(struct place *place, const char *path, const char *end)
{
	int err = 0;

	while (!err && path < end) {
		size_t length;

		if (*path == '.') {
			length = strcspn(path + 1, ".[=+");
			err = find_member(place, path + 1, length);
			path += 1 + length;
		} else if (*path == '[') {
			length = strcspn(path + 1, "]=");
			if (path[1 + length] != ']')
				return say_error(-EUSAGE, "knob %s: a ']' is missing",
						 place->name);
			err = find_element(place, path + 1, length);
			path += 1 + length + 1;
		} else {
			return say_error(-EUSAGE, "knob %s: cannot make sense of '%.*s'",
					 place->name, (int)(end - path), path);
		}
	}
	return err;
}

/* Is member @index of the structure @id described as @tag, see <pmadv/knobs.h>? */
static bool has_tag(const struct btf *btf, uint32_t id, unsigned int index,
		    const char *tag)
{
	for (uint32_t i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *type = btf__type_by_id(btf, i);

		if (btf_is_decl_tag(type) && type->type == id &&
		    btf_decl_tag(type)->component_idx == (int)index &&
		    !strcmp(btf__name_by_offset(btf, type->name_off), tag))
			return true;
	}
	return false;
}

/* The parts of a structure that STRING=NUMBER fills. */
struct pair {
	struct place string;
	struct place number;
	struct place facts;	/* of a mapping that the string names; or none */
	bool names_mapping;
};

static bool find_pair(const struct place *place, struct pair *pair)
{
	int id = btf__resolve_type(place->btf, place->type);
	const struct btf_type *type = resolve(place->btf, place->type);

	memset(pair, 0, sizeof(*pair));
	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const struct btf_type *inner = resolve(place->btf, member->type);
		const struct place part = {
			.btf = place->btf,
			.name = btf__name_by_offset(place->btf, member->name_off),
			.type = member->type,
			.data = (char *)place->data + btf_member_bit_offset(type, i) / 8,
		};

		if (!inner || btf_member_bitfield_size(type, i))
			continue;
		if (is_string(place->btf, inner)) {
			bool named = has_tag(place->btf, (uint32_t)id, i, "pmadv:vma_name");

			if (!pair->string.btf || (named && !pair->names_mapping))
				pair->string = part;
			pair->names_mapping |= named;
		} else if (btf_is_int(inner) && inner->size == sizeof(uint32_t) &&
			   has_tag(place->btf, (uint32_t)id, i, "pmadv:vma_facts")) {
			pair->facts = part;
		} else if (!pair->number.btf &&
			   (btf_is_int(inner) || btf_is_any_enum(inner))) {
			pair->number = part;
		}
	}
	return pair->string.btf && pair->number.btf;
}

/*
 * The name of a mapping, as /proc/PID/maps shows it: only "[anon:NAME]" is about
 * anonymous memory, and only "file:NAME" about files.
 */
static int set_vma_name(const struct pair *pair, char *text)
{
	size_t length = strlen(text);
	uint32_t facts = 0;

	if (pair->facts.btf && !strncmp(text, "[anon:", 6) && text[length - 1] == ']') {
		text[length - 1] = '\0';
		text += 6;
		facts = PMADV_VMA_NAMED;
	} else if (pair->facts.btf && !strncmp(text, "file:", 5)) {
		text += 5;
		facts = PMADV_VMA_FILE;
	}
	if (strchr(text, '/') && facts != PMADV_VMA_NAMED)
		return say_error(-EUSAGE, "knob %s: '%s': only the last part of a file's path is compared: leave out the rest",
				 pair->string.name, text);

	if (pair->facts.btf)
		memcpy(pair->facts.data, &facts, sizeof(facts));
	return set_value(&pair->string, text);
}

static int set_struct_pair(const struct place *place, const char *text)
{
	struct pair pair;
	char *copy, *equals;
	int err;

	if (!find_pair(place, &pair))
		return say_error(-EUSAGE, "knob %s: its elements are no pairs of a string and a number: set them like %s[0].MEMBER=VALUE",
				 place->name, place->name);

	copy = strdup(text);
	if (!copy)
		return say_no_memory();
	/* The last one: a pattern may contain '=', a number does not. */
	equals = strrchr(copy, '=');
	if (!equals || equals == copy) {
		err = say_error(-EUSAGE, "knob %s: '%s' should be %s=%s", place->name, text,
				pair.string.name, pair.number.name);
	} else {
		*equals = '\0';
		err = set_value(&pair.number, equals + 1);
		if (!err && pair.names_mapping)
			err = set_vma_name(&pair, copy);
		else if (!err)
			err = set_value(&pair.string, copy);
	}

	free(copy);
	return err;
}

/* The knob that counts the used elements of an array, if the policy has it. */
static bool find_counter(struct bpf_object *object, const char *array,
			 struct place *counter)
{
	const struct btf_type *type;
	char name[128];

	snprintf(name, sizeof(name), "nr_%s", array);
	if (find_knob(object, name, strlen(name), counter))
		return false;
	type = resolve(counter->btf, counter->type);
	return type && btf_is_int(type) && type->size <= 8;
}

static int append(struct bpf_object *object, const struct place *array,
		  const char *text)
{
	const struct btf_type *type = resolve(array->btf, array->type);
	const struct btf_type *element_type = NULL;
	struct place counter, element;
	uint64_t index = 0;
	bool has_counter;
	int err;

	if (type && btf_is_array(type) && !is_string(array->btf, type))
		element_type = resolve(array->btf, btf_array(type)->type);
	if (!element_type)
		return say_error(-EUSAGE, "knob %s is not a table: set it with %s=VALUE",
				 array->name, array->name);

	has_counter = find_counter(object, array->name, &counter);
	if (has_counter) {
		index = (uint64_t)read_integer(resolve(counter.btf, counter.type),
					       counter.data);
	} else {
		ssize_t size = btf__resolve_size(array->btf, btf_array(type)->type);

		while (index < btf_array(type)->nelems &&
		       !all_zero((char *)array->data + index * (size_t)size, (size_t)size))
			index++;
	}
	if (index >= btf_array(type)->nelems)
		return say_error(-EUSAGE, "knob %s is full: it has room for %u", array->name,
				 btf_array(type)->nelems);

	element = element_of(array, type, (uint32_t)index);
	if (btf_is_composite(element_type))
		err = set_struct_pair(&element, text);
	else
		err = set_value(&element, text);
	if (err || !has_counter)
		return err;

	index++;
	memcpy(counter.data, &index, resolve(counter.btf, counter.type)->size);
	return 0;
}

/* NAME=VALUE for a table of structures: empty the table first. */
static bool is_table(const struct place *place)
{
	const struct btf_type *type = resolve(place->btf, place->type);

	return type && btf_is_array(type) && !is_string(place->btf, type) &&
	       !settable_array(place->btf, type);
}

static void empty_table(struct bpf_object *object, const struct place *table)
{
	ssize_t size = btf__resolve_size(table->btf, table->type);
	struct place counter;

	memset(table->data, 0, (size_t)size);
	if (find_counter(object, table->name, &counter))
		memset(counter.data, 0, resolve(counter.btf, counter.type)->size);
}

int knob_set(struct bpf_object *object, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	size_t name_length = strcspn(assignment, ".[+=");
	bool appends = equals && equals > assignment && equals[-1] == '+';
	struct place place;
	int err;

	if (!equals || !name_length)
		return say_error(-EUSAGE, "--set '%s': it must be NAME=VALUE", assignment);
	if (find_knob(object, assignment, name_length, &place))
		return say_unknown_knob(object, assignment, (int)name_length);

	err = find_part(&place, assignment + name_length, equals - appends);
	if (err)
		return err;
	if (!appends && is_table(&place)) {
		empty_table(object, &place);
		appends = true;
	}
	return appends ? append(object, &place, equals + 1) :
			 set_value(&place, equals + 1);
}

int knob_set_number(struct bpf_object *object, const char *name, uint64_t value)
{
	const struct btf_type *type;
	struct place place;

	if (find_knob(object, name, strlen(name), &place))
		return -ENOENT;
	type = resolve(place.btf, place.type);
	if (!type || !btf_is_int(type) || type->size > 8)
		return -EINVAL;
	memcpy(place.data, &value, type->size);
	return 0;
}
