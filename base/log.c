/*
 * log.c - see log.h
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int log_max = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	__atomic_store_n(&log_max, (int)level, __ATOMIC_RELAXED);
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "?";
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;
	int used;

	if ((int)level > __atomic_load_n(&log_max, __ATOMIC_RELAXED))
		return;
	if (getenv("JOURNAL_STREAM")) {
		used = snprintf(line, sizeof(line), "<%d>", level);
	} else {
		struct timespec now;
		struct tm utc;

		clock_gettime(CLOCK_REALTIME, &now);
		gmtime_r(&now.tv_sec, &utc);
		used = snprintf(line, sizeof(line), "%02d:%02d:%02d.%03ld %s: ", utc.tm_hour, utc.tm_min, utc.tm_sec,
			now.tv_nsec / 1000000, level_name(level));
	}
	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - (size_t)used, format, args);
	va_end(args);
	for (char *at = line; *at; at++) /* text of others may be in it */
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	fprintf(stderr, "%s\n", line); /* one call, so that threads do not mix their lines */
}
