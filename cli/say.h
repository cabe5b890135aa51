/*
 * say.h - errors and remarks for the person at the terminal, on stderr, and JSON for programs
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "cli/invocation.h"

#include <jansson.h>

#define SAY_COLUMNS 80U /* of what is the same wherever it is printed: help, explanations */

/* "weft: what is wrong, where, and what to do".  Control bytes are replaced.  Return: @code, to be returned further */
enum cli_exit say_error(enum cli_exit code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A remark that is no error, on stderr, so that stdout stays clean for programs */
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A paragraph on stdout, in lines of at most 80 columns that begin with @indent spaces.  Control bytes are replaced */
void say_wrapped(int indent, const char *text);

/* What --json prints, on stdout */
void say_json(const json_t *json);

#endif /* CLI_SAY_H */
