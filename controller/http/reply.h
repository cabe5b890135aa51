/*
 * reply.h - an answer in JSON to an evhttp request
 */
#ifndef CONTROLLER_HTTP_REPLY_H
#define CONTROLLER_HTTP_REPLY_H

#include <event2/http.h>
#include <jansson.h>

/* Answer with @body, borrowed; NULL (memory was short) becomes a 503 */
void reply_json(struct evhttp_request *request, int status, const json_t *body);

#endif /* CONTROLLER_HTTP_REPLY_H */
