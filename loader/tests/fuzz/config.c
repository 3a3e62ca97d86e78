// SPDX-License-Identifier: GPL-2.0
/* The configuration of the daemon. */
#include "fuzz.h"

#include "daemon/config.h"
#include "lib/error.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rule *rule;
	struct config config;
	int err;

	err = config_read(fuzz_file(data, size), &config);
	must(!err || err == -EUSAGE);
	rule = config.rules.items;
	for (size_t i = 0; i < config.rules.nr; i++) {
		must(*rule[i].name && *rule[i].policy);
		must(rule[i].pace.every_ns && rule[i].free_under_percent <= 100);
		must(!rule[i].uid.given || rule[i].uid.low <= rule[i].uid.high);
	}
	if (!err)
		config_free(&config);
	return 0;
}
