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
void reply_json(struct evhttp_request *request, int status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	struct evbuffer *out = evbuffer_new();
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_add_header(headers, "Content-Type", "application/json");
	evhttp_add_header(headers, "Cache-Control", "no-store");
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
	json_decref(body);
}

void reply_fault(struct evhttp_request *request, const struct fault *fault)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	if (fault->status == 401)
		evhttp_add_header(headers, "WWW-Authenticate", "Bearer realm=\"weft\"");
	if (fault->status == 429)
		evhttp_add_header(headers, "Retry-After", "10");
	reply_json(request, fault->status, fault_body(fault));
}

json_t *reply_read_body(struct evhttp_request *request, struct fault *fault)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(request);
	size_t len_bytes = evbuffer_get_length(in);
	unsigned char *bytes = evbuffer_pullup(in, -1);
	json_error_t error;
	json_t *body;

	if (len_bytes == 0 || !bytes) {
		fault_set(fault, 400, "", "the request has no body");
		return NULL;
	}
	body = json_loadb((const char *)bytes, len_bytes, JSON_REJECT_DUPLICATES, &error);
	if (!body)
		fault_set(fault, 400, "", "the body is not JSON: line %d, column %d: %s", error.line, error.column,
			error.text);
	secret_wipe(bytes, len_bytes);
	evbuffer_drain(in, len_bytes);
	return body;
}
