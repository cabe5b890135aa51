/*
 * post.c - see post.h
 */
#include "tests/sim/post.h"

#include <stdio.h>
#include <stdlib.h>

static struct post *post_new(void)
{
	struct post *post = calloc(1, sizeof(*post));

	if (!post)
		abort();
	return post;
}

struct post *post_request(enum api_method method, const char *path, const char *query, json_t *body)
{
	struct post *post = post_new();

	post->kind = POST_REQUEST;
	post->method = method;
	snprintf(post->path, sizeof(post->path), "%s", path);
	snprintf(post->query, sizeof(post->query), "%s", query ? query : "");
	if (body && !(post->body = json_dumps(body, JSON_COMPACT)))
		abort();
	json_decref(body);
	return post;
}

struct post *post_answer(int status, const json_t *json)
{
	struct post *post = post_new();

	post->kind = POST_ANSWER;
	post->status = status;
	post->json = json_incref((json_t *)json);
	return post;
}

struct post *post_line(const json_t *json)
{
	struct post *post = post_new();

	post->kind = POST_LINE;
	post->json = json_incref((json_t *)json);
	return post;
}

void post_free(void *arg)
{
	struct post *post = arg;

	json_decref(post->json);
	free(post->body);
	free(post);
}
