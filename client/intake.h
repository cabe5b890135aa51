/*
 * intake.h - what a server sends, gathered up to a bound: whole, or line by line
 *
 * Nothing is kept beyond max_bytes, however it comes in; and each byte is looked at once for the end of its line.
 * Pure memory; whoever puts secrets through it gets them wiped by intake_fini().
 */
#ifndef CLIENT_INTAKE_H
#define CLIENT_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed but for max_bytes, it is ready */
struct intake {
	size_t max_bytes; /* of what waits: the whole, or what of a line is here */
	char *bytes;
	size_t from_bytes; /* taken before here */
	size_t seen_bytes; /* no line ends before here */
	size_t used_bytes;
	size_t cap_bytes;
};

/* Return: false where that is more than max_bytes, or memory is short; nothing of @bytes is kept then */
bool intake_add(struct intake *intake, const void *bytes, size_t len_bytes) __attribute__((warn_unused_result));

/* Take the next whole line.  Return: it, with a NUL for its newline, good until the next intake_add(); NULL: none */
char *intake_line(struct intake *intake, size_t *len_bytes) __attribute__((warn_unused_result));

/* All that waits, borrowed; never NULL */
const char *intake_rest(const struct intake *intake, size_t *len_bytes);

/* Wipes and frees; it is as new then */
void intake_fini(struct intake *intake);

#endif /* CLIENT_INTAKE_H */
