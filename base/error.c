/*
 * error.c - see error.h
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static void set(struct error *error, const char *format, va_list args)
{
	struct error new;

	vsnprintf(new.text, sizeof(new.text), format, args);
	*error = new;
}

void error_set(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(error, format, args);
	va_end(args);
}

int error_fail(struct error *error, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(error, format, args);
	va_end(args);
	return err;
}
