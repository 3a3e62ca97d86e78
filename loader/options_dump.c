// SPDX-License-Identifier: GPL-2.0
/* The tables of the verbs and their options, as the build and its tests read them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "options.h"

static void dump_table(const char *verb, const struct option_def *options)
{
	for (const struct option_def *def = options; def->name; def++)
		out_text("%s\t--%s\t%c%c\t%s\n", verb, def->name,
			 def->letter ? '-' : ' ', def->letter ? def->letter : ' ',
			 def->value ? def->value : "");
}

/* Print the reStructuredText that the man page of a verb includes. */
static void dump_man_options(const struct option_def *options)
{
	for (const struct option_def *def = options; def->name; def++) {
		out_text("**--%s**", def->name);
		if (def->value)
			out_text("%s*%s*", def->kind == OPTION_MAYBE_TEXT ? "\\ " : " ",
				 def->value);
		if (def->letter)
			out_text(", **-%c**", def->letter);
		if (def->letter && def->value && def->kind != OPTION_MAYBE_TEXT)
			out_text(" *%s*", def->value);
		out_text("\n\t%c%s.\n\n", def->help[0] >= 'a' && def->help[0] <= 'z' ?
			 def->help[0] - 'a' + 'A' : def->help[0], def->help + 1);
	}
}

static void dump_heading(const char *text, char line)
{
	size_t length = strlen(text);

	for (int lines = 0; lines < 2; lines++) {
		for (size_t i = 0; i < length; i++)
			out_text("%c", line);
		out_text("\n%s", lines ? "\n" : "");
		if (!lines)
			out_text("%s\n", text);
	}
}

static void dump_man(const struct verb *verb)
{
	char name[32], summary[256];

	snprintf(name, sizeof(name), "pmadv-%s", verb->name);
	dump_heading(name, '=');
	/* In the style of whatis(1): no capital, no full stop. */
	snprintf(summary, sizeof(summary), "%c%.*s", verb->summary[0] - 'A' + 'a',
		 (int)strlen(verb->summary) - 2, verb->summary + 1);
	dump_heading(summary, '-');
	out_text(":Manual section: 8\n:Manual group: Memory advice\n\n");
	out_text(".. |summary| replace:: %s\n\n", verb->summary);
	out_text("SYNOPSIS\n========\n\n**pmadv %s** [*OPTION*]...%s%s\n\n", verb->name,
		 *verb->operands ? " " : "", verb->operands);
	out_text("@BODY@\n\nOPTIONS\n=======\n\n");
	dump_man_options(verb->options);
	if (verb->dump_man)
		verb->dump_man();
	out_text("EXAMPLES\n========\n\n");
	for (const struct example *example = verb->examples; example->command; example++)
		out_text("``%s``\n\t%s\n\n", example->command, example->comment);
	out_text("EXIT STATUS\n===========\n\n"
		 "0 ok, 1 failed, 2 wrong usage, 3 the kernel lacks it, "
		 "4 no permission, 5 the kernel ejected the policy.\n\n"
		 "SEE ALSO\n========\n\n**pmadv**\\(8)");
	for (const struct verb *const *other = verbs; *other; other++)
		if (*other != verb)
			out_text(", **pmadv-%s**\\(8)", (*other)->name);
	out_text(", **process_madvise**\\(2)\n");
}

static void dump_man_main(void)
{
	out_text("OPTIONS\n=======\n\n");
	dump_man_options(main_options);
	out_text("VERBS\n=====\n\n");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		out_text("**pmadv-%s**\\(8)\n\t%s\n\n", (*verb)->name, (*verb)->summary);
}

static const char *completion_words(const struct option_def *def)
{
	switch (def->kind) {
	case OPTION_ADVICE:
		return "advice";
	case OPTION_PID:
		return "pid";
	case OPTION_CGROUP:
		return "cgroup";
	case OPTION_TEXT:
		return strcmp(def->value, "FILE") ? "none" : "file";
	default:
		return "none";
	}
}

/* Tables for the bash functions in completion.bash, which precede them. */
static void dump_completion(void)
{
	out_text("_pmadv_advices='");
	for (size_t i = 0; advice_nth(i); i++)
		out_text("%s%s", i ? " " : "", advice_nth(i));
	out_text("'\n_pmadv_verbs='");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		out_text("%s%s", verb == verbs ? "" : " ", (*verb)->name);
	out_text("'\ndeclare -gA _pmadv_options=(\n\t[main]='");
	for (const struct option_def *def = main_options; def->name; def++)
		out_text("%s--%s", def == main_options ? "" : " ", def->name);
	out_text("'\n");
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		out_text("\t[%s]='", (*verb)->name);
		for (const struct option_def *def = (*verb)->options; def->name; def++)
			out_text("%s--%s", def == (*verb)->options ? "" : " ", def->name);
		out_text("'\n");
	}
	out_text(")\ndeclare -gA _pmadv_operands=(\n");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		out_text("\t[%s]='%s'\n", (*verb)->name, (*verb)->operands);
	out_text(")\ndeclare -gA _pmadv_values=(\n");
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		for (const struct option_def *def = (*verb)->options; def->name; def++) {
			if (def->kind == OPTION_FLAG)
				continue;
			out_text("\t[%s--%s]=%s\n", (*verb)->name, def->name,
				 completion_words(def));
			if (def->letter)
				out_text("\t[%s-%c]=%s\n", (*verb)->name, def->letter,
					 completion_words(def));
		}
	}
	out_text(")\n");
}

int options_dump(int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "";
	const struct verb *verb = argc > 1 ? verb_find(argv[1]) : NULL;

	if (!strcmp(what, "table")) {
		dump_table("main", main_options);
		for (const struct verb *const *each = verbs; *each; each++)
			dump_table((*each)->name, (*each)->options);
	} else if (!strcmp(what, "completion")) {
		dump_completion();
	} else if (!strcmp(what, "man") && argc > 1 && !strcmp(argv[1], "main")) {
		dump_man_main();
	} else if (!strcmp(what, "man") && verb) {
		dump_man(verb);
	} else {
		return say_error(-EUSAGE, "--dump-options takes table, completion, man main or man VERB");
	}
	return out_flush();
}
