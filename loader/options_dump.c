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

/* The kind of words that a value or an operand is, by what --help calls it. */
static const char *kind_of_words(const char *called)
{
	static const struct {
		const char *called;
		const char *kind;
	} kinds[] = {
		{ "POLICY", "policy" },
		{ "TARGET", "target" },
		{ "FILE", "file" },
		{ "RECORD", "file" },
		{ "NAME", "attached" },
		{ "FEATURE", "word" },
		{ "PART", "word" },
	};
	size_t length;

	called += strspn(called, "[=");
	length = strspn(called, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].called) == length &&
		    !strncmp(kinds[i].called, called, length))
			return kinds[i].kind;
	return "none";
}

static const char *kind_of_value(const struct option_def *def)
{
	switch (def->kind) {
	case OPTION_ADVICE:
	case OPTION_ADVICES:
		return "advice";
	case OPTION_PID:
		return "pid";
	case OPTION_CGROUP:
		return "cgroup";
	case OPTION_TEXT:
	case OPTION_MAYBE_TEXT:
		return kind_of_words(def->value);
	default:
		return "none";
	}
}

static bool may_repeat(const struct option_def *def)
{
	return def->kind == OPTION_TEXTS || def->kind == OPTION_RANGES ||
	       def->kind == OPTION_ADVICES;
}

/* Each operand's kind, what it is called, and whether it may be repeated. */
struct operand {
	const char *kind;
	char called[32];
	bool repeated;
};

/* The operand that begins at *@from, which goes on to the next. Is there one? */
static bool next_operand(const char **from, struct operand *operand)
{
	size_t length = strcspn(*from, " ");
	const char *text = *from;

	if (!length)
		return false;
	snprintf(operand->called, sizeof(operand->called), "%.*s", (int)length, text);
	operand->kind = kind_of_words(operand->called);
	operand->repeated = strstr(operand->called, "...");
	*from += length + strspn(*from + length, " ");
	return true;
}

/* @text with a backslash before each of @special, and as quotes in a shell take it. */
static void put_escaped(const char *text, const char *special, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'')
			out_text("%s", quote);
		else
			out_text("%s%c", strchr(special, *text) ? "\\" : "", *text);
	}
}

static void put_advices(void)
{
	for (size_t i = 0; advice_nth(i); i++)
		out_text("%s%s", i ? " " : "", advice_nth(i));
}

static void put_verb_words(const struct verb *verb)
{
	for (size_t i = 0; verb->word && verb->word(i); i++)
		out_text("%s%s", i ? " " : "", verb->word(i));
}

static void bash_options(const char *verb, const struct option_def *options)
{
	out_text("\t[%s]='", verb);
	for (const struct option_def *def = options; def->name; def++)
		out_text("%s--%s", def == options ? "" : " ", def->name);
	out_text("'\n");
}

/* A value that may only stand behind "=" does not take the next word. */
static void bash_values(const struct verb *verb)
{
	for (const struct option_def *def = verb->options; def->name; def++) {
		const char *behind = def->kind == OPTION_MAYBE_TEXT ? "=" : "";

		if (def->kind == OPTION_FLAG)
			continue;
		out_text("\t[%s--%s%s]=%s\n", verb->name, def->name, behind,
			 kind_of_value(def));
		if (def->letter)
			out_text("\t[%s-%c%s]=%s\n", verb->name, def->letter, behind,
				 kind_of_value(def));
	}
}

static void bash_operands(const struct verb *verb)
{
	const char *from = verb->operands;
	struct operand operand;

	out_text("\t[%s]='", verb->name);
	while (next_operand(&from, &operand))
		out_text("%s%s ", operand.kind, operand.repeated ? "..." : "");
	out_text("'\n");
}

static void dump_bash(void)
{
	out_text("_pmadv_advices='");
	put_advices();
	out_text("'\n_pmadv_verbs='");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		out_text("%s%s", verb == verbs ? "" : " ", (*verb)->name);
	out_text("'\ndeclare -gA _pmadv_options=(\n");
	bash_options("main", main_options);
	for (const struct verb *const *verb = verbs; *verb; verb++)
		bash_options((*verb)->name, (*verb)->options);
	out_text(")\ndeclare -gA _pmadv_operands=(\n");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		bash_operands(*verb);
	out_text(")\ndeclare -gA _pmadv_words=(\n");
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		out_text("\t[%s]='", (*verb)->name);
		put_verb_words(*verb);
		out_text("'\n");
	}
	out_text(")\ndeclare -gA _pmadv_values=(\n");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		bash_values(*verb);
	out_text(")\n");
}

/* As _arguments of zsh takes them. */
static void zsh_options(const struct option_def *options)
{
	for (const struct option_def *def = options; def->name; def++) {
		bool value = def->kind != OPTION_FLAG;
		bool may = def->kind == OPTION_MAYBE_TEXT;
		/* How its value stands behind the letter, and behind the name. */
		const char *glued = !value ? "" : may ? "-" : "+";
		const char *apart = !value ? "" : may ? "=-" : "=";

		out_text("%s\n\t\t", options == main_options ? "" : " \\");
		if (may_repeat(def))
			out_text("'*'");
		else if (def->letter)
			out_text("'(-%c --%s)'", def->letter, def->name);
		if (def->letter)
			out_text("{-%c%s,--%s%s}", def->letter, glued, def->name, apart);
		else
			out_text("--%s%s", def->name, apart);
		out_text("'[");
		put_escaped(def->help, "[]\\", "'\\''");
		out_text("]");
		if (value) {
			out_text(may ? "::" : ":");
			put_escaped(def->value, ":[]\\", "'\\''");
			out_text(":_pmadv_%s", kind_of_value(def));
		}
		out_text("'");
	}
}

static void zsh_verb(const struct verb *verb)
{
	const char *from = verb->operands;
	struct operand operand;

	out_text("_pmadv_verb_%s()\n{\n\t_arguments -s -S :", verb->name);
	zsh_options(verb->options);
	for (int nr = 1; next_operand(&from, &operand); nr++) {
		if (operand.repeated)
			out_text(" \\\n\t\t'*:");
		else
			out_text(" \\\n\t\t'%d:", nr);
		put_escaped(operand.called, ":[]\\", "'\\''");
		out_text(":_pmadv_%s'", operand.kind);
	}
	out_text("\n}\n\n");
}

static void dump_zsh(void)
{
	out_text("_pmadv_advices=(");
	put_advices();
	out_text(")\n_pmadv_verbs=(\n");
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		out_text("\t'%s:", (*verb)->name);
		put_escaped((*verb)->summary, ":\\", "'\\''");
		out_text("'\n");
	}
	out_text(")\ntypeset -gA _pmadv_words\n_pmadv_words=(\n");
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		out_text("\t%s '", (*verb)->name);
		put_verb_words(*verb);
		out_text("'\n");
	}
	out_text(")\n_pmadv_main_options=(");
	zsh_options(main_options);
	out_text("\n)\n\n");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		zsh_verb(*verb);
}

static void fish_options(const char *verb, const struct option_def *options)
{
	for (const struct option_def *def = options; def->name; def++) {
		const char *kind = kind_of_value(def);

		out_text("complete -c pmadv -n '__pmadv_verb_is %s' -l %s", verb, def->name);
		if (def->letter)
			out_text(" -s %c", def->letter);
		if (def->kind != OPTION_FLAG && def->kind != OPTION_MAYBE_TEXT)
			out_text(" -r");
		if (def->kind != OPTION_FLAG && strcmp(kind, "file"))
			out_text(" -f -a '(__pmadv_%s %s)'", kind, verb);
		else if (def->kind != OPTION_FLAG)
			out_text(" -F");
		out_text(" -d '");
		put_escaped(def->help, "\\", "\\'");
		out_text("'\n");
	}
}

static void fish_verb(const struct verb *verb)
{
	const char *from = verb->operands;
	struct operand operand;

	out_text("complete -c pmadv -n '__pmadv_verb_is main' -a %s -d '", verb->name);
	put_escaped(verb->summary, "\\", "\\'");
	out_text("'\n");
	fish_options(verb->name, verb->options);
	for (int nr = 0; next_operand(&from, &operand); nr++) {
		out_text("complete -c pmadv -n '__pmadv_operand_is %s %d%s'", verb->name, nr,
			 operand.repeated ? " more" : "");
		if (strcmp(operand.kind, "file"))
			out_text(" -a '(__pmadv_%s %s)'\n", operand.kind, verb->name);
		else
			out_text(" -F\n");
	}
}

static void dump_fish(void)
{
	out_text("set -g __pmadv_advices ");
	put_advices();
	out_text("\nset -g __pmadv_verbs");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		out_text(" %s", (*verb)->name);
	out_text("\n");
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		out_text("set -g __pmadv_words_%s ", (*verb)->name);
		put_verb_words(*verb);
		out_text("\nset -g __pmadv_valued_%s", (*verb)->name);
		for (const struct option_def *def = (*verb)->options; def->name; def++) {
			if (def->kind == OPTION_FLAG || def->kind == OPTION_MAYBE_TEXT)
				continue;
			out_text(" --%s", def->name);
			if (def->letter)
				out_text(" -%c", def->letter);
		}
		out_text("\n");
	}
	out_text("\ncomplete -c pmadv -f\n");
	fish_options("main", main_options);
	for (const struct verb *const *verb = verbs; *verb; verb++)
		fish_verb(*verb);
}

/* Tables for the functions in completion.SHELL. */
static int dump_completion(const char *shell)
{
	if (!strcmp(shell, "bash"))
		dump_bash();
	else if (!strcmp(shell, "zsh"))
		dump_zsh();
	else if (!strcmp(shell, "fish"))
		dump_fish();
	else
		return say_error(-EUSAGE, "--dump-options completion takes bash, zsh or fish");
	return out_flush();
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
		return dump_completion(argc > 1 ? argv[1] : "");
	} else if (!strcmp(what, "man") && argc > 1 && !strcmp(argv[1], "main")) {
		dump_man_main();
	} else if (!strcmp(what, "man") && verb) {
		dump_man(verb);
	} else {
		return say_error(-EUSAGE, "--dump-options takes table, completion SHELL, man main or man VERB");
	}
	return out_flush();
}
