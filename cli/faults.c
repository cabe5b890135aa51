/*
 * faults.c - see faults.h
 */
#include "cli/faults.h"

#include "cli/table.h"

#include <stdarg.h>

void faults_add(struct faults *faults, unsigned int line, const char *format, ...)
{
	struct file_fault *fault;
	va_list args;
	size_t i = faults->count;

	if (faults->count == FAULTS_MAX) {
		faults->unkept++;
		return;
	}
	for (; i > 0 && faults->entries[i - 1].line > line; i--)
		faults->entries[i] = faults->entries[i - 1];
	faults->count++;
	fault = &faults->entries[i];
	fault->line = line;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	table_clean(fault->text);
}

void faults_print(const struct faults *faults, const char *file, FILE *to)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct file_fault *fault = &faults->entries[i];

		if (fault->line)
			fprintf(to, "%s:%u: %s\n", file, fault->line, fault->text);
		else
			fprintf(to, "%s: %s\n", file, fault->text);
	}
	if (faults->unkept)
		fprintf(to, "%s: and %zu more\n", file, faults->unkept);
}
