/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the parts of the torture: options, random numbers that a seed
 * repeats, and counters shared by processes.
 */
#ifndef SELFTESTS_TORTURE_H
#define SELFTESTS_TORTURE_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/util.h"

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t x = rng->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* 0 to n - 1 */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return rng_next(rng) % n;
}

/* True once in @n times. */
static inline bool rng_once_in(struct rng *rng, unsigned int n)
{
	return !rng_below(rng, n);
}

#define rng_pick(rng, array)	((array)[rng_below(rng, ARRAY_LEN(array))])

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	nanosleep(&ts, NULL);
}

/* Options of every part: the seed, and how long to go on. */
struct torture_options {
	uint64_t seed;
	unsigned int seconds;
};

static inline bool torture_number(const char *text, uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, 0);
	return *text && !*end;
}

/* Exit status 2 for a usage error: only main() calls it and exits with it. */
static inline int torture_options(int argc, char **argv,
				  struct torture_options *o)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ }
	};
	uint64_t number = 0;
	int c;

	o->seed = 1;
	o->seconds = 10;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?' || !torture_number(optarg, &number)) {
			fprintf(stderr, "usage: %s [--seed N] [--seconds N]\n",
				argv[0]);
			return 2;
		}
		if (c == 's')
			o->seed = number;
		else
			o->seconds = number;
	}
	return 0;
}

/* A result: "count NAME NUMBER", which torture/run adds up. */
static inline void torture_count(const char *name, uint64_t number)
{
	printf("count %s %llu\n", name, (unsigned long long)number);
}

#endif /* SELFTESTS_TORTURE_H */
