/*
 * post.h - what passes between an agent and the controller: requests, answers and the lines of a watch, above HTTP
 */
#ifndef TESTS_SIM_POST_H
#define TESTS_SIM_POST_H

#include "controller/api.h"

#include <jansson.h>

struct post {
	enum { POST_REQUEST, POST_ANSWER, POST_LINE } kind;
	enum api_method method; /* of a request */
	char path[64];
	char query[128];
	char *body;   /* text, NULL: none */
	int status;   /* of an answer */
	json_t *json; /* of an answer (NULL: none) or a line */
};

/* @body: consumed; NULL: none */
struct post *post_request(enum api_method method, const char *path, const char *query, json_t *body);

/* @json: a reference of its own is taken */
struct post *post_answer(int status, const json_t *json);
struct post *post_line(const json_t *json);

void post_free(void *post);

#endif /* TESTS_SIM_POST_H */
