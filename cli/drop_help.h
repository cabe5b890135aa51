/*
 * drop_help.h - what each named drop means, and what to do about it
 *
 * Of the rows of the modules' lists and of base/drop_list.h, as weftd's counters are (overlay/peer/drops.h); cli/weft-drops.7 has
 * the same words.  A name that is not here is of a newer weftd.
 */
#ifndef CLI_DROP_HELP_H
#define CLI_DROP_HELP_H

#include "cli/invocation.h"

#include <stddef.h>

struct drop_help {
	const char *name; /* of the counter */
	const char *text; /* sentences */
};

/* Return: all, @count of them */
const struct drop_help *drop_help_all(size_t *count);

/* Return: the text of the drop @name, NULL where this version knows none of that name */
const char *drop_help_text(const char *name);

/* "name", and its text below, at 80 columns */
void drop_help_print(const char *name, const char *text);

/* `weft help drop [NAME]`: one, or all of them.  @name may be NULL */
enum cli_exit drop_help_run(const struct invocation *in, const char *name) __attribute__((warn_unused_result));

#endif /* CLI_DROP_HELP_H */
