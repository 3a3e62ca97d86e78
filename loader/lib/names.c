// SPDX-License-Identifier: GPL-2.0
#include "lib/names.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include <linux/process_madvise.h>
#include <pmadv/hook.h>
#include <pmadv/process_madvise.h>

#include "lib/util.h"

static const struct {
	const char *name;
	int advice;
} advices[] = {
	{ "cold", MADV_COLD },
	{ "pageout", MADV_PAGEOUT },
	{ "willneed", MADV_WILLNEED },
	{ "collapse", MADV_COLLAPSE },
};

const char *advice_name(int advice)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (advices[i].advice == advice)
			return advices[i].name;
	return NULL;
}

int advice_parse(const char *name, int *advice)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		if (strcasecmp(advices[i].name, name))
			continue;
		*advice = advices[i].advice;
		return 0;
	}
	return -EINVAL;
}

const char *advice_nth(size_t nr)
{
	return nr < ARRAY_SIZE(advices) ? advices[nr].name : NULL;
}

const char *advices_text(uint64_t given, char buf[ADVICES_TEXT_LEN])
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (given & UINT64_C(1) << advices[i].advice)
			at += (size_t)snprintf(buf + at, ADVICES_TEXT_LEN - at, "%s%s",
					       at ? "," : "", advices[i].name);
	return buf;
}

static const struct {
	const char *name;
	int verdict;
} verdicts[] = {
	{ "skip", PMADV_SKIP },
	{ "caller", PMADV_CALLER },
	{ "stop", PMADV_STOP },
};

int verdict_parse(const char *name, int *verdict)
{
	if (!advice_parse(name, verdict))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (strcasecmp(verdicts[i].name, name))
			continue;
		*verdict = verdicts[i].verdict;
		return 0;
	}
	return -EINVAL;
}

const char *vma_flags_text(uint32_t flags, char buf[VMA_TEXT_LEN])
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ PMADV_VMA_ANON, "anon" },
		{ PMADV_VMA_FILE, "file" },
		{ PMADV_VMA_SHMEM, "shmem" },
		{ PMADV_VMA_HUGETLB, "hugetlb" },
		{ PMADV_VMA_SPECIAL, "special" },
		{ PMADV_VMA_HEAP, "heap" },
		{ PMADV_VMA_STACK, "stack" },
		{ PMADV_VMA_NAMED, "named" },
		{ PMADV_VMA_LOCKED, "locked" },
		{ PMADV_VMA_SEALED, "sealed" },
		{ PMADV_VMA_HUGEPAGE, "hugepage" },
		{ PMADV_VMA_UFFD, "uffd" },
	};
	size_t length;

	length = (size_t)snprintf(buf, VMA_TEXT_LEN, "%c%c%c%c",
				  flags & PMADV_VMA_READ ? 'r' : '-',
				  flags & PMADV_VMA_WRITE ? 'w' : '-',
				  flags & PMADV_VMA_EXEC ? 'x' : '-',
				  flags & PMADV_VMA_SHARED ? 's' : 'p');
	for (size_t i = 0; i < ARRAY_SIZE(names) && length < VMA_TEXT_LEN; i++)
		if (flags & names[i].flag)
			length += (size_t)snprintf(buf + length, VMA_TEXT_LEN - length,
						   " %s", names[i].name);
	return buf;
}

const char *verdict_text(int32_t verdict, char buf[VERDICT_TEXT_LEN])
{
	const char *name = advice_name(verdict);

	if (name)
		return name;

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (verdicts[i].verdict == verdict)
			return verdicts[i].name;
	snprintf(buf, VERDICT_TEXT_LEN, "invalid(%d)", verdict);
	return buf;
}

const char *outcome_text(uint32_t outcome)
{
	static const char *const names[] = {
		[PMADV_ADVISED] = "advised",
		[PMADV_SKIPPED] = "skipped",
		[PMADV_REFUSED] = "refused",
		[PMADV_FAILED] = "failed",
	};

	return outcome < ARRAY_SIZE(names) ? names[outcome] : "?";
}

static const struct {
	const char *word;
	const char *text;
} stops[] = {
	[PMADV_STOPPED_NOT] = { "complete", NULL },
	[PMADV_STOPPED_SIGNAL] = { "signal", "interrupted" },
	[PMADV_STOPPED_POLICY] = { "policy", "the policy said stop" },
	[PMADV_STOPPED_DETACHED] = { "detached", "the policy was detached or replaced" },
	[PMADV_STOPPED_EJECTED] = { "ejected", "the kernel ejected the policy" },
	[PMADV_STOPPED_BUDGET] = { "budget", "the budget of pages was used up" },
	[PMADV_STOPPED_EXITED] = { "exited", "the process exited or executed another program" },
	[PMADV_STOPPED_ERROR] = { "error", "a call failed" },
	[PMADV_STOPPED_STALE] = { "stale", "the mapping is gone" },
	[PMADV_STOPPED_POLICY_ERROR] = {
		"policy_error", "the policy erred about this process, see dmesg",
	},
};

const char *stopped_text(uint32_t stopped)
{
	return stopped < ARRAY_SIZE(stops) ? stops[stopped].text : "for a reason unknown here";
}

const char *stopped_word(uint32_t stopped)
{
	return stopped < ARRAY_SIZE(stops) ? stops[stopped].word : "unknown";
}

const char *vma_kind(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *kind;
	} kinds[] = {
		{ PMADV_VMA_SPECIAL, "special" },
		{ PMADV_VMA_HUGETLB, "hugetlb" },
		{ PMADV_VMA_STACK, "stack" },
		{ PMADV_VMA_HEAP, "heap" },
		{ PMADV_VMA_SHMEM, "shmem" },
		{ PMADV_VMA_FILE, "file" },
		{ PMADV_VMA_ANON, "anon" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (flags & kinds[i].flag)
			return kinds[i].kind;
	return "other";
}
