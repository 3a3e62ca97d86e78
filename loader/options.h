/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One table of options for each verb. It feeds getopt_long(), --help, the man
 * page and the completion, and determines where a parsed value is stored: an
 * option exists if and only if it is in the table.
 */
#ifndef PMADV_OPTIONS_H
#define PMADV_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/util.h"

/* The argument of an option; it also determines checks and completion. */
enum option_kind {
	OPTION_FLAG,		/* bool: nothing */
	OPTION_COUNT,		/* uint64_t: a number from 1 */
	OPTION_PID,		/* int32_t: a process */
	OPTION_SIZE,		/* uint64_t: bytes, with a unit */
	OPTION_SECONDS,		/* uint64_t: nanoseconds, more than 0 */
	OPTION_ADDRESS,		/* uint64_t: hexadecimal */
	OPTION_ADVICE,		/* int: a MADV_ constant by name */
	OPTION_ADVICES,		/* uint64_t: bits of such, by name: repeatable */
	OPTION_TEXT,		/* const char * */
	OPTION_MAYBE_TEXT,	/* const char *: "--NAME=TEXT", or "" of "--NAME" */
	OPTION_CGROUP,		/* const char *: path of a cgroup */
	OPTION_TEXTS,		/* struct vec of const char *: repeatable */
	OPTION_RANGES,		/* struct vec of struct iovec: repeatable */
};

struct option_def {
	const char *name;
	char letter;		/* 0: none */
	enum option_kind kind;
	size_t field;		/* offset in struct args */
	const char *value;	/* what --help calls the argument */
	const char *help;
};

/* The parsed options of all verbs. */
struct args {
	bool help;
	bool version;
	bool json;
	bool quiet;
	bool verbose;

	/* policies */
	struct vec set;
	const char *cgroup;
	uint64_t refuse;
	bool pin;
	bool knobs;
	bool all;

	const char *against;
	struct vec against_set;

	/* advice */
	int advice;
	const char *policy;	/* "": the one in force */
	bool dry_run;
	struct vec ranges;
	uint64_t max_pages;
	uint64_t cursor;
	uint64_t coverage;
	uint64_t vma;
	bool proven_only;
	bool freeze;
	const char *record;

	/* watching */
	int32_t pid;
	uint64_t interval;
	uint64_t idle;
	uint64_t ages;
	uint64_t every;
	uint64_t count;
	uint64_t buffer;
	bool records;
	const char *output;
	uint64_t max_size;
	uint64_t max_time;
	uint64_t max_files;
	bool children;
	bool daemon;
	uint64_t duration;
	const char *show;
	const char *plot;
	const char *html;
	uint64_t from;
	uint64_t to;
	bool csv;

	const char *explain;

	/* daemon */
	const char *config;
	bool check_config;

	/* operands */
	int nr_operands;
	char **operands;
};

struct example {
	const char *command;
	const char *comment;
};

struct verb {
	const char *name;
	const char *operands;		/* "POLICY TARGET...", or "" */
	int min_operands;
	int max_operands;		/* -1: any number */
	const char *summary;
	const struct option_def *options;
	const struct example *examples;
	int (*run)(const struct args *args);
	void (*dump_man)(void);		/* more for the man page, or NULL */
	/*
	 * The nth of the words that PART or FEATURE stands for among its options, NULL
	 * after the last; NULL if it has no such option.
	 */
	const char *(*word)(size_t nr);
};

/* Options that every verb has, and the end of the table. */
#define OPTIONS_COMMON \
	{ "json", 'j', OPTION_FLAG, offsetof(struct args, json), NULL, \
	  "print JSON lines: objects with \"schema\", \"ts\" and \"type\"" }, \
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct args, quiet), NULL, \
	  "print no notes and no progress on stderr" }, \
	{ "verbose", 'v', OPTION_FLAG, offsetof(struct args, verbose), NULL, \
	  "also print the output of libbpf and the verifier" }, \
	{ "help", 'h', OPTION_FLAG, offsetof(struct args, help), NULL, \
	  "print this help" }, \
	{ }

#define RECORD_DEFAULT	"pmadv.rec"

/* Options of the verbs that watch: the target, and the size of the buffer. */
#define OPTION_WATCHED_PID \
	{ "pid", 'p', OPTION_PID, offsetof(struct args, pid), "PID", \
	  "only what is done to this process" }

#define OPTION_BUFFER \
	{ "buffer", 'b', OPTION_SIZE, offsetof(struct args, buffer), "SIZE", \
	  "size of the ring buffer, made a power of two of pages; default: 1M" }

#define OPTION_SET \
	{ "set", 's', OPTION_TEXTS, offsetof(struct args, set), "NAME=VALUE", \
	  "set a knob of the policy, before it is loaded; NAME+=VALUE appends " \
	  "to a table; repeatable" }

#define OPTION_SCOPE \
	{ "cgroup", 'c', OPTION_CGROUP, offsetof(struct args, cgroup), "PATH", \
	  "only for the processes of this cgroup (v2) and those below it; " \
	  "default: the whole system" }

/* Options of the verbs that walk, for kernels without the hook. */
#define OPTIONS_EXACT \
	{ "proven-only", 'P', OPTION_FLAG, offsetof(struct args, proven_only), NULL, \
	  "without the hook: ask in small batches, and give up ranges rather than " \
	  "advise what may have changed since the policy was asked" }, \
	{ "freeze", 'F', OPTION_FLAG, offsetof(struct args, freeze), NULL, \
	  "without the hook: freeze the cgroup (v2) of the target while each batch " \
	  "is asked about and advised" }

extern const struct option_def main_options[];
extern const struct verb *const verbs[];

const struct verb *verb_find(const char *name);

/*
 * Parse @argv; argv[0] is the name of the verb or program. @stop_at_operand is
 * for the program itself, whose first operand is the verb. Returns 0, -EUSAGE
 * or -ENOMEM; errors are reported.
 */
int options_parse(const struct option_def *options, int argc, char **argv,
		  bool stop_at_operand, struct args *args);
void args_free(struct args *args);

/* Between an option and its argument: "" where the value brings its own "=". */
const char *option_gap(const struct option_def *def);

/* Print --help. */
void options_print_help(const struct verb *verb);
void options_print_main_help(void);

/* pmadv --dump-options table|completion SHELL|man VERB: for the build and its tests. */
int options_dump(int argc, char **argv);

extern const struct verb verb_advise, verb_attach, verb_daemon, verb_detach,
	verb_explain, verb_list, verb_metrics, verb_monitor, verb_probe, verb_record,
	verb_report, verb_run, verb_simulate, verb_top;

#endif /* PMADV_OPTIONS_H */
