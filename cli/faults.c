/*
 * faults.c - see faults.h
 */
#include "cli/faults.h"

#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>

void faults_add(struct faults *faults, unsigned int line, const char *format, ...)
{
	struct fault *fault;
	va_list args;

	if (faults->count == FAULTS_MAX) {
		faults->unkept++;
		return;
	}
	fault = &faults->entries[faults->count++];
	fault->line = line;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	table_clean(fault->text);
}

static int by_line(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

void faults_print(struct faults *faults, const char *file, FILE *to)
{
	qsort(faults->entries, faults->count, sizeof(faults->entries[0]), by_line);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->entries[i];

		if (fault->line)
			fprintf(to, "%s:%u: %s\n", file, fault->line, fault->text);
		else
			fprintf(to, "%s: %s\n", file, fault->text);
	}
	if (faults->unkept)
		fprintf(to, "%s: and %zu more\n", file, faults->unkept);
}
