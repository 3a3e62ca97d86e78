// SPDX-License-Identifier: GPL-2.0
/* pmadv: advise other processes' memory, as a BPF policy decides. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "lib/error.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "options.h"
#include "policy/bpf_log.h"

/*
 * No file that we open may become a standard stream by accident. A closed
 * stdout is opened for reading, so that writes to it fail and are noticed.
 */
static int open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd == STDOUT_FILENO) {
			close(fd);
			fd = open("/dev/null", O_RDONLY);
		}
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);

	close(fd);
	return 0;
}

/* A pidfd per target: a cgroup may have more of them than 1024. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int check_operands(const struct verb *verb, const struct args *args)
{
	const char *extra;

	if (args->nr_operands < verb->min_operands)
		return say_error(-EUSAGE, "an operand is missing; usage: pmadv %s [OPTION]... %s",
				 verb->name, verb->operands);
	if (verb->max_operands < 0 || args->nr_operands <= verb->max_operands)
		return 0;

	extra = args->operands[verb->max_operands];
	return say_error(-EUSAGE, "'%s' is one operand too many; usage: pmadv %s [OPTION]...%s%s",
			 extra, verb->name, *verb->operands ? " " : "", verb->operands);
}

static int run_verb(const struct verb *verb, int argc, char **argv, struct args *args)
{
	int err;

	out_init(verb->name, args->json, false);
	err = options_parse(verb->options, argc, argv, false, args);
	out_init(verb->name, args->json, args->quiet);
	if (err)
		return err;

	if (args->help) {
		options_print_help(verb);
		return 0;
	}

	err = check_operands(verb, args);
	if (err)
		return err;

	policy_log_init(args->verbose);
	raise_file_limit();
	return verb->run(args);
}

static int run(int argc, char **argv, struct args *args)
{
	const struct verb *verb;
	int err;

	if (argc > 1 && !strcmp(argv[1], "--dump-options"))
		return options_dump(argc - 2, argv + 2);

	argv[0] = (char *)"pmadv";
	err = options_parse(main_options, argc, argv, true, args);
	out_init(NULL, args->json, false);
	if (err)
		return err;

	if (args->version) {
		out_text("pmadv %s, libbpf %s\n", PMADV_VERSION,
			 libbpf_version_string());
		return 0;
	}
	/* Many users type "pmadv help VERB" first. */
	if (!args->help && args->nr_operands && !strcmp(args->operands[0], "help")) {
		args->help = true;
		args->nr_operands--;
		args->operands++;
	}
	if (!args->nr_operands && args->help) {
		options_print_main_help();
		return 0;
	}
	if (!args->nr_operands)
		return say_error(-EUSAGE, "which verb? see 'pmadv --help'");

	verb = verb_find(args->operands[0]);
	if (!verb)
		return say_error(-EUSAGE, "there is no verb '%s'; see 'pmadv --help'",
				 args->operands[0]);
	return run_verb(verb, args->nr_operands, args->operands, args);
}

int main(int argc, char **argv)
{
	struct args args = { };
	int err, flush_err;

	/* Only for characters: numbers stay in the format of JSON. */
	setlocale(LC_CTYPE, "");
	setvbuf(stdout, NULL, _IOLBF, 0);

	err = open_standard_streams();
	if (!err)
		err = signals_init();
	if (!err)
		err = run(argc, argv, &args);

	flush_err = out_flush();
	args_free(&args);
	return exit_status(err ? err : flush_err);
}
