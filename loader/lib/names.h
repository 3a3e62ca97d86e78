/* SPDX-License-Identifier: GPL-2.0 */
/* The words for the constants of the system call and of the hook. */
#ifndef PMADV_NAMES_H
#define PMADV_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* "cold" for MADV_COLD etc.; NULL if it is not one of the four. */
const char *advice_name(int advice);
/* The advice called @name: 0 or -EINVAL. */
int advice_parse(const char *name, int *advice);
/* The advice or verdict called @name: 0 or -EINVAL. */
int verdict_parse(const char *name, int *verdict);
/* All of their names, from 0 on; NULL after the last. */
const char *advice_nth(size_t nr);
#define ADVICE_NAMES	"cold, pageout, willneed, collapse"
/* "cold,pageout" for bits of MADV_ constants, "" for none. */
#define ADVICES_TEXT_LEN	64
const char *advices_text(uint64_t advices, char buf[ADVICES_TEXT_LEN]);

/* "rw-p anon heap" for bits of enum pmadv_vma_flag. */
#define VMA_TEXT_LEN	96
const char *vma_flags_text(uint32_t flags, char buf[VMA_TEXT_LEN]);

/* "pageout", "skip" ... for a verdict, "-" for none. */
#define VERDICT_TEXT_LEN	24
const char *verdict_text(int32_t verdict, char buf[VERDICT_TEXT_LEN]);
const char *outcome_text(uint32_t outcome);
/* Why a call ended early, as part of a sentence; NULL if it did not. */
const char *stopped_text(uint32_t stopped);
/* The same as one word, for JSON. */
const char *stopped_word(uint32_t stopped);

/* The kind of a mapping in a word, by its enum pmadv_vma_flag. */
const char *vma_kind(uint32_t flags);

#endif /* PMADV_NAMES_H */
