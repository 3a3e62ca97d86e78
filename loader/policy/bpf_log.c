// SPDX-License-Identifier: GPL-2.0
#include "policy/bpf_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "lib/error.h"

#define LOG_LINES	30

static struct {
	bool verbose;
	char *text;
	size_t length;
} policy_log;

static int log_keep(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *longer;
	int length;

	if (policy_log.verbose)
		return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, args);
	if (level != LIBBPF_WARN)
		return 0;

	length = vasprintf(&text, format, args);
	if (length < 0)
		return 0;
	longer = realloc(policy_log.text, policy_log.length + (size_t)length + 1);
	if (longer) {
		memcpy(longer + policy_log.length, text, (size_t)length + 1);
		policy_log.text = longer;
		policy_log.length += (size_t)length;
	}
	free(text);
	return length;
}

void policy_log_init(bool verbose)
{
	policy_log.verbose = verbose;
	libbpf_set_print(log_keep);
}

void policy_log_print(void)
{
	const char *from = policy_log.text;
	unsigned int lines = 0;

	if (!from)
		return;

	for (from += policy_log.length; from > policy_log.text; from--)
		if (from[-1] == '\n' && ++lines > LOG_LINES)
			break;
	if (from > policy_log.text)
		say_warning("the end of the output of libbpf and the verifier (--verbose prints all of it):\n%s",
			    from);
	else
		say_warning("the output of libbpf and the verifier:\n%s", from);
	policy_log_forget();
}

void policy_log_forget(void)
{
	free(policy_log.text);
	policy_log.text = NULL;
	policy_log.length = 0;
}
