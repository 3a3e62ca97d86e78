// SPDX-License-Identifier: GPL-2.0
#include "lib/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* Base 0 is decimal or, with 0x, hexadecimal: nobody means octal. */
static int real_base(const char *text, int base)
{
	if (base)
		return base;
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
}

/* No sign and no white space, which strtoull() would skip. */
static bool digits_follow(const char *text, int base)
{
	if (base == 10)
		return isdigit((unsigned char)*text);
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	return isxdigit((unsigned char)*text);
}

/* Parse the digits at the start of @text; *@rest is set to what follows them. */
static int parse_digits(const char *text, int base, uint64_t *value,
			const char **rest)
{
	unsigned long long number;
	char *end;

	base = real_base(text, base);
	if (!digits_follow(text, base))
		return -EINVAL;

	errno = 0;
	number = strtoull(text, &end, base);
	if (errno)
		return -errno;

	*value = number;
	*rest = end;
	return 0;
}

int parse_u64(const char *text, int base, uint64_t *value)
{
	const char *rest;
	uint64_t number;
	int err;

	err = parse_digits(text, base, &number, &rest);
	if (err)
		return err;
	if (*rest)
		return -EINVAL;

	*value = number;
	return 0;
}

int parse_s64(const char *text, int base, int64_t *value)
{
	bool negative = *text == '-';
	uint64_t number;
	int err;

	err = parse_u64(text + negative, base, &number);
	if (err)
		return err;
	if (number > (uint64_t)INT64_MAX + negative)
		return -ERANGE;

	*value = negative ? (int64_t)-number : (int64_t)number;
	return 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *rest, *unit;
	unsigned int shift = 0;
	uint64_t number;
	int err;

	err = parse_digits(text, 0, &number, &rest);
	if (err)
		return err;

	if (*rest) {
		unit = strchr(units, *rest >= 'a' ? *rest - 'a' + 'A' : *rest);
		if (!unit)
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
		rest++;
		if (!strcmp(rest, "iB") || !strcmp(rest, "B"))
			rest += strlen(rest);
		if (*rest)
			return -EINVAL;
	}
	if (shift && number > UINT64_MAX >> shift)
		return -ERANGE;

	*bytes = number << shift;
	return 0;
}

int parse_seconds(const char *text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {
		{ "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 },
		{ "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 },
	};
	double number;
	char *end;

	/* No "inf", "nan", signs or hexadecimal, which strtod() would take. */
	if (!digits_follow(text, 10) || text[strspn(text, "0123456789")] == 'x')
		return -EINVAL;

	errno = 0;
	number = strtod(text, &end);
	if (errno)
		return -errno;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		number *= units[i].ns;
		if (number > 9e18)
			return -ERANGE;
		*ns = (uint64_t)number;
		return 0;
	}
	return -EINVAL;
}

int parse_range(const char *text, uint64_t *start, uint64_t *end)
{
	const char *rest;
	uint64_t from, to;
	int err;

	err = parse_digits(text, 16, &from, &rest);
	if (err)
		return err;
	if (*rest != '-')
		return -EINVAL;
	err = parse_u64(rest + 1, 16, &to);
	if (err)
		return err;
	if (to <= from)
		return -EDOM;

	*start = from;
	*end = to;
	return 0;
}

static const char *human(double value, unsigned int step, const char *units,
			 char buf[HUMAN_LEN])
{
	while (value >= step && units[1]) {
		value /= step;
		units++;
	}
	if (*units == ' ')
		snprintf(buf, HUMAN_LEN, "%.0f", value);
	else
		snprintf(buf, HUMAN_LEN, "%.*f%c", value < 99.95 ? 1 : 0, value,
			 *units);
	return buf;
}

const char *human_bytes(uint64_t bytes, char buf[HUMAN_LEN])
{
	return human(bytes, 1024, " KMGTPE", buf);
}

const char *human_count(uint64_t count, char buf[HUMAN_LEN])
{
	if (count >= 100000)
		return human(count, 1000, " kMGT", buf);
	snprintf(buf, HUMAN_LEN, "%" PRIu64, count);
	return buf;
}

const char *human_time(uint64_t ns, char buf[HUMAN_LEN])
{
	if (ns < 1000)
		snprintf(buf, HUMAN_LEN, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		snprintf(buf, HUMAN_LEN, "%.1f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(buf, HUMAN_LEN, "%.1f ms", ns / 1e6);
	else
		snprintf(buf, HUMAN_LEN, "%.2f s", ns / 1e9);
	return buf;
}

char *format_string(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

/* Length of the UTF-8 sequence at @text, or 0 if there is none. */
static size_t utf8_length(const unsigned char *text)
{
	size_t length = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;

	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

void clean_text(char *text)
{
	unsigned char *byte = (unsigned char *)text;

	while (*byte) {
		size_t length = *byte < 0x80 ? 1 : utf8_length(byte);

		if (!length || *byte < ' ' || *byte == 0x7f)
			*byte = '?';
		byte += length ? length : 1;
	}
}

int read_line(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");
	int err = 0;

	if (!file)
		return -errno;

	errno = 0;
	if (fgets(buf, (int)size, file))
		buf[strcspn(buf, "\n")] = '\0';
	else if (ferror(file))
		err = errno ? -errno : -EIO;
	else
		buf[0] = '\0';

	fclose(file);
	return err;
}

int read_u64(const char *path, uint64_t *value)
{
	char line[32];
	int err;

	err = read_line(path, line, sizeof(line));
	return err ? err : parse_u64(line, 10, value);
}
