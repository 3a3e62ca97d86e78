/* SPDX-License-Identifier: GPL-2.0 */
/* The cgroups that the pattern of a rule stands for. */
#ifndef PMADV_RULE_CGROUPS_H
#define PMADV_RULE_CGROUPS_H

#include <stddef.h>

#include "daemon/config.h"

/* The folders of the cgroups that a rule matches; free with globfree(). */
struct rule_cgroups {
	size_t nr;
	char **paths;
	void *found;
};

int rule_cgroups(const struct rule *rule, struct rule_cgroups *cgroups);
void rule_cgroups_free(struct rule_cgroups *cgroups);

#endif /* PMADV_RULE_CGROUPS_H */
