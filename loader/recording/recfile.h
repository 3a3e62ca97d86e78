/* SPDX-License-Identifier: GPL-2.0 */
/* Recordings. include/pmadv/recording.h describes the format. */
#ifndef PMADV_RECFILE_H
#define PMADV_RECFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pmadv/recording.h>

struct recfile;

/* What a header says of this machine and of now. */
void recfile_begin_header(struct pmadv_file_header *header);
/*
 * Create a file that only its owner can read. An existing file is replaced if
 * it is a recording or empty; any other file, and one that is being written, is
 * refused. These functions return 0 or an error, which is reported.
 */
int recfile_create(const char *path, const struct pmadv_file_header *header,
		   struct recfile **file);
/* Add @entry of @size bytes, @text behind it if not NULL; sets head->size. */
int recfile_add(struct recfile *file, struct pmadv_record *entry, size_t size,
		const char *text);
/* End the block. */
int recfile_flush(struct recfile *file);

/* Reports errors; a file that was cut off is opened all the same. */
int recfile_open(const char *path, struct recfile **file);
const struct pmadv_file_header *recfile_header(const struct recfile *file);
/* The next entry, valid until the next call; NULL at the end of the valid part. */
const struct pmadv_record *recfile_next(struct recfile *file);
/*
 * Once it returned NULL: an error, already reported, if a record has another
 * version.
 */
int recfile_refused(const struct recfile *file);
/* Once everything is read: was there a truncated or damaged rest behind @good bytes? */
bool recfile_damaged(const struct recfile *file, uint64_t *good);

/* The number of bytes written or read. */
uint64_t recfile_size(const struct recfile *file);
void recfile_close(struct recfile *file);

#endif /* PMADV_RECFILE_H */
