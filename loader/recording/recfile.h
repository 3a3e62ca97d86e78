/* SPDX-License-Identifier: GPL-2.0 */
/* Files of records: include/pmadv/record.h says what is in them. */
#ifndef PMADV_RECFILE_H
#define PMADV_RECFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pmadv/record.h>

struct recfile;

/*
 * A new file for the owner's eyes only. One that is there is replaced if it is
 * a record or empty, else refused, as is one that is being written. These say what
 * is wrong and return an error.
 */
int recfile_create(const char *path, const struct pmadv_file_header *header,
		   struct recfile **file);
/* Add @entry of @size bytes, @text behind it if not NULL; sets head->size. */
int recfile_add(struct recfile *file, struct pmadv_record *entry, size_t size,
		const char *text);
/* End the block. */
int recfile_flush(struct recfile *file);

/* Says what is wrong; a file that was cut off is opened all the same. */
int recfile_open(const char *path, struct recfile **file);
const struct pmadv_file_header *recfile_header(const struct recfile *file);
/* The next entry, good until the next call; NULL at the end of what is good. */
const struct pmadv_record *recfile_next(struct recfile *file);
/* Once it returned NULL: an error, said, if that is a record of another version. */
int recfile_refused(const struct recfile *file);
/* Once all is read: was there more, cut off or damaged, behind @good bytes? */
bool recfile_damaged(const struct recfile *file, uint64_t *good);

/* Bytes written or read. */
uint64_t recfile_size(const struct recfile *file);
void recfile_close(struct recfile *file);

#endif /* PMADV_RECFILE_H */
