// SPDX-License-Identifier: GPL-2.0
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <pmadv/process_madvise.h>

#include "lib/error.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/text.h"
#include "lib/util.h"

#define FIELD(type, args, def)	((type *)((char *)(args) + (def)->field))
#define MAX_OPTIONS		32
#define FIRST_ID		256	/* beyond any letter */

const struct option_def main_options[] = {
	{ "json", 'j', OPTION_FLAG, offsetof(struct args, json), NULL,
	  "as after the verb: print JSON lines" },
	{ "version", 'V', OPTION_FLAG, offsetof(struct args, version), NULL,
	  "print the version of pmadv and of libbpf" },
	{ "help", 'h', OPTION_FLAG, offsetof(struct args, help), NULL,
	  "print this help; 'pmadv VERB --help' for one verb" },
	{ }
};

const struct verb *const verbs[] = {
	&verb_probe,
	&verb_attach,
	&verb_detach,
	&verb_list,
	&verb_explain,
	&verb_advise,
	&verb_monitor,
	&verb_record,
	&verb_report,
	&verb_simulate,
	&verb_top,
	&verb_metrics,
	&verb_run,
	&verb_daemon,
	NULL
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *const *verb = verbs; *verb; verb++)
		if (!strcmp((*verb)->name, name))
			return *verb;
	return NULL;
}

static const char *kind_expects(enum option_kind kind)
{
	switch (kind) {
	case OPTION_COUNT:
		return "a whole number from 1";
	case OPTION_PID:
		return "the number of a process";
	case OPTION_SIZE:
		return "a size like 65536, 64K or 1M";
	case OPTION_SECONDS:
		return "a time like 5, 0.5, 200ms or 2m, more than 0";
	case OPTION_ADDRESS:
		return "an address in hexadecimal, like 7f0012340000";
	case OPTION_ADVICE:
	case OPTION_ADVICES:
		return "one of " ADVICE_NAMES;
	case OPTION_RANGES:
		return "START-END in hexadecimal, both multiples of the page size";
	case OPTION_CGROUP:
		return "the path of a cgroup";
	default:
		return "some text";
	}
}

static int store_range(struct vec *ranges, const char *text)
{
	uint64_t start, end;
	struct iovec *range;
	int err;

	err = parse_range(text, &start, &end);
	if (err)
		return err;
	if ((start | end) & (page_size() - 1))
		return -EINVAL;

	range = vec_add(ranges, sizeof(*range));
	if (!range)
		return -ENOMEM;
	range->iov_base = (void *)(uintptr_t)start;
	range->iov_len = end - start;
	return 0;
}

static int store_number(const char *text, uint64_t min, uint64_t max, uint64_t *to)
{
	uint64_t value;
	int err;

	err = parse_u64(text, 0, &value);
	if (err)
		return err;
	if (value < min || value > max)
		return -ERANGE;
	*to = value;
	return 0;
}

static int store(const struct option_def *def, const char *text, struct args *args)
{
	const char **item;
	uint64_t number;
	int advice, err;

	switch (def->kind) {
	case OPTION_FLAG:
		*FIELD(bool, args, def) = true;
		return 0;
	case OPTION_COUNT:
		return store_number(text, 1, UINT64_MAX, FIELD(uint64_t, args, def));
	case OPTION_PID:
		err = store_number(text, 1, INT_MAX, &number);
		if (!err)
			*FIELD(int32_t, args, def) = (int32_t)number;
		return err;
	case OPTION_SIZE:
		return parse_size(text, FIELD(uint64_t, args, def));
	case OPTION_SECONDS:
		err = parse_seconds(text, &number);
		if (!err && !number)
			err = -ERANGE;
		if (!err)
			*FIELD(uint64_t, args, def) = number;
		return err;
	case OPTION_ADDRESS:
		err = parse_u64(text, 16, &number);
		if (!err)
			*FIELD(uint64_t, args, def) = number;
		return err;
	case OPTION_ADVICE:
		return advice_parse(text, FIELD(int, args, def));
	case OPTION_ADVICES:
		err = advice_parse(text, &advice);
		if (!err)
			*FIELD(uint64_t, args, def) |= UINT64_C(1) << advice;
		return err;
	case OPTION_MAYBE_TEXT:
		*FIELD(const char *, args, def) = text ? text : "";
		return 0;
	case OPTION_TEXT:
	case OPTION_CGROUP:
		if (!*text)
			return -EINVAL;
		*FIELD(const char *, args, def) = text;
		return 0;
	case OPTION_TEXTS:
		item = vec_add(FIELD(struct vec, args, def), sizeof(*item));
		if (!item)
			return -ENOMEM;
		*item = text;
		return 0;
	case OPTION_RANGES:
		return store_range(FIELD(struct vec, args, def), text);
	}
	return -EINVAL;
}

static int say_bad_value(const struct option_def *def, const char *text, int err)
{
	if (err == -ENOMEM)
		return say_no_memory();
	if (err == -EDOM)
		return say_error(-EUSAGE, "--%s %s: the end is not after the start",
				 def->name, text);
	return say_error(-EUSAGE, "--%s '%s': %s; it takes %s", def->name, text,
			 err == -ERANGE ? "out of range" : "not understood",
			 kind_expects(def->kind));
}

static int say_bad_option(int code, char **argv, const struct option_def *found)
{
	const char *verb = strcmp(argv[0], "pmadv") ? argv[0] : "";
	const char *gap = *verb ? " " : "";

	if (code == ':' && found)
		return say_error(-EUSAGE, "option --%s needs an argument: %s",
				 found->name, kind_expects(found->kind));
	if (code == ':')
		return say_error(-EUSAGE, "option %s needs an argument",
				 argv[optind - 1]);
	if (optopt && optopt < FIRST_ID)
		return say_error(-EUSAGE, "there is no option -%c; see 'pmadv%s%s --help'",
				 optopt, gap, verb);
	return say_error(-EUSAGE, "there is no option %s, or more than one that begins so; see 'pmadv%s%s --help'",
			 argv[optind - 1], gap, verb);
}

int options_parse(const struct option_def *options, int argc, char **argv,
		  bool stop_at_operand, struct args *args)
{
	struct option longs[MAX_OPTIONS + 1] = { };
	char shorts[2 + 3 * MAX_OPTIONS + 1] = "";
	const struct option_def *def;
	size_t nr = 0, length = 0;
	int code, err;

	/* Leading ':' tells a missing argument from an unknown option. */
	if (stop_at_operand)
		shorts[length++] = '+';
	shorts[length++] = ':';

	for (def = options; def->name && nr < MAX_OPTIONS; def++, nr++) {
		bool may = def->kind == OPTION_MAYBE_TEXT;
		bool must = !may && def->kind != OPTION_FLAG;

		longs[nr].name = def->name;
		longs[nr].has_arg = must ? required_argument :
				    may ? optional_argument : no_argument;
		longs[nr].val = FIRST_ID + (int)nr;
		if (!def->letter)
			continue;
		shorts[length++] = def->letter;
		if (must || may)
			shorts[length++] = ':';
		if (may)
			shorts[length++] = ':';
	}
	shorts[length] = '\0';

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		int wanted = code == ':' ? optopt : code;

		def = NULL;
		for (size_t i = 0; i < nr && !def; i++)
			if (wanted == FIRST_ID + (int)i || wanted == options[i].letter)
				def = &options[i];

		if (!def || code == ':' || code == '?')
			return say_bad_option(code, argv, def);

		err = store(def, optarg, args);
		if (err)
			return say_bad_value(def, optarg, err);
	}

	args->nr_operands = argc - optind;
	args->operands = argv + optind;
	return 0;
}

void args_free(struct args *args)
{
	vec_free(&args->set);
	vec_free(&args->against_set);
	vec_free(&args->ranges);
}

/* Print @text wrapped to @width columns, lines after the first indented. */
static void print_wrapped(const char *text, size_t indent, size_t width)
{
	size_t column = indent;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > indent && column + 1 + word > width) {
			out_text("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			out_text(" ");
			column++;
		}
		out_text("%.*s", (int)word, text);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	out_text("\n");
}

/* Between an option and its argument. */
const char *option_gap(const struct option_def *def)
{
	return def->value && def->kind != OPTION_MAYBE_TEXT ? " " : "";
}

static void print_options(const struct option_def *options)
{
	const size_t indent = 28;

	out_text("\nOptions:\n");
	for (const struct option_def *def = options; def->name; def++) {
		char left[64];
		size_t length;

		length = (size_t)snprintf(left, sizeof(left), "  %c%c%c --%s%s%s",
					  def->letter ? '-' : ' ',
					  def->letter ? def->letter : ' ',
					  def->letter ? ',' : ' ', def->name,
					  option_gap(def),
					  def->value ? def->value : "");
		out_text("%s", left);
		if (length + 2 > indent)
			out_text("\n%*s", (int)indent, "");
		else
			out_text("%*s", (int)(indent - length), "");
		print_wrapped(def->help, indent, 80);
	}
}

void options_print_help(const struct verb *verb)
{
	out_text("Usage: pmadv %s [OPTION]...%s%s\n\n", verb->name,
		 *verb->operands ? " " : "", verb->operands);
	print_wrapped(verb->summary, 0, 80);
	print_options(verb->options);
	out_text("\nEXAMPLES\n");
	for (const struct example *example = verb->examples; example->command; example++)
		out_text("  %s\n      %s\n", example->command, example->comment);
	out_text("\nMore: man pmadv-%s\n", verb->name);
}

void options_print_main_help(void)
{
	out_text("Usage: pmadv [OPTION]... VERB [OPTION]... [OPERAND]...\n\n"
		 "Advise other processes' memory, range by range, as a BPF policy decides.\n\n"
		 "Verbs:\n");
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		out_text("  %-10s", (*verb)->name);
		print_wrapped((*verb)->summary, 12, 80);
	}
	print_options(main_options);
	out_text("\nEXAMPLES\n"
		 "  pmadv probe\n"
		 "      what of all this the running kernel can do\n"
		 "  pmadv run background_app redis-server --every 10\n"
		 "      page out what redis does not use, every ten seconds\n"
		 "\nExit status: 0 ok, 1 failed, 2 wrong usage, 3 the kernel lacks it,\n"
		 "4 no permission, 5 the kernel ejected the policy.\n"
		 "\nMore: man pmadv\n");
}
