// SPDX-License-Identifier: GPL-2.0
#include "lib/util.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "lib/output.h"

int exit_status(int err)
{
	switch (-err) {
	case 0:
		return EXIT_OK;
	case EUSAGE:
		return EXIT_USAGE;
	case ELACKS:
	case ENOSYS:
		return EXIT_LACKS;
	case EPERM:
	case EACCES:
		return EXIT_DENIED;
	case EEJECTED:
		return EXIT_EJECTED;
	default:
		return EXIT_FAILED;
	}
}

const char *error_text(int err)
{
	static char text[64];

	switch (-err) {
	case EUSAGE:
		return "wrong usage";
	case ELACKS:
		return "the kernel lacks it";
	case EEJECTED:
		return "the policy was ejected";
	default:
		break;
	}
	if (-err < __LIBBPF_ERRNO__START)
		return strerror(-err);
	libbpf_strerror(err, text, sizeof(text));
	return text;
}

int say_error(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out_message("error", err, format, args);
	va_end(args);
	return err;
}

void say_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out_message("warning", 0, format, args);
	va_end(args);
}

void say_note(const char *format, ...)
{
	va_list args;

	if (out_quiet())
		return;
	va_start(args, format);
	out_message("note", 0, format, args);
	va_end(args);
}

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

/* Parse the digits that @text starts with; *@rest is what comes after them. */
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

uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

volatile int stop_asked;

/* SIGHUP may mean less than to end: it does not take the place of one that does. */
static void on_stop(int signal)
{
	if (signal != SIGHUP || !stop_asked)
		stop_asked = signal;
}

bool stop_forget(int signal)
{
	return __atomic_compare_exchange_n(&stop_asked, &signal, 0, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

int signals_init(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_stop };
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		/*
		 * nohup(1) is to be respected; that shells have their background
		 * jobs ignore SIGINT is not, as that is how scripts end us.
		 */
		if (stops[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) &&
		    old.sa_handler == SIG_IGN)
			continue;
		if (sigaction(stops[i], &action, NULL))
			return -errno;
	}

	action.sa_handler = SIG_IGN;
	return sigaction(SIGPIPE, &action, NULL) ? -errno : 0;
}

int wait_fds(struct pollfd *fds, unsigned int nr, int64_t timeout_ns)
{
	struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
	sigset_t stops, before;
	int ret = -EINTR;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGHUP);
	sigprocmask(SIG_BLOCK, &stops, &before);

	if (!stop_asked) {
		ret = ppoll(fds, nr, timeout_ns < 0 ? NULL : &timeout, &before);
		if (ret < 0)
			ret = -errno;
	}

	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

void *vec_add(struct vec *vec, size_t size)
{
	void *items, *item;
	size_t room;

	if (vec->nr == vec->room) {
		room = vec->room ? vec->room * 2 : 16;
		items = reallocarray(vec->items, room, size);
		if (!items)
			return NULL;
		vec->items = items;
		vec->room = room;
	}

	item = (char *)vec->items + vec->nr++ * size;
	memset(item, 0, size);
	return item;
}

void vec_free(struct vec *vec)
{
	free(vec->items);
	memset(vec, 0, sizeof(*vec));
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
