/*
 * error.h - what went wrong, in words for the operator: what, where, and what to do
 *
 * One buffer of one size, so that nobody counts bytes.  A function that can fail in ways that people should read about takes
 * one as its last parameter and writes it only on failure; what a program decides by is the function's result.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#define ERROR_BYTES 512U

struct error {
	char text[ERROR_BYTES]; /* "": nothing went wrong.  A longer text is cut */
};

/* Say what went wrong.  @format's arguments may be parts of @error itself */
void error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same.  Return: @err, a -errno, for the caller to return */
int error_fail(struct error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline bool error_is_set(const struct error *error)
{
	return error->text[0] != '\0';
}

#endif /* BASE_ERROR_H */
