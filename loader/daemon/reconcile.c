// SPDX-License-Identifier: GPL-2.0
#include "daemon/reconcile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/config.h"
#include "daemon/rule_cgroups.h"
#include "lib/error.h"
#include "lib/filelock.h"
#include "lib/util.h"
#include "policy/links.h"
#include "policy/policy.h"
#include "policy/sysfs.h"

static struct scope *find_scope(struct scopes *scopes, uint64_t cgroup_id)
{
	struct scope *scope = scopes->scopes.items;

	for (size_t i = 0; i < scopes->scopes.nr; i++)
		if (scope[i].cgroup_id == cgroup_id)
			return &scope[i];
	return NULL;
}

static void make_pin(struct scope *scope)
{
	snprintf(scope->pin, sizeof(scope->pin), SCOPES_DIR "/%s@%" PRIu64 "-%08x",
		 scope->name, scope->cgroup_id, scope->fingerprint);
}

static bool parse_pin(const char *name, struct scope *scope)
{
	char end;

	return sscanf(name, "%15[^@]@%" SCNu64 "-%8x%c", scope->name, &scope->cgroup_id,
		      &scope->fingerprint, &end) == 3;
}

/* Take over a pin that an earlier daemon left. The pin of a dead link is useless. */
static int adopt(struct scopes *scopes, const char *name)
{
	struct scope scope = { }, *item;

	if (!parse_pin(name, &scope))
		return 0;
	make_pin(&scope);
	scope.link_fd = bpf_obj_get(scope.pin);
	/* It was detached meanwhile. */
	if (scope.link_fd < 0 && errno == ENOENT)
		return 0;
	if (scope.link_fd < 0)
		return say_error(-errno, "%s: %s", scope.pin, strerror(errno));
	if (!link_in_force(scope.link_fd)) {
		unlink(scope.pin);
		close(scope.link_fd);
		return 0;
	}

	item = vec_add(&scopes->scopes, sizeof(*item));
	if (!item) {
		close(scope.link_fd);
		return say_no_memory();
	}
	*item = scope;
	say_note("found policy %s in force (%s)", scope.name, scope.pin);
	return 0;
}

static int adopt_all(struct scopes *scopes)
{
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	dir = opendir(SCOPES_DIR);
	if (!dir)
		return say_error(-errno, SCOPES_DIR ": %s", strerror(errno));
	while (!err && (entry = readdir(dir)))
		err = adopt(scopes, entry->d_name);
	closedir(dir);
	return err;
}

int scopes_open(struct scopes *scopes)
{
	char holder[LOCK_HOLDER_LEN];
	int err;

	memset(scopes, 0, sizeof(*scopes));
	scopes->lock_fd = -1;
	err = pin_dir_make(PIN_DIR);
	if (!err)
		err = pin_dir_make(SCOPES_DIR);
	if (err)
		return err;

	scopes->lock_fd = open(SCOPES_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scopes->lock_fd < 0)
		return say_error(-errno, SCOPES_DIR ": %s", strerror(errno));
	err = lock_take(scopes->lock_fd, SCOPES_DIR);
	if (err == -EBUSY)
		return say_error(err, "another pmadv daemon is running%s: one is enough, give it your rules and a SIGHUP, or end it first",
				 lock_holder(scopes->lock_fd, holder));
	if (err)
		return say_error(err, "cannot lock " SCOPES_DIR ": %s", error_text(err));
	if (sysfs_ejected(&scopes->ejected_before))
		scopes->ejected_before = 0;
	return adopt_all(scopes);
}

static void forget(struct scope *scope, bool detach)
{
	if (scope->link_fd < 0)
		return;
	if (detach)
		bpf_link_detach(scope->link_fd);
	unlink(scope->pin);
	close(scope->link_fd);
	scope->link_fd = -1;
}

/* What there is afterwards is for policy_close(), also after an error. */
static int open_policy(struct policy *policy, const struct rule *rule, const char *path)
{
	int err = policy_open(policy, rule->policy);

	return err ? err : policy_set(policy, &rule->set, path);
}

static void take_policy(struct scope *scope, const struct rule *rule,
			const struct policy *policy)
{
	memcpy(scope->name, policy->name, sizeof(scope->name));
	scope->fingerprint = rule->fingerprint;
	make_pin(scope);
}

static int put_in_force(struct scope *scope, const struct rule *rule, const char *path)
{
	struct policy policy;
	int err;

	err = open_policy(&policy, rule, path);
	if (!err)
		err = policy_attach(&policy);
	if (err)
		goto out;

	take_policy(scope, rule, &policy);
	err = policy_pin_at(&policy, scope->pin);
	if (err)
		goto out;
	scope->link_fd = fcntl(policy_fd(&policy), F_DUPFD_CLOEXEC, 0);
	say_note("rule %s: policy %s is in force for %s", rule->name, scope->name,
		 path ? path : "the system");
out:
	policy_close(&policy);
	return err;
}

/* The link stays, so that the scope is never without a policy. */
static int replace(struct scope *scope, const struct rule *rule, const char *path)
{
	char old_pin[PATH_MAX];
	struct policy policy;
	int err;

	err = open_policy(&policy, rule, path);
	if (!err)
		err = policy_replace(&policy, scope->link_fd);
	if (err)
		goto out;

	snprintf(old_pin, sizeof(old_pin), "%s", scope->pin);
	take_policy(scope, rule, &policy);
	/* With the old name of the pin, the next daemon would replace it again. */
	if (rename(old_pin, scope->pin)) {
		say_warning("cannot rename %s: %s", old_pin, strerror(errno));
		memcpy(scope->pin, old_pin, sizeof(scope->pin));
	}
	say_note("rule %s: policy %s is in force for %s, in place of what was", rule->name,
		 scope->name, path ? path : "the system");
out:
	policy_close(&policy);
	return err;
}

/* Whether in force or not, the scope gets the policy of the rule. */
static void change(struct scope *scope, const struct rule *rule, const char *path)
{
	int err = -ENOLINK;

	if (link_in_force(scope->link_fd))
		err = replace(scope, rule, path);
	/* The kernel cannot replace every policy, nor one that has just left. */
	if (err) {
		forget(scope, true);
		err = put_in_force(scope, rule, path);
	}
	if (err)
		say_warning("rule %s: no policy of ours for %s until the next SIGHUP",
			    rule->name, path ? path : "the system");
}

/*
 * Somebody detached the policy, or the kernel ejected it. If the cgroup is
 * gone, neither happened.
 */
static void check_gone(struct scopes *scopes, struct scope *scope)
{
	struct policy policy = { .ejected_before = scopes->ejected_before };

	if (scope->link_fd < 0 || link_in_force(scope->link_fd))
		return;
	memcpy(policy.name, scope->name, sizeof(policy.name));
	policy_say_gone(&policy);
	sysfs_ejected(&scopes->ejected_before);
	forget(scope, false);
}

static int apply_one(struct scopes *scopes, const struct rule *rule, const char *path,
		     bool retry)
{
	struct scope *scope;
	struct stat st = { };

	if (path && stat(path, &st))
		return 0;
	scope = find_scope(scopes, st.st_ino);
	if (!scope) {
		scope = vec_add(&scopes->scopes, sizeof(*scope));
		if (!scope)
			return say_no_memory();
		scope->cgroup_id = st.st_ino;
		scope->link_fd = -1;
		scope->wanted = true;
		change(scope, rule, path);
		return 0;
	}

	/* The first rule for a scope decides. */
	if (scope->wanted)
		return 0;
	scope->wanted = true;
	check_gone(scopes, scope);
	if (scope->link_fd < 0 ? retry : scope->fingerprint != rule->fingerprint)
		change(scope, rule, path);
	return 0;
}

static int apply_rule(struct scopes *scopes, const struct rule *rule, bool retry)
{
	struct rule_cgroups cgroups;
	int err;

	if (!rule->cgroup)
		return apply_one(scopes, rule, NULL, retry);
	err = rule_cgroups(rule, &cgroups);
	for (size_t i = 0; i < cgroups.nr && !err; i++)
		err = apply_one(scopes, rule, cgroups.paths[i], retry);
	rule_cgroups_free(&cgroups);
	return err;
}

/* This also drops scopes whose cgroup is gone, and with it their policy. */
static void drop_unwanted(struct scopes *scopes)
{
	struct scope *scope = scopes->scopes.items;
	size_t kept = 0;

	for (size_t i = 0; i < scopes->scopes.nr; i++) {
		if (scope[i].wanted) {
			scope[kept++] = scope[i];
			continue;
		}
		if (link_in_force(scope[i].link_fd))
			say_note("policy %s is taken out of force: no rule wants it",
				 scope[i].name);
		forget(&scope[i], true);
	}
	scopes->scopes.nr = kept;
}

int scopes_apply(struct scopes *scopes, const struct config *config, bool retry)
{
	const struct rule *rule = config->rules.items;
	struct scope *scope = scopes->scopes.items;
	int err = 0;

	for (size_t i = 0; i < scopes->scopes.nr; i++)
		scope[i].wanted = false;
	for (size_t i = 0; i < config->rules.nr && !err; i++)
		err = apply_rule(scopes, &rule[i], retry);
	if (!err)
		drop_unwanted(scopes);
	return err;
}

pid_t scopes_owner(void)
{
	int fd = open(SCOPES_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = 0;

	if (fd >= 0) {
		pid = lock_holder_pid(fd);
		close(fd);
	}
	return pid;
}

void scopes_detach(struct scopes *scopes)
{
	struct scope *scope = scopes->scopes.items;

	for (size_t i = 0; i < scopes->scopes.nr; i++)
		forget(&scope[i], true);
}

void scopes_close(struct scopes *scopes)
{
	struct scope *scope = scopes->scopes.items;

	for (size_t i = 0; i < scopes->scopes.nr; i++)
		if (scope[i].link_fd >= 0)
			close(scope[i].link_fd);
	vec_free(&scopes->scopes);
	if (scopes->lock_fd >= 0)
		close(scopes->lock_fd);
}
