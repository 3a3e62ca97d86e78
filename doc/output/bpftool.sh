# SPDX-License-Identifier: GPL-2.0
# A policy attached and looked at with bpftool alone.
# runs: in a guest
show "bpftool struct_ops register build/bpf/background_app.bpf.o /sys/fs/bpf"
show "bpftool struct_ops list"
show "bpftool struct_ops dump name background_app | grep -A20 '\"data\"'"
show "bpftool prog show name background_app_advise"
show "bpftool link show"
show "bpftool map show name background_app"
show "bpftool map dump name backgrou.rodata"
show "rm /sys/fs/bpf/background_app"
show "bpftool struct_ops list"
