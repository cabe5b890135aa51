/*
 * tap_lines.c - see tap_lines.h
 */
#include "tests/sim/tap_lines.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned int printed, bad;

void tap_line(bool ok, const char *format, ...)
{
	va_list args;

	printf("%sok %u - ", ok ? "" : "not ", ++printed);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	bad += !ok;
}

bool tap_plan(void)
{
	printf("1..%u\n", printed);
	return bad == 0;
}
