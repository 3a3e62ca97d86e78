/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own test harness, with as much time for a test as it takes on
 * the debug kernel in an emulator: only what hangs is to be killed.
 */
#ifndef SELFTESTS_HARNESS_H
#define SELFTESTS_HARNESS_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

#endif /* SELFTESTS_HARNESS_H */
