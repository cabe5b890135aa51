/*
 * device_name.c - see device_name.h
 */
#include "overlay/agent/device_name.h"

#include "crypto/blake2s.h"
#include "lab/limits.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "wf"
#define HASH_CHARS 8U

bool device_name(const char *ca_pem, const char *lab, const char *network, const char *port,
	char out[ATTACH_NAME_BYTES])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648's, in small letters */
	char what[3U * LAB_NAME_BYTES];
	struct blake2s_digest digest;
	size_t at = strlen(PREFIX);
	uint64_t bits = 0;

	snprintf(what, sizeof(what), "%s/%s/%s", lab, network, port);
	if (!blake2s_hash(ca_pem, strlen(ca_pem) + 1, what, strlen(what), &digest))
		return false;
	for (unsigned int i = 0; i < HASH_CHARS * 5 / 8; i++)
		bits = bits << 8 | digest.bytes[i];
	memcpy(out, PREFIX, at);
	for (unsigned int i = 0; i < HASH_CHARS; i++, bits >>= 5)
		out[at++] = digits[bits & 31];
	out[at] = '\0';
	return true;
}
