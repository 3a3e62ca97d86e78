// SPDX-License-Identifier: GPL-2.0
/*
 * The part of the benchmark that runs in the guest; selftests/bench/run calls
 * it on our kernel and on the stock one and makes the table. Natively: native,
 * young, load and many.
 *
 * Usage: bench [-n SAMPLES] [-v VMAS] MEASUREMENT...
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const struct {
	const char *name;
	int (*run)(const struct options *opts);
} measurements[] = {
	{ "few", bench_few },
	{ "all", bench_all },
	{ "noop", bench_noop },
	{ "vector", bench_vector },
	{ "counts", bench_counts },
	{ "pageout", bench_pageout },
	{ "latency", bench_latency },
	{ "records", bench_records },
	{ "scale", bench_scale },
	{ "memory", bench_memory },
	{ "native", bench_native },
	{ "usual", bench_usual },
	{ "young", bench_young },
	{ "load", bench_load },
	{ "many", bench_many },
	{ "storm", bench_storm },
};

static int measure(const char *name, const struct options *opts)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(measurements); i++)
		if (!strcmp(name, measurements[i].name))
			return measurements[i].run(opts);
	return failed(name, -ENOENT);
}

int main(int argc, char **argv)
{
	struct options opts = { .samples = 5, .vmas = 20000 };
	int opt, err = 0;

	while ((opt = getopt(argc, argv, "n:v:")) != -1) {
		switch (opt) {
		case 'n':
			opts.samples = strtoul(optarg, NULL, 0);
			break;
		case 'v':
			opts.vmas = strtoul(optarg, NULL, 0);
			break;
		default:
			fprintf(stderr, "Usage: %s [-n SAMPLES] [-v VMAS] MEASUREMENT...\n",
				argv[0]);
			return 2;
		}
	}
	/* Pages that another CPU's LRU batches hold would be left alone. */
	pin_to_cpu(0);
	for (; optind < argc && !err; optind++)
		err = measure(argv[optind], &opts);
	return err ? 1 : 0;
}
