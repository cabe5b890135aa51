/*
 * target.h - the server that an HTTP client is for, and what libcurl is told of it: where it is, whom to take for it, what to show it
 *
 * Inside of http_client.h, which says what is trusted.
 */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include "base/error.h"
#include "base/server_address.h"
#include "client/http_client.h"

#include <curl/curl.h>
#include <netdb.h>
#include <stdbool.h>

#define TARGET_URL_BYTES (SERVER_ADDRESS_TEXT_BYTES + 16U)

struct target {
	char url[TARGET_URL_BYTES];   /* "https://203.0.113.5:4753" */
	struct server_address server; /* empty for a socket */
	char *socket;                 /* NULL: TLS */
	char *ca_pem, *certificate_pem, *key_pem;
	struct curl_slist *headers; /* of every request */
};

/* Copies and checks.  Return: false with a line for the operator; target_fini() it either way */
bool target_init(struct target *target, const struct http_target *wanted, struct error *error)
	__attribute__((warn_unused_result));

/* Wipes and frees */
void target_fini(struct target *target);

/* Return: CURLE_OK, or anything else where this libcurl cannot; @target is borrowed until the handle's end */
CURLcode target_apply(const struct target *target, CURL *easy) __attribute__((warn_unused_result));

/* Does it have to be looked up? */
static inline bool target_is_name(const struct target *target)
{
	return !target->socket && !target->server.numeric;
}

/* Addresses in CURLOPT_RESOLVE's form: "ctl.example.org:4753:192.0.2.1,[2001:db8::1]".  Return: on the heap; NULL: none */
char *target_addresses(const struct target *target, const struct addrinfo *found) __attribute__((warn_unused_result));

#endif /* CLIENT_TARGET_H */
