// SPDX-License-Identifier: GPL-2.0
#include "engine/join.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "lib/error.h"
#include "lib/util.h"
#include "policy/bpf_log.h"
#include "policy/object.h"

/* Structures of .BTF.ext, which libbpf does not export. */
struct ext_header {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t header_size;
	uint32_t func_offset;
	uint32_t func_size;
	uint32_t line_offset;
	uint32_t line_size;
	uint32_t core_offset;
	uint32_t core_size;
};

/* The relocations of one section follow each. */
struct core_section {
	uint32_t name_offset;
	uint32_t nr;
};

struct core_record {
	uint32_t insn_offset;
	uint32_t type_id;
	uint32_t access_offset;
	uint32_t kind;
};

static const char *const hook_types[] = {
	"pmadv_range", "pmadv_sample", "pmadv_pages", "pmadv_stats", "pmadv_walk",
	"pmadv_result", "pmadv_exit_info",
};

/* "NAME" or a flavour of it, "NAME___x". */
static bool is_flavour(const char *name, const char *of)
{
	size_t length = strlen(of);

	return !strncmp(name, of, length) &&
	       (!name[length] || !strncmp(name + length, "___", 3));
}

/* Qualifiers and names that lie around a type; libbpf does not refuse a circle of them. */
#define MAX_WRAPPERS	32

static const char *hook_type(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const char *name;

	for (int i = 0; type && (btf_is_mod(type) || btf_is_typedef(type)); i++)
		type = i < MAX_WRAPPERS ? btf__type_by_id(btf, type->type) : NULL;
	name = type ? btf__name_by_offset(btf, type->name_off) : NULL;
	for (size_t i = 0; name && i < ARRAY_SIZE(hook_types); i++)
		if (is_flavour(name, hook_types[i]))
			return hook_types[i];
	return NULL;
}

/* Keep, in place, the relocations that are not against types of the hook. */
static int filter_core(const struct btf *btf, char *from, size_t size, size_t *kept)
{
	char *in = from, *out = from, *end = from + size;

	while ((size_t)(end - in) >= sizeof(struct core_section)) {
		struct core_section section, *to = (void *)out;
		char *place = out + sizeof(section);

		memcpy(&section, in, sizeof(section));
		in += sizeof(section);
		if (section.nr > (size_t)(end - in) / sizeof(struct core_record))
			return -ENOEXEC;
		to->name_offset = section.name_offset;
		to->nr = 0;
		for (uint32_t i = 0; i < section.nr; i++, in += sizeof(struct core_record)) {
			struct core_record record;

			memcpy(&record, in, sizeof(record));
			if (hook_type(btf, record.type_id))
				continue;
			memcpy(place, &record, sizeof(record));
			place += sizeof(record);
			to->nr++;
		}
		if (to->nr)
			out = place;
	}
	*kept = (size_t)(out - from);
	return 0;
}

/* Equal types were made one by the linker: of unequal ones there are two. */
static bool types_agree(const struct btf *btf)
{
	const struct btf_type *first[ARRAY_SIZE(hook_types)] = { };

	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);

		if (!btf_is_struct(type))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(hook_types); i++) {
			if (!name || !is_flavour(name, hook_types[i]))
				continue;
			if (first[i] && (first[i]->size != type->size ||
					 btf_vlen(first[i]) != btf_vlen(type)))
				return false;
			first[i] = type;
		}
	}
	return true;
}

static Elf64_Shdr *find_section(char *image, size_t size, const char *wanted)
{
	Elf64_Ehdr *header = (void *)image;
	Elf64_Shdr *section, *names;

	if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
	    header->e_shoff > size || header->e_shoff % sizeof(uint64_t) ||
	    header->e_shnum > (size - header->e_shoff) / sizeof(*section) ||
	    header->e_shstrndx >= header->e_shnum)
		return NULL;
	section = (void *)(image + header->e_shoff);
	names = &section[header->e_shstrndx];
	if (names->sh_offset > size || names->sh_size > size - names->sh_offset)
		return NULL;

	for (unsigned int i = 1; i < header->e_shnum; i++) {
		size_t room = names->sh_size - section[i].sh_name;

		if (section[i].sh_name >= names->sh_size ||
		    strncmp(image + names->sh_offset + section[i].sh_name, wanted, room))
			continue;
		if (section[i].sh_offset > size ||
		    section[i].sh_size > size - section[i].sh_offset)
			return NULL;
		return &section[i];
	}
	return NULL;
}

int engine_strip_core(char *image, size_t size)
{
	Elf64_Shdr *types = find_section(image, size, ".BTF");
	Elf64_Shdr *ext = find_section(image, size, ".BTF.ext");
	struct ext_header *header;
	uint64_t from;
	struct btf *btf;
	size_t kept;
	int err = 0;

	if (!types || !ext || ext->sh_size < sizeof(*header) ||
	    ext->sh_offset % _Alignof(struct ext_header))
		return -ENOEXEC;
	header = (void *)(image + ext->sh_offset);
	from = (uint64_t)header->header_size + header->core_offset;
	if (header->header_size < sizeof(*header) || header->core_size < sizeof(uint32_t) ||
	    from % sizeof(uint32_t) || from > ext->sh_size ||
	    header->core_size > ext->sh_size - from)
		return header->core_size ? -ENOEXEC : 0;
	/* The size of a record comes first. */
	if (*(uint32_t *)((char *)header + from) != sizeof(struct core_record))
		return -ENOEXEC;

	btf = btf__new(image + types->sh_offset, (uint32_t)types->sh_size);
	if (!btf)
		return -ENOEXEC;
	if (!types_agree(btf))
		err = -EPROTO;
	if (!err)
		err = filter_core(btf, (char *)header + from + sizeof(uint32_t),
				  header->core_size - sizeof(uint32_t), &kept);
	if (!err)
		header->core_size = kept ? (uint32_t)(kept + sizeof(uint32_t)) : 0;
	btf__free(btf);
	return err;
}

/* Nobody has functions of these names, so the branches to the engine's are taken. */
static void hide_kfuncs(char *image, size_t size)
{
	static const char *const kfuncs[] = {
		"bpf_pmadv_vma_name", "bpf_pmadv_sample", "bpf_pmadv_pages",
		"bpf_pmadv_select", "bpf_pmadv_error",
	};

	for (size_t i = 0; i < ARRAY_SIZE(kfuncs); i++) {
		size_t length = strlen(kfuncs[i]) + 1;
		char *at = image;

		/* As a name by itself: in the table of symbols, and in BTF. */
		while ((at = memmem(at, size - (size_t)(at - image), kfuncs[i], length)))
			if (at > image && !at[-1])
				*at = 'x';
			else
				at++;
	}
}

static int strip_file(int fd, bool own_kfuncs)
{
	struct stat st;
	char *image;
	int err;

	if (fstat(fd, &st))
		return -errno;
	image = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED)
		return -errno;
	err = engine_strip_core(image, (size_t)st.st_size);
	if (own_kfuncs)
		hide_kfuncs(image, (size_t)st.st_size);
	munmap(image, (size_t)st.st_size);
	return err;
}

/* libbpf 1.5 links files by their path only. */
static int link_into(int fd, const char *engine, const char *policy)
{
	struct bpf_linker *linker;
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	linker = bpf_linker__new(path, NULL);
	if (!linker)
		return -errno;
	err = bpf_linker__add_file(linker, engine, NULL);
	if (!err)
		err = bpf_linker__add_file(linker, policy, NULL);
	if (!err)
		err = bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	return err;
}

/* PMADV_POLICY() leaves a function for each. */
static int find_members(const char *policy, unsigned int *members)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} functions[] = {
		{ "pmadv_policy_advise", ENGINE_ADVISE },
		{ "pmadv_policy_advised", ENGINE_ADVISED },
		{ "pmadv_policy_begin", ENGINE_BEGIN },
		{ "pmadv_policy_end", ENGINE_END },
		{ "pmadv_policy_init", ENGINE_INIT },
		{ "pmadv_policy_exit", ENGINE_EXIT },
	};
	struct btf *btf = btf__parse(policy, NULL);

	if (!btf)
		return -errno;
	*members = 0;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (btf__find_by_name_kind(btf, functions[i].name, BTF_KIND_FUNC) > 0)
			*members |= functions[i].bit;
	btf__free(btf);
	return 0;
}

static int check_members(const char *policy, unsigned int *members)
{
	int ret = find_members(policy, members);

	policy_log_forget();
	if (!ret && *members)
		return 0;
	if (!ret)
		return say_error(-ELACKS, "%s was built without PMADV_POLICY(): rebuild it with include/pmadv/policy.bpf.h of this pmadv, or boot a kernel with the hook",
				 policy);
	if (ret == -ENODATA || ret == -ENOENT)
		return say_error(-EUSAGE, "%s has no BTF: build it with clang -target bpf -g",
				 policy);
	return say_error(ret, "%s is not a readable BPF object (%s): build it with clang -target bpf -g",
			 policy, error_text(ret));
}

int engine_join(const char *policy, bool own_kfuncs, unsigned int *members)
{
	char engine[PATH_MAX];
	int fd, err;

	err = check_members(policy, members);
	if (!err)
		err = object_find("engine", engine);
	if (err)
		return err;

	fd = memfd_create("pmadv-policy", MFD_CLOEXEC);
	if (fd < 0)
		return say_error(-errno, "memory for the policy: %s", error_text(-errno));
	err = link_into(fd, engine, policy);
	if (err) {
		policy_log_print();
		say_error(err, "%s cannot be linked with %s: %s", policy, engine,
			  error_text(err));
		goto fail;
	}
	policy_log_forget();
	err = strip_file(fd, own_kfuncs);
	if (err == -EPROTO)
		say_error(err, "%s was built with include/pmadv of another version than %s: rebuild it",
			  policy, engine);
	else if (err)
		say_error(err, "%s, linked with %s, is not understood", policy, engine);
	if (!err)
		return fd;
fail:
	close(fd);
	return err;
}
