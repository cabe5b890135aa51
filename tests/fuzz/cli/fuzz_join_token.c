/*
 * fuzz_join_token.c - any text as a join token, and as the CA certificate that a stranger sends
 */
#include "cli/join_token.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct join_token token;
	const char *why;

	memcpy(text, data, size);
	text[size] = '\0';
	if (join_token_decode(text, &token, &why) &&
		(strlen(token.fingerprint) != 64 || !*token.secret || !identity_name_ok(token.host)))
		abort();
	free(ca_pem_pin(text, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	free(text);
	return 0;
}
