/*
 * base64.c - see base64.h
 */
#include "base/base64.h"

#include "base/secret.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t len_bytes, char *out)
{
	const uint8_t *at = bytes;

	for (; len_bytes > 0; at += 3, len_bytes -= len_bytes < 3 ? len_bytes : 3) {
		uint32_t group = (uint32_t)at[0] << 16;

		if (len_bytes > 1)
			group |= (uint32_t)at[1] << 8;
		if (len_bytes > 2)
			group |= at[2];
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		*out++ = len_bytes > 1 ? alphabet[group >> 6 & 63] : '=';
		*out++ = len_bytes > 2 ? alphabet[group & 63] : '=';
	}
	*out = '\0';
}

/* Without branches or tables that depend on a secret.  Return: 0..63, or -1 */
static int digit(char c)
{
	int value = -1;

	value += (((('A' - 1) - c) & (c - ('Z' + 1))) >> 8) & (c - 'A' + 1);
	value += (((('a' - 1) - c) & (c - ('z' + 1))) >> 8) & (c - 'a' + 27);
	value += (((('0' - 1) - c) & (c - ('9' + 1))) >> 8) & (c - '0' + 53);
	value += (((('+' - 1) - c) & (c - ('+' + 1))) >> 8) & 63;
	value += (((('/' - 1) - c) & (c - ('/' + 1))) >> 8) & 64;
	return value;
}

bool base64_decode(const char *text, void *out, size_t len_bytes)
{
	size_t chars = strlen(text), padding = (3 - len_bytes % 3) % 3, done = 0;
	uint8_t *at = out;
	bool good = true;

	while (chars > 0 && (text[chars - 1] == '\n' || text[chars - 1] == '\r'))
		chars--;
	if (chars != BASE64_TEXT_BYTES(len_bytes) - 1) {
		memset(out, 0, len_bytes);
		return false;
	}
	for (size_t i = 0; i < chars; i += 4) {
		uint32_t group = 0;

		for (size_t k = 0; k < 4; k++) {
			bool pad = i + k >= chars - padding;
			int value = pad ? 0 : digit(text[i + k]);

			good &= pad ? text[i + k] == '=' : value >= 0;
			group = group << 6 | (uint32_t)(value & 63);
		}
		for (int shift = 16; shift >= 0 && done < len_bytes; shift -= 8)
			at[done++] = (uint8_t)(group >> shift);
		good &= i + 4 < chars || padding == 0 || (group & ((1U << 8 * padding) - 1)) == 0;
	}
	if (!good)
		secret_wipe(out, len_bytes);
	return good;
}
