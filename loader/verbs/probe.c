// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <linux/magic.h>
#include <linux/prctl.h>
#include <pmadv/process_madvise.h>

#include "engine/engine.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/privileges.h"
#include "lib/results.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/bpf_log.h"
#include "policy/hook.h"
#include "policy/links.h"
#include "policy/sysfs.h"
#include "proc/cgroup.h"

#define DETAIL_LEN	128

static const struct option_def options[] = {
	{ "explain", 'e', OPTION_TEXT, offsetof(struct args, explain), "FEATURE",
	  "all about one feature: whether it is here, what it is for, the first Linux "
	  "that has it, and how to switch it on" },
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv probe", "what there is, and what to do about what is missing" },
	{ "pmadv probe --explain CAP_BPF", "what it is for, and how to get it" },
	{ "pmadv probe --json | jq -r 'select(.available==false).feature'",
	  "the names of what is missing" },
	{ "pmadv probe --quiet >/dev/null || echo 'no policies here'",
	  "in a script: the exit status is 3 where no policy can run" },
	{ }
};

/* The input and the result of probing a feature. */
struct probe {
	struct libscols_table *table;
	struct btf *btf;
	bool hook;
	bool usable;		/* policies, by hook or engine */
	bool available;
	char detail[DETAIL_LEN];
};

struct feature {
	const char *name;
	/* Sets available and, if there is more to report, detail. */
	void (*look)(struct probe *probe, const char *what);
	const char *what;
	const char *word;	/* what --explain calls it; more than one feature may be it */
	const char *since;	/* the first Linux that has it */
	const char *purpose;
	const char *fix;	/* what to do if it is not there */
};

/*
 * The call refuses unknown flags with EINVAL before it checks anything else;
 * with a known flag it fails with EBADF, because the file descriptor is
 * invalid.
 */
static void look_at_flag(struct probe *probe, const char *what)
{
	struct pmadv_result result = { .size = sizeof(result) };
	unsigned int flag = (unsigned int)strtoul(what, NULL, 0);
	long ret;

	ret = syscall(SYS_process_madvise, -1, NULL, 0UL, MADV_COLD, flag, &result);
	probe->available = ret < 0 && errno == EBADF;
	if (!probe->available)
		snprintf(probe->detail, sizeof(probe->detail), "%s",
			 ret < 0 ? strerrorname_np(errno) : "no error");
}

/* The address of this variable lies in some mapping. */
static void look_at_vma_fd(struct probe *probe, const char *what)
{
	int pidfd = pmadv_open(getpid()), fd = -1;
	struct pidfd_vma vma;

	(void)what;
	if (pidfd >= 0)
		fd = pmadv_open_vma(pidfd, (uintptr_t)&vma, &vma);
	probe->available = fd >= 0;
	if (fd < 0)
		snprintf(probe->detail, sizeof(probe->detail), "%s", strerrorname_np(errno));
	else
		close(fd);
	if (pidfd >= 0)
		close(pidfd);
}

static void look_at_btf(struct probe *probe, const char *name, uint32_t kind)
{
	if (!probe->btf)
		snprintf(probe->detail, sizeof(probe->detail), "no BTF to look at");
	else
		probe->available = btf__find_by_name_kind(probe->btf, name, kind) > 0;
}

static void look_at_vmlinux(struct probe *probe, const char *what)
{
	(void)what;
	probe->available = probe->btf;
}

static void look_at_hook(struct probe *probe, const char *what)
{
	look_at_btf(probe, what, BTF_KIND_STRUCT);
	probe->hook = probe->available;
}

static void look_at_kfunc(struct probe *probe, const char *what)
{
	look_at_btf(probe, what, BTF_KIND_FUNC);
}

static void look_at_tracepoint(struct probe *probe, const char *what)
{
	look_at_btf(probe, what, BTF_KIND_TYPEDEF);
}

static void look_at_path(struct probe *probe, const char *what)
{
	probe->available = !access(what, F_OK);
	if (probe->available)
		snprintf(probe->detail, sizeof(probe->detail), "%s", what);
}

static void look_at_cgroup(struct probe *probe, const char *what)
{
	char path[PATH_MAX];

	(void)what;
	probe->available = !cgroup_mount(path);
	if (probe->available)
		snprintf(probe->detail, sizeof(probe->detail), "%.100s", path);
}

static void look_at_bpffs(struct probe *probe, const char *what)
{
	struct statfs fs;

	probe->available = !statfs(what, &fs) && fs.f_type == BPF_FS_MAGIC;
	if (probe->available)
		snprintf(probe->detail, sizeof(probe->detail), "%s", what);
}

/* Without networking the file does not exist, and the JIT is on if it is built in. */
static void look_at_jit(struct probe *probe, const char *what)
{
	uint64_t enabled;
	int err;

	err = read_u64(what, &enabled);
	probe->available = err == -ENOENT || (!err && enabled);
	if (err == -ENOENT)
		snprintf(probe->detail, sizeof(probe->detail), "no switch for it: on if built");
	else if (err)
		snprintf(probe->detail, sizeof(probe->detail), "%s: %s", what,
			 error_text(err));
}

static void look_at_capability(struct probe *probe, const char *what)
{
	probe->available = privilege_held(what);
}

static void look_at_swap(struct probe *probe, const char *what)
{
	char line[256], name[128];
	uint64_t size, used;
	FILE *swaps;

	swaps = fopen(what, "re");
	if (!swaps)
		return;
	while (fgets(line, sizeof(line), swaps)) {
		char bytes[HUMAN_LEN];

		if (sscanf(line, "%127s %*s %" SCNu64 " %" SCNu64, name, &size, &used) != 3)
			continue;
		probe->available = true;
		snprintf(probe->detail, sizeof(probe->detail), "%.60s, %s", name,
			 human_bytes(size * 1024, bytes));
	}
	fclose(swaps);
}

static void look_at_anon_name(struct probe *probe, const char *what)
{
	size_t size = page_size();
	void *page;

	page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return;
	probe->available = !prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, page, size, what);
	munmap(page, size);
}

#define FIX_BOOT	"boot a kernel with this project's patches"
#define FIX_HOOK	"build the kernel with CONFIG_PROCESS_MADVISE_BPF=y"
#define FIX_ROOT	"run as root, or grant the capability"
#define OURS		"no Linux yet: this project's patches"
#define FLAG(flag, value, purpose) \
	{ "flag " flag, look_at_flag, value, flag, OURS, purpose, FIX_BOOT }
#define KFUNC(name, purpose) \
	{ "kfunc " name, look_at_kfunc, name, name, OURS, purpose, FIX_HOOK }
#define TRACEPOINT(name, purpose) \
	{ "tracepoint process_madvise:" name, look_at_tracepoint, "btf_trace_" name, \
	  name, OURS, purpose, FIX_HOOK }

static const struct feature features[] = {
	{ "process_madvise(2)", look_at_flag, "0", "process_madvise",
	  "5.10; with COLLAPSE 6.1", "advice for another process's memory: all that pmadv does",
	  "build the kernel with CONFIG_ADVISE_SYSCALLS=y, 5.10 or later" },
	FLAG("PMADV_POLICY", "1", "a call in which the policy in force decides"),
	FLAG("PMADV_ENTIRE_ADDRESS_SPACE", "2", "a whole process in one call"),
	FLAG("PMADV_SKIP_ERRORS", "4", "holes and refusals are counted, and end nothing"),
	FLAG("PMADV_DRY_RUN", "8", "what a call would do, with nothing changed"),
	FLAG("PMADV_RESULT", "16", "the cursor, the counts and the statistics of a call"),
	{ "VMA fd (PIDFD_GET_VMA)", look_at_vma_fd, NULL, "VMA_FD", OURS,
	  "advice for exactly one mapping: advise --vma",
	  "build the kernel with CONFIG_VMA_FD=y" },
	{ "kernel BTF", look_at_vmlinux, NULL, "BTF", "5.4",
	  "policies find the kernel's types by it, through hook and engine",
	  "build the kernel with CONFIG_DEBUG_INFO_BTF=y" },
	{ "hook " OPS_TYPE, look_at_hook, OPS_VALUE_TYPE, OPS_TYPE, OURS,
	  "a policy is asked under the kernel's own lock, whoever calls: attach, list, detach",
	  FIX_HOOK },
	KFUNC("bpf_pmadv_vma_name", "a policy reads the name of a mapping"),
	KFUNC("bpf_pmadv_sample", "a policy looks at some pages of a range"),
	KFUNC("bpf_pmadv_error", "a policy gives up, and says why"),
	TRACEPOINT("pmadv_range", "monitor, record and top see what became of each range"),
	TRACEPOINT("pmadv_call", "monitor, record and top see what each call did"),
	{ "counters in sysfs", look_at_path, SYSFS_DIR, "sysfs", OURS,
	  "what each policy has done since it was attached: list, metrics, top", FIX_HOOK },
	{ "BPF JIT", look_at_jit, "/proc/sys/net/core/bpf_jit_enable", "JIT",
	  "3.0 for x86-64, 3.18 for arm64",
	  "a policy answers in tens of nanoseconds; the interpreter cannot call the kernel",
	  "do 'sysctl net.core.bpf_jit_enable=1'; CONFIG_BPF_JIT=y" },
	{ "bpf file system", look_at_bpffs, BPFFS_DIR, "bpffs", "4.4",
	  "a policy stays when the command ends: attach --pin",
	  "do 'mount -t bpf bpf " BPFFS_DIR "'; only --pin needs it" },
	{ "cgroup v2", look_at_cgroup, NULL, "cgroup2", "4.5",
	  "cgroups as targets and scopes, and their pressure and refaults",
	  "do 'mount -t cgroup2 cgroup2 /sys/fs/cgroup'; CONFIG_CGROUPS=y" },
	{ "names of anonymous memory", look_at_anon_name, "pmadv", "ANON_VMA_NAME", "5.17",
	  "policies tell apart what a program has named with prctl(2)",
	  "build the kernel with CONFIG_ANON_VMA_NAME=y" },
	{ "swap", look_at_swap, "/proc/swaps", "swap", "any version",
	  "where anonymous memory goes that is paged out",
	  "do 'swapon', or set up zram: without it anonymous memory stays" },
	{ "CAP_BPF", look_at_capability, "bpf", "CAP_BPF", "5.8",
	  "loading policies and the monitor", FIX_ROOT ": policies and monitor" },
	{ "CAP_PERFMON", look_at_capability, "perfmon", "CAP_PERFMON", "5.8",
	  "policies and the monitor read the kernel's memory",
	  FIX_ROOT ": policies and monitor" },
	{ "CAP_SYS_NICE", look_at_capability, "sys_nice", "CAP_SYS_NICE", "any version",
	  "advising other processes", FIX_ROOT ": advising others" },
	{ "CAP_SYS_PTRACE", look_at_capability, "sys_ptrace", "CAP_SYS_PTRACE", "any version",
	  "advising other users' processes, and reading their mappings",
	  FIX_ROOT ": advising other users' processes" },
	{ "CAP_SYS_ADMIN", look_at_capability, "sys_admin", "CAP_SYS_ADMIN", "any version",
	  "listing and detaching links of others", FIX_ROOT ": list and detach" },
};

static void look(struct probe *probe, const struct feature *feature)
{
	probe->available = false;
	probe->detail[0] = '\0';
	feature->look(probe, feature->what);
}

static int print_feature(const struct probe *probe, const struct feature *feature)
{
	const char *fix = probe->available ? NULL : feature->fix;
	char why[DETAIL_LEN + 128];

	if (out_json()) {
		struct json_object *line = json_line("feature");

		json_text(line, "feature", feature->name);
		json_flag(line, "available", probe->available);
		json_text(line, "detail", *probe->detail ? probe->detail : NULL);
		json_text(line, "fix", fix);
		json_text(line, "since", feature->since);
		json_text(line, "purpose", feature->purpose);
		return json_print(line);
	}

	snprintf(why, sizeof(why), "%s%s%s", probe->detail,
		 fix && *probe->detail ? "; " : "", fix ? fix : "");
	return table_row(probe->table, feature->name, probe->available ? "yes" : "no", why);
}

/* What a policy can do, with the hook and with the engine for other kernels. */
struct ability {
	const char *name;
	/* The hook can do all; can the engine here? NULL: never. */
	bool (*engine_can)(const struct engine_features *features);
	const char *why;	/* what it takes, or what is different */
};

static bool always(const struct engine_features *features)
{
	(void)features;
	return true;
}

static bool proves(const struct engine_features *features)
{
	return features->proof;
}

static bool reads_page_tables(const struct engine_features *features)
{
	return features->page_tables;
}

static bool rechecks(const struct engine_features *features)
{
	return features->recheck;
}

static bool collapses(const struct engine_features *features)
{
	return features->collapse;
}

static bool shows_walks(const struct engine_features *features)
{
	(void)features;
	return !access("/sys/bus/event_source/devices/uprobe", F_OK);
}

static const struct ability abilities[] = {
	{ "verdicts, narrowing, names, facts", always, "but for the fact SEALED" },
	{ "begin, end, init, exit, advised", always, "" },
	{ "bpf_pmadv_error(), ejection", always, "" },
	{ "dry run, cgroups as targets", always, "" },
	{ "MADV_COLLAPSE", collapses, "from 6.1 on" },
	{ "bpf_pmadv_sample()", reads_page_tables, "on x86-64" },
	{ "SKIP_YOUNG with PAGEOUT", reads_page_tables,
	  "on x86-64; young pages are marked as seen with COLD" },
	{ "SKIP_YOUNG with COLD", reads_page_tables,
	  "young pages are marked as seen, but deactivated, too" },
	{ "max_pages, budgets", always,
	  "where page tables cannot be read every page of the addresses counts" },
	{ "statistics of pages", reads_page_tables,
	  "scanned, young, swapped, reclaimed; others take the hook" },
	{ "what changed is noticed before acting", rechecks, "from 5.17 on" },
	{ "ranges proven exact", proves,
	  "from 6.4 on, by mm_lock_seq; with the hook all are exact" },
	{ "decided and done under one lock", NULL, "takes the hook" },
	{ "in force for other callers", NULL, "takes the hook: attach, list, detach" },
	{ "walks of pmadv in monitor, record, top", shows_walks,
	  "without the hook: CONFIG_UPROBE_EVENTS=y" },
	{ "calls of others in monitor, record, top", NULL, "takes the hook's tracepoints" },
	{ "counters in metrics, top", always, "without the hook: while pmadv runs" },
	{ "trusted task and vma for kfuncs", NULL, "takes the hook" },
};

static int print_ability(const struct probe *probe, const struct ability *ability,
			 const struct engine_features *features)
{
	bool engine = features && ability->engine_can && ability->engine_can(features);
	bool here = probe->hook || engine;

	if (out_json()) {
		struct json_object *line = json_line("ability");

		json_text(line, "ability", ability->name);
		json_flag(line, "here", here);
		json_flag(line, "hook", true);
		json_flag(line, "engine", engine);
		json_text(line, "detail", *ability->why ? ability->why : NULL);
		return json_print(line);
	}
	return table_row(probe->table, ability->name, here ? "yes" : "no", "yes",
			 engine ? "yes" : probe->hook ? "-" : "no", ability->why);
}

/* A policy that wants nothing done is loaded, and asked about ourselves. */
static int look_at_engine(struct engine_features *features)
{
	struct engine_walk walk = { .pid = getpid(), .flags = PMADV_DRY_RUN };
	struct engine *engine;
	int err;

	err = engine_open(&engine, "noop");
	if (!err)
		err = engine_load(engine);
	if (!err)
		err = engine_walk(engine, &walk);
	if (!err)
		engine_features(engine, features);
	engine_close(engine);
	return err;
}

static int show_abilities(struct probe *probe)
{
	static const char *const columns[] = {
		"FOR POLICIES", "HERE", "HOOK", "ENGINE", "WHY NOT, OR WHAT IS DIFFERENT", NULL
	};
	struct engine_features features;
	bool engine;
	int err = 0;

	/* Its programs are none that a kernel with the hook lets use its kfuncs. */
	engine = !probe->hook && !look_at_engine(&features);
	probe->usable = probe->hook || engine;
	scols_unref_table(probe->table);
	probe->table = table_new(columns);
	if (!probe->table)
		return say_no_memory();
	for (size_t i = 0; i < ARRAY_SIZE(abilities) && !err; i++)
		err = print_ability(probe, &abilities[i], engine ? &features : NULL);
	if (err || out_json())
		return err;
	out_text("\n");
	err = table_print(probe->table);
	if (!err && probe->hook)
		out_text("\nthe hook is there, so the engine for other kernels is not used\n");
	else if (!err && engine)
		out_text("\nthere is no hook, so the engine for other kernels is used\n");
	return err;
}

static int show_features(struct probe *probe)
{
	static const char *const columns[] = { "FEATURE", "HERE", "DETAIL, OR WHAT TO DO", NULL };
	int err = 0;

	probe->table = table_new(columns);
	if (!probe->table)
		return say_no_memory();
	for (size_t i = 0; i < ARRAY_SIZE(features) && !err; i++) {
		look(probe, &features[i]);
		err = print_feature(probe, &features[i]);
	}
	if (!err && !out_json())
		err = table_print(probe->table);
	return err;
}

static const char *feature_word(size_t nr)
{
	return nr < ARRAY_SIZE(features) ? features[nr].word : NULL;
}

/* By its word, or by a part of its name that no other feature has; NULL: reported. */
static const struct feature *find_feature(const char *text)
{
	const struct feature *found = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		if (!strcasecmp(text, features[i].word))
			return &features[i];
		if (!strcasestr(features[i].name, text))
			continue;
		found = &features[i];
		nr++;
	}
	if (nr == 1)
		return found;
	say_error(-EUSAGE, "--explain '%s': %s; 'pmadv probe' has the names", text,
		  nr ? "more than one feature is called so" : "there is no such feature");
	return NULL;
}

static int explain_feature(struct probe *probe, const char *text)
{
	const struct feature *feature = find_feature(text);

	if (!feature)
		return -EUSAGE;
	look(probe, feature);
	if (out_json())
		return print_feature(probe, feature);
	out_text("%s\n", feature->name);
	out_text("  here        %s%s%s\n", probe->available ? "yes" : "no",
		 *probe->detail ? ": " : "", probe->detail);
	out_text("  for         %s\n", feature->purpose);
	out_text("  since       %s%s\n", isdigit((unsigned char)*feature->since) ? "Linux " : "",
		 feature->since);
	out_text("  to get it   %s\n", feature->fix);
	return out_flush();
}

static int show_all(struct probe *probe)
{
	struct utsname name;
	int err;

	err = show_features(probe);
	if (!err)
		err = show_abilities(probe);
	if (err || probe->usable)
		return err;
	if (uname(&name))
		name.release[0] = '\0';
	return say_error(-ELACKS, "kernel %s can run no policies for process_madvise(2)",
			 name.release);
}

static int probe_run(const struct args *args)
{
	struct probe probe = { };
	int err;

	probe.btf = btf__load_vmlinux_btf();
	policy_log_forget();
	err = args->explain ? explain_feature(&probe, args->explain) : show_all(&probe);
	btf__free(probe.btf);
	scols_unref_table(probe.table);
	return err;
}

const struct verb verb_probe = {
	.name = "probe",
	.operands = "",
	.min_operands = 0,
	.max_operands = 0,
	.summary = "Show which of the features the running kernel has, and how to get the others.",
	.options = options,
	.examples = examples,
	.run = probe_run,
	.word = feature_word,
};
