/*
 * say.c - see say.h
 */
#include "cli/say.h"

#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAID_MAX 2048U

static void say(const char *prefix, const char *format, va_list args)
{
	char text[SAID_MAX];

	vsnprintf(text, sizeof(text), format, args);
	table_clean(text);
	fflush(stdout);
	fprintf(stderr, "%s%s\n", prefix, text);
}

enum cli_exit say_error(enum cli_exit code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("weft: ", format, args);
	va_end(args);
	return code;
}

void say_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void say_wrapped(int indent, const char *text)
{
	char clean[SAID_MAX];

	snprintf(clean, sizeof(clean), "%s", text);
	table_clean(clean);
	table_text(stdout, clean, (size_t)indent, (size_t)indent, SAY_COLUMNS);
}

void say_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}
