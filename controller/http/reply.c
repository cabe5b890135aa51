/*
 * reply.c - see reply.h
 */
#include "controller/http/reply.h"

#include "base/secret.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 429:
		return "Too Many Requests";
	case 504:
		return "Gateway Timeout";
	default:
		return "Service Unavailable";
	}
}

static void wipe_text(const void *text, size_t len_bytes, void *unused)
{
	(void)unused;
	secret_wipe((void *)text, len_bytes);
	free((void *)text);
}

/* Some answers carry secrets: nothing is left of them in memory, and nobody caches them */
void reply_json(struct evhttp_request *request, int status, const json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct evbuffer *out = evbuffer_new();
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_add_header(headers, "Content-Type", "application/json");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (status == 401)
		evhttp_add_header(headers, "WWW-Authenticate", "Bearer realm=\"weft\"");
	if (status == 429)
		evhttp_add_header(headers, "Retry-After", "10");
	if (!text || !out) {
		free(text);
		evhttp_send_reply(request, 503, reason(503), NULL);
	} else {
		if (evbuffer_add_reference(out, text, strlen(text), wipe_text, NULL) < 0)
			free(text);
		evbuffer_add(out, "\n", 1);
		evhttp_send_reply(request, status, reason(status), out);
	}
	if (out)
		evbuffer_free(out);
}
