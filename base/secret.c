/*
 * secret.c - see secret.h
 */
#include "base/secret.h"

#include <string.h>

void secret_wipe(void *bytes, size_t len_bytes)
{
	if (len_bytes)
		explicit_bzero(bytes, len_bytes);
}
