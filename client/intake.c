/*
 * intake.c - see intake.h
 */
#include "client/intake.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MIN_BYTES 4096U

/* What was taken makes room for what comes */
static void compact(struct intake *intake)
{
	if (!intake->from_bytes)
		return;
	intake->used_bytes -= intake->from_bytes;
	intake->seen_bytes -= intake->from_bytes;
	memmove(intake->bytes, intake->bytes + intake->from_bytes, intake->used_bytes);
	intake->from_bytes = 0;
}

/* realloc() would leave a copy of what may be a secret behind */
static bool grow(struct intake *intake, size_t needed_bytes)
{
	size_t cap = needed_bytes < CAP_MIN_BYTES / 2 ? CAP_MIN_BYTES : needed_bytes * 2;
	char *grown;

	if (needed_bytes <= intake->cap_bytes)
		return true;
	if (cap > intake->max_bytes)
		cap = intake->max_bytes;
	grown = malloc(cap);
	if (!grown)
		return false;
	if (intake->bytes) {
		memcpy(grown, intake->bytes, intake->used_bytes);
		secret_wipe(intake->bytes, intake->cap_bytes);
	}
	free(intake->bytes);
	intake->bytes = grown;
	intake->cap_bytes = cap;
	return true;
}

bool intake_add(struct intake *intake, const void *bytes, size_t len_bytes)
{
	compact(intake);
	if (len_bytes > intake->max_bytes - intake->used_bytes || !grow(intake, intake->used_bytes + len_bytes))
		return false;
	if (len_bytes)
		memcpy(intake->bytes + intake->used_bytes, bytes, len_bytes);
	intake->used_bytes += len_bytes;
	return true;
}

char *intake_line(struct intake *intake, size_t *len_bytes)
{
	char *line, *newline = NULL;

	if (intake->seen_bytes < intake->used_bytes)
		newline = memchr(intake->bytes + intake->seen_bytes, '\n', intake->used_bytes - intake->seen_bytes);
	if (!newline) {
		intake->seen_bytes = intake->used_bytes;
		return NULL;
	}
	*newline = '\0';
	line = intake->bytes + intake->from_bytes;
	*len_bytes = (size_t)(newline - line);
	intake->from_bytes = intake->seen_bytes = (size_t)(newline + 1 - intake->bytes);
	return line;
}

const char *intake_rest(const struct intake *intake, size_t *len_bytes)
{
	*len_bytes = intake->used_bytes - intake->from_bytes;
	return intake->bytes ? intake->bytes + intake->from_bytes : "";
}

void intake_fini(struct intake *intake)
{
	const size_t max_bytes = intake->max_bytes;

	if (intake->bytes)
		secret_wipe(intake->bytes, intake->cap_bytes);
	free(intake->bytes);
	*intake = (struct intake){ .max_bytes = max_bytes };
}
