// SPDX-License-Identifier: GPL-2.0
/*
 * A policy linked with an engine, without a kernel. Takes the objects engine,
 * joined, joined_other and knobs, see run.
 */
#include "test.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "engine/join.h"
#include "lib/error.h"
#include "lib/output.h"
#include "policy/bpf_log.h"

static const char *object(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", getenv("PMADV_POLICY_DIR"), name);
	return path;
}

struct image {
	char *data;
	size_t size;
};

static struct image map_file(int fd)
{
	struct image image;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	image.size = (size_t)st.st_size;
	image.data = mmap(NULL, image.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(image.data, MAP_FAILED);
	return image;
}

static Elf64_Shdr *section(struct image image, const char *wanted)
{
	Elf64_Ehdr *header = (void *)image.data;
	Elf64_Shdr *all = (void *)(image.data + header->e_shoff);
	const char *names = image.data + all[header->e_shstrndx].sh_offset;

	for (unsigned int i = 1; i < header->e_shnum; i++)
		if (!strcmp(names + all[i].sh_name, wanted))
			return &all[i];
	fail_msg("no section %s", wanted);
	return NULL;
}

/* The relocations in .BTF.ext: its header has their place as words 6 and 7. */
static uint32_t *relocations(struct image image, uint32_t *size)
{
	uint32_t *ext = (void *)(image.data + section(image, ".BTF.ext")->sh_offset);

	*size = ext[7];
	return (uint32_t *)((char *)ext + ext[1] + ext[6]);
}

/* How many of them are against a structure of that name? */
static unsigned int against(struct image image, const char *name)
{
	Elf64_Shdr *types = section(image, ".BTF");
	struct btf *btf = btf__new(image.data + types->sh_offset, (uint32_t)types->sh_size);
	unsigned int found = 0;
	uint32_t size, *at = relocations(image, &size), *end = at + size / 4;

	assert_non_null(btf);
	for (at++; size && at < end;) {
		uint32_t nr = at[1];

		for (at += 2; nr; nr--, at += 4) {
			const struct btf_type *type = btf__type_by_id(btf, at[1]);

			found += !strcmp(btf__name_by_offset(btf, type->name_off), name);
		}
	}
	btf__free(btf);
	return found;
}

static void joins(void **state)
{
	unsigned int members = 0;
	struct bpf_object *opened;
	struct image image;
	char path[32];
	int fd;

	(void)state;
	fd = engine_join(object("joined"), false, &members);
	assert_true(fd >= 0);
	assert_int_equal(members, ENGINE_ADVISE | ENGINE_EXIT);
	image = map_file(fd);
	assert_int_equal(against(image, "pmadv_range___pmadv"), 0);
	/* What the kernel has stays to be resolved: one in each of the two. */
	assert_int_equal(against(image, "task_struct"), 2);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = bpf_object__open_file(path, NULL);
	assert_non_null(opened);
	assert_non_null(bpf_object__find_program_by_name(opened, "engine_ask"));
	bpf_object__close(opened);
	munmap(image.data, image.size);
	close(fd);
}

static void refuse(const char *name, int want, const char *because)
{
	unsigned int members;
	int err = 0;
	char *said = CAPTURE(STDERR_FILENO,
			     err = engine_join(object(name), false, &members));

	if (err != want)
		fail_msg("%s: %d instead of %d: %s", name, err, want, said);
	assert_contains(said, because);
	free(said);
}

static void refuses(void **state)
{
	(void)state;
	refuse("joined_other", -EPROTO, "of another version");
	refuse("knobs", -ELACKS, "without PMADV_POLICY()");
}

/* Before it is stripped, there is something to strip. */
static void strips(void **state)
{
	struct image image, again;
	uint32_t size;
	FILE *file;

	(void)state;
	file = fopen(object("joined"), "re");
	assert_non_null(file);
	image = map_file(fileno(file));
	assert_int_equal(against(image, "pmadv_range___pmadv"), 1);
	assert_int_equal(engine_strip_core(image.data, image.size), 0);
	assert_int_equal(against(image, "pmadv_range___pmadv"), 0);
	assert_int_equal(against(image, "task_struct"), 1);
	/* Twice is once. */
	again.size = image.size;
	again.data = malloc(image.size);
	assert_non_null(again.data);
	memcpy(again.data, image.data, image.size);
	assert_int_equal(engine_strip_core(again.data, again.size), 0);
	assert_memory_equal(again.data, image.data, image.size);
	free(again.data);

	/* One more than there is room for. */
	relocations(image, &size)[2]++;
	assert_int_equal(engine_strip_core(image.data, image.size), -ENOEXEC);
	assert_int_equal(engine_strip_core(image.data, sizeof(Elf64_Ehdr) - 1), -ENOEXEC);
	munmap(image.data, image.size);
	fclose(file);
}

/* A type that is its own definition: const const const ... */
static void circles(void **state)
{
	struct btf_type *type;
	Elf64_Shdr *types;
	struct image image;
	struct btf *btf;
	uint32_t size;
	FILE *file;
	int id = 0;

	(void)state;
	file = fopen(object("joined"), "re");
	assert_non_null(file);
	image = map_file(fileno(file));
	types = section(image, ".BTF");
	btf = btf__new(image.data + types->sh_offset, (uint32_t)types->sh_size);
	assert_non_null(btf);
	do {
		assert_true(++id < (int)btf__type_cnt(btf));
	} while (!btf_is_const(btf__type_by_id(btf, (uint32_t)id)));
	/* The types are in the file as they are in memory, after the header. */
	type = (void *)(image.data + types->sh_offset + sizeof(struct btf_header) +
			((char *)btf__type_by_id(btf, (uint32_t)id) -
			 (char *)btf__type_by_id(btf, 1)));
	assert_true(btf_is_const(type));
	type->type = (uint32_t)id;
	btf__free(btf);
	relocations(image, &size)[4] = (uint32_t)id;
	assert_int_equal(engine_strip_core(image.data, image.size), 0);
	munmap(image.data, image.size);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins), cmocka_unit_test(refuses),
		cmocka_unit_test(strips), cmocka_unit_test(circles),
	};

	policy_log_init(false);
	out_init("test", false, false);
	return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
