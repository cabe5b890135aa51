/*
 * base64.h - RFC 4648 section 4, for keys in JSON and in files
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that @n bytes become, with padding and NUL */
#define BASE64_TEXT_BYTES(n) (((n) + 2) / 3 * 4 + 1)

/* @out: BASE64_TEXT_BYTES(@len_bytes) */
void base64_encode(const void *bytes, size_t len_bytes, char *out);

/**
 * base64_decode() - exactly @len_bytes out of @text
 * @text:	NUL-terminated, padded, without spaces but for newlines at its end
 *
 * Return: false where @text is anything else or of another length; @out is zeroed then
 */
bool base64_decode(const char *text, void *out, size_t len_bytes) __attribute__((warn_unused_result));

#endif /* BASE_BASE64_H */
