/*
 * fuzz_server_address.c - any text as a server's address: what is taken has one form, which is itself taken for the same
 */
#include "base/server_address.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), formatted[SERVER_ADDRESS_TEXT_BYTES];
	struct server_address address, again;

	memcpy(text, data, size);
	text[size] = '\0';
	if (server_address_parse(text, 4753, &address)) {
		server_address_format(&address, formatted);
		if (!server_address_parse(formatted, 1, &again) || strcmp(address.host, again.host) != 0 ||
			address.port != again.port || address.numeric != again.numeric || address.port == 0 ||
			strpbrk(formatted, "/?#@ \r\n\t\\"))
			abort();
	}
	free(text);
	return 0;
}
