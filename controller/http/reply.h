/*
 * reply.h - JSON in and out of evhttp requests
 */
#ifndef CONTROLLER_HTTP_REPLY_H
#define CONTROLLER_HTTP_REPLY_H

#include "lab/fault.h"

#include <event2/http.h>
#include <jansson.h>

/* Answer with @body, which is consumed; NULL (memory was short) becomes a 503 */
void reply_json(struct evhttp_request *request, int status, json_t *body);

/* Answer with a fault; its status must be set */
void reply_fault(struct evhttp_request *request, const struct fault *fault);

/* Return: the request's body, a new reference, or NULL with @fault set */
json_t *reply_read_body(struct evhttp_request *request, struct fault *fault);

#endif /* CONTROLLER_HTTP_REPLY_H */
