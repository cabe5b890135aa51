/*
 * duration.c - see duration.h
 */
#include "cli/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "d", 24ULL * 3600 * 1000 },
	{ "h", 3600ULL * 1000 },
	{ "m", 60ULL * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static const struct unit *unit_lookup(const char *name, size_t len_bytes)
{
	for (size_t i = 0; i < UNITS; i++)
		if (strlen(units[i].name) == len_bytes && memcmp(units[i].name, name, len_bytes) == 0)
			return &units[i];
	return NULL;
}

bool duration_parse(const char *text, uint64_t *out_ms)
{
	const struct unit *last = NULL;
	uint64_t total_ms = 0;

	while (*text) {
		size_t digits = strspn(text, "0123456789");
		size_t letters = strspn(text + digits, "dhms");
		const struct unit *unit = unit_lookup(text + digits, letters);
		uint64_t value = 0;

		/* nine digits of the largest unit stay far below 2^64 */
		if (digits == 0 || digits > 9 || !unit || (last && unit <= last))
			return false;
		for (size_t i = 0; i < digits; i++)
			value = value * 10 + (uint64_t)(text[i] - '0');
		total_ms += value * unit->ms;
		last = unit;
		text += digits + letters;
	}
	if (total_ms == 0 || total_ms > DURATION_MAX_MS)
		return false;
	*out_ms = total_ms;
	return true;
}

void duration_format(uint64_t ms, char out[DURATION_TEXT_BYTES])
{
	uint64_t s = ms / 1000;

	if (ms > 0 && ms < 1000)
		snprintf(out, DURATION_TEXT_BYTES, "%" PRIu64 "ms", ms);
	else if (s < 60)
		snprintf(out, DURATION_TEXT_BYTES, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(out, DURATION_TEXT_BYTES, "%" PRIu64 "m%02us", s / 60, (unsigned int)(s % 60));
	else if (s < 24 * 3600)
		snprintf(out, DURATION_TEXT_BYTES, "%" PRIu64 "h%02um", s / 3600, (unsigned int)(s % 3600 / 60));
	else if (s < 10000ULL * 24 * 3600)
		snprintf(out, DURATION_TEXT_BYTES, "%" PRIu64 "d%uh", s / 86400, (unsigned int)(s % 86400 / 3600));
	else
		snprintf(out, DURATION_TEXT_BYTES, ">9999d");
}
