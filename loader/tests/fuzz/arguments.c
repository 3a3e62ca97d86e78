// SPDX-License-Identifier: GPL-2.0
/* The command line, one word in a line, the first of them the verb. */
#include "fuzz.h"

#include <limits.h>

#include "lib/names.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "walk/target.h"

#define MAX_WORDS	32

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

static void parse_numbers(const char *word)
{
	static const int bases[] = { 0, 10, 16 };
	uint64_t number, end;
	char text[HUMAN_LEN];
	int64_t integer;
	int advice;

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		must(parse_u64(word, bases[i], &number) || *word != '-');
		parse_s64(word, bases[i], &integer);
	}
	if (!parse_size(word, &number)) {
		human_bytes(number, text);
		human_count(number, text);
	}
	if (!parse_seconds(word, &number)) {
		must(number <= INT64_MAX);
		human_time(number, text);
	}
	if (!parse_range(word, &number, &end))
		must(number < end);
	if (!advice_parse(word, &advice))
		must(advice_name(advice));
}

static void parse_pid(char *word)
{
	struct vec targets = { };

	if (!strncmp(word, "pid:", 4) && !targets_find(&word, 1, false, &targets)) {
		must(targets.nr == 1);
		targets_free(&targets);
	}
}

static void parse_options(int nr, char **words)
{
	const struct verb *verb = verb_find(words[0]);
	struct args args = { };

	if (!options_parse(verb ? verb->options : main_options, nr, words, !verb, &args)) {
		must(args.nr_operands >= 0 && args.nr_operands < nr);
		must(args.pid >= 0);
		for (size_t i = 0; i < args.ranges.nr; i++)
			must(((struct iovec *)args.ranges.items)[i].iov_len % page_size() == 0);
	}
	args_free(&args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text;
	char *words[MAX_WORDS + 1] = { };
	int nr = 0;

	while (nr < MAX_WORDS && (words[nr] = strsep(&rest, "\n"))) {
		parse_numbers(words[nr]);
		parse_pid(words[nr++]);
	}
	words[nr] = NULL;
	parse_options(nr, words);
	clean_text(text);
	free(text);
	return 0;
}
