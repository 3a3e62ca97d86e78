// SPDX-License-Identifier: GPL-2.0
#include "policy/cost.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "policy/hook.h"
#include "policy/links.h"

#define MAX_FUNCTIONS	16

struct costs {
	int stats_fd;		/* the kernel counts as long as this is open */
	size_t size;		/* of the value of a policy's map */
	/*
	 * Offsets of the functions, where the kernel stores the ids of their
	 * programs.
	 */
	size_t offsets[MAX_FUNCTIONS];
	size_t nr_offsets;
};

static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	return btf__type_by_id(btf, (uint32_t)btf__resolve_type(btf, id));
}

static bool is_function(const struct btf *btf, const struct btf_member *member)
{
	const struct btf_type *type = resolve(btf, member->type);

	return type && btf_is_ptr(type) && btf_is_func_proto(resolve(btf, type->type));
}

static int find_functions(struct costs *costs, const struct btf *btf)
{
	const struct btf_type *value, *ops;
	const struct btf_member *member;
	size_t base = 0;
	int32_t id;

	id = btf__find_by_name_kind(btf, OPS_VALUE_TYPE, BTF_KIND_STRUCT);
	value = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	id = btf__find_by_name_kind(btf, OPS_TYPE, BTF_KIND_STRUCT);
	ops = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	if (!value || !ops)
		return -ENOENT;

	costs->size = value->size;
	for (uint16_t i = 0; i < btf_vlen(value); i++)
		if (resolve(btf, btf_members(value)[i].type) == ops)
			base = btf_member_bit_offset(value, i) / 8;
	member = btf_members(ops);
	for (uint16_t i = 0; i < btf_vlen(ops); i++)
		if (is_function(btf, &member[i]) && costs->nr_offsets < MAX_FUNCTIONS)
			costs->offsets[costs->nr_offsets++] =
				base + btf_member_bit_offset(ops, i) / 8;
	return 0;
}

int costs_open(struct costs **out)
{
	struct costs *costs = calloc(1, sizeof(*costs));
	struct btf *btf;
	int err;

	if (!costs)
		return -ENOMEM;
	costs->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (costs->stats_fd < 0) {
		err = -errno;
		free(costs);
		return err;
	}

	btf = btf__load_vmlinux_btf();
	err = btf ? find_functions(costs, btf) : -errno;
	btf__free(btf);
	if (err)
		costs_close(costs);
	else
		*out = costs;
	return err;
}

void costs_close(struct costs *costs)
{
	if (!costs)
		return;
	close(costs->stats_fd);
	free(costs);
}

static int add_program(uint32_t id, struct cost *cost)
{
	struct bpf_prog_info info = { };
	uint32_t length = sizeof(info);
	int err, fd;

	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	err = bpf_prog_get_info_by_fd(fd, &info, &length) ? -errno : 0;
	close(fd);
	if (err)
		return err;
	cost->runs += info.run_cnt;
	cost->time_ns += info.run_time_ns;
	return 0;
}

static int add_map(const struct costs *costs, int map_fd, struct cost *cost)
{
	const uint32_t key = 0;
	char *value;
	int err;

	value = calloc(1, costs->size);
	if (!value)
		return -ENOMEM;
	err = bpf_map_lookup_elem(map_fd, &key, value) ? -errno : 0;
	for (size_t i = 0; i < costs->nr_offsets && !err; i++) {
		uint32_t id = *(uint32_t *)(value + costs->offsets[i]);

		if (id)
			err = add_program(id, cost);
	}
	free(value);
	return err;
}

int costs_read(const struct costs *costs, uint32_t link_id, struct cost *cost)
{
	uint32_t id, map_id;
	int err, fd;

	cost->runs = 0;
	cost->time_ns = 0;
	fd = bpf_link_get_fd_by_id(link_id);
	if (fd < 0)
		return -errno;
	err = struct_ops_link(fd, &id, &map_id);
	close(fd);
	if (err)
		return err;

	fd = bpf_map_get_fd_by_id(map_id);
	if (fd < 0)
		return -errno;
	err = add_map(costs, fd, cost);
	close(fd);
	return err;
}
