/*
 * resolver.c - see resolver.h
 */
#include "controller/resolver.h"

#include "base/addr.h"
#include "base/clock.h"
#include "base/server_address.h"
#include "client/resolution.h"
#include "controller/host_addresses.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct question {
	struct resolver *resolver;
	struct resolution *resolution; /* NULL: the place is free */
	char name[SERVER_ADDRESS_TEXT_BYTES];
};

struct resolver {
	struct event_base *base;
	struct model *model;
	struct api *api;
	struct event *look;
	json_t *asked; /* {name: when, in ns}, of those that are declared now */
	struct question questions[RESOLVER_AT_ONCE];
};

static json_t *addresses_of(const struct addrinfo *found)
{
	json_t *out = json_array();

	for (; found; found = found->ai_next) {
		char text[ENDPOINT_TEXT_BYTES];
		struct endpoint endpoint;

		if (!endpoint_from_sockaddr(found->ai_addr, found->ai_addrlen, &endpoint) ||
			endpoint_unusable(&endpoint))
			continue;
		endpoint_format(&endpoint, text);
		json_array_append_new(out, json_string(text));
	}
	return out;
}

static void on_answer(void *ctx, const struct addrinfo *found, const char *failure)
{
	struct question *question = ctx;
	json_t *addresses = failure[0] ? NULL : addresses_of(found);

	question->resolution = NULL;
	if (addresses && json_array_size(addresses) == 0)
		failure = "it stands for no address at which another host could reach this one";
	api_named(question->resolver->api, question->name, addresses, failure);
	json_decref(addresses);
}

static struct question *free_place(struct resolver *resolver)
{
	for (size_t i = 0; i < RESOLVER_AT_ONCE; i++)
		if (!resolver->questions[i].resolution)
			return &resolver->questions[i];
	return NULL;
}

static void ask(struct question *question, const char *name)
{
	struct server_address address;
	const char *failure;

	if (!server_address_parse(name, 1, &address))
		return;
	snprintf(question->name, sizeof(question->name), "%s", name);
	question->resolution =
		resolution_begin(question->resolver->base, address.host, address.port, on_answer, question, &failure);
	if (!question->resolution)
		api_named(question->resolver->api, name, NULL, failure);
}

static json_t *declared(const struct model *model)
{
	json_t *out = json_object(), *host;
	const char *name;

	json_object_foreach((json_t *)model_all(model, MODEL_HOST), name, host)
		if (!json_is_true(json_object_get(host, "revoked")))
			host_addresses_names(host, out);
	return out;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	json_t *names = declared(resolver->model), *asked = json_object(), *unused;
	const struct instant now = instant_now();
	const char *name;

	(void)fd;
	(void)what;
	json_object_foreach(names, name, unused) {
		json_t *before = json_object_get(resolver->asked, name);
		const struct instant at = { .ns = (uint64_t)json_integer_value(before) };
		struct question *place = free_place(resolver);

		if (before && (!place || !instant_reached(now, instant_add_ms(at, RESOLVER_EVERY_S * 1000U)))) {
			json_object_set(asked, name, before);
		} else if (place) {
			json_object_set_new(asked, name, json_integer((json_int_t)now.ns));
			ask(place, name);
		}
	}
	json_decref(names);
	json_decref(resolver->asked);
	resolver->asked = asked;
}

struct resolver *resolver_new(struct event_base *base, struct model *model, struct api *api)
{
	const struct timeval every = { RESOLVER_LOOK_MS / 1000, 0 };
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return NULL;
	*resolver = (struct resolver){ .base = base, .model = model, .api = api, .asked = json_object() };
	for (size_t i = 0; i < RESOLVER_AT_ONCE; i++)
		resolver->questions[i].resolver = resolver;
	resolver->look = event_new(base, -1, EV_PERSIST, on_look, resolver);
	if (!resolver->look || event_add(resolver->look, &every) < 0) {
		resolver_free(resolver);
		return NULL;
	}
	return resolver;
}

void resolver_again(struct resolver *resolver)
{
	json_object_clear(resolver->asked);
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	for (size_t i = 0; i < RESOLVER_AT_ONCE; i++)
		resolution_cancel(resolver->questions[i].resolution);
	if (resolver->look)
		event_free(resolver->look);
	json_decref(resolver->asked);
	free(resolver);
}
