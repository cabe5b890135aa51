/*
 * faults.h - what is wrong with a lab file, line by line
 *
 * Collected, so that someone who fixes a file sees all of it at once; at most FAULTS_MAX, the rest is only counted.
 */
#ifndef CLI_FAULTS_H
#define CLI_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define FAULTS_MAX 20U
#define FAULT_TEXT_BYTES 512U

struct file_fault {
	unsigned int line; /* from 1; 0 where the whole file is meant */
	char text[FAULT_TEXT_BYTES];
};

/* Caller's memory; zeroed is empty */
struct faults {
	size_t count; /* of entries[] */
	size_t unkept;
	struct file_fault entries[FAULTS_MAX]; /* by line */
};

void faults_add(struct faults *faults, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static inline bool faults_any(const struct faults *faults)
{
	return faults->count > 0;
}

/* "lab.yaml:7: ports.a-lan.atach: ..." a line, in the file's order */
void faults_print(const struct faults *faults, const char *file, FILE *to);

#endif /* CLI_FAULTS_H */
