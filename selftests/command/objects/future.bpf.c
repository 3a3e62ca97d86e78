// SPDX-License-Identifier: GPL-2.0
/* The monitor of a later version, to be refused. For monitor.sh. */
#include "vmlinux.h"
#include <pmadv/monitor.h>

#undef PMADV_RECORD_VERSION
#define PMADV_RECORD_VERSION 3

#include "../../../bpf/monitor.bpf.c"
