/*
 * hex.h - published vectors as they are printed, for crypto's tests
 */
#ifndef TESTS_UNIT_CRYPTO_HEX_H
#define TESTS_UNIT_CRYPTO_HEX_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

static inline uint8_t hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Return: bytes written to @out, which has room for @cap */
static inline size_t hex_decode(const char *text, void *out, size_t cap)
{
	size_t n = strlen(text) / 2;

	assert(strlen(text) % 2 == 0 && n <= cap);
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return n;
}

#endif /* TESTS_UNIT_CRYPTO_HEX_H */
