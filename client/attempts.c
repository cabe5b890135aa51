/*
 * attempts.c - see attempts.h
 */
#include "client/attempts.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define REMARK_BYTES 256U

static unsigned int kept(const struct attempts *attempts)
{
	return attempts->count < ATTEMPTS_MAX ? attempts->count : ATTEMPTS_MAX;
}

void attempts_tried(struct attempts *attempts, const char *address)
{
	unsigned int i;

	for (i = 0; i < kept(attempts) && strcmp(attempts->tried[i].address, address) != 0; i++)
		;
	if (i == kept(attempts))
		attempts->count++;
	if (i == ATTEMPTS_MAX)
		return;
	snprintf(attempts->tried[i].address, sizeof(attempts->tried[i].address), "%s", address);
	attempts->tried[i].reason[0] = '\0';
}

/* Does the remark speak of that address, and not of one that begins or ends alike? */
static bool speaks_of(const char *remark, const char *address)
{
	const char *at = strstr(remark, address);
	const char after = at ? at[strlen(address)] : '\0';

	return at && (at == remark || strchr(" [", at[-1])) && after && strchr(" :]", after) &&
		!(after == ':' && at[strlen(address) + 1] != ' ');
}

void attempts_remark(struct attempts *attempts, const char *text, size_t len_bytes)
{
	char remark[REMARK_BYTES];
	const char *reason = NULL;

	if (len_bytes >= sizeof(remark))
		len_bytes = sizeof(remark) - 1;
	memcpy(remark, text, len_bytes);
	remark[len_bytes] = '\0';
	remark[strcspn(remark, "\r\n")] = '\0';
	if (!strstr(remark, " fail"))
		return;
	for (const char *at = remark; (at = strstr(at, ": ")) != NULL;)
		reason = at += 2; /* what stands behind the last */
	for (unsigned int i = 0; reason && i < kept(attempts); i++)
		if (speaks_of(remark, attempts->tried[i].address))
			snprintf(attempts->tried[i].reason, sizeof(attempts->tried[i].reason), "%s", reason);
}

void attempts_describe(const struct attempts *attempts, const char *only, char out[ATTEMPTS_TEXT_BYTES])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned int i = 0; i < kept(attempts) && used < ATTEMPTS_TEXT_BYTES; i++) {
		const char *address = attempts->tried[i].address, *reason = attempts->tried[i].reason;
		const bool said = only && strcmp(only, address) == 0;

		used += (size_t)snprintf(out + used, ATTEMPTS_TEXT_BYTES - used, "%s%s%s%s", i ? "; " : "",
			said ? "" : address, said ? "" : ": ", reason[0] ? reason : "no answer");
	}
	if (attempts->count > ATTEMPTS_MAX && used < ATTEMPTS_TEXT_BYTES)
		snprintf(out + used, ATTEMPTS_TEXT_BYTES - used, "; and %u more", attempts->count - ATTEMPTS_MAX);
}
