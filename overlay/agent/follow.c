/*
 * follow.c - see follow.h
 */
#include "overlay/agent/follow.h"

#include "base/error.h"
#include "base/log.h"
#include "base/server_address.h"
#include "lab/limits.h"

#include <stdio.h>
#include <string.h>

/* In the one form.  Return: false where @text is none */
static bool normal(const char *text, char out[SERVER_ADDRESS_TEXT_BYTES])
{
	struct server_address address;

	if (!text || !server_address_parse(text, CONTROLLER_PORT_DEFAULT, &address))
		return false;
	server_address_format(&address, out);
	return true;
}

static bool names(const json_t *list, const char *address)
{
	char text[SERVER_ADDRESS_TEXT_BYTES];
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (normal(json_string_value(item), text) && strcmp(text, address) == 0)
			return true;
	return false;
}

static void keep(const struct enrolment *enrolment, const char *state)
{
	struct error error;

	if (enrolment_save_controller(state, enrolment, &error) < 0)
		log_warning("%s: after a restart this host looks for its controller where it was", error.text);
}

bool follow_news(struct enrolment *enrolment, const char *state, const char *address, const json_t *former)
{
	char now[SERVER_ADDRESS_TEXT_BYTES], wanted[SERVER_ADDRESS_TEXT_BYTES];

	if (!normal(enrolment->controller, now) || !normal(address, wanted) || strcmp(now, wanted) == 0 ||
		!names(former, now))
		return false;
	log_info("the controller is reached at %s now, before at %s", wanted, now);
	snprintf(enrolment->before, sizeof(enrolment->before), "%s", now);
	snprintf(enrolment->controller, sizeof(enrolment->controller), "%s", wanted);
	keep(enrolment, state);
	return true;
}

void follow_arrived(struct enrolment *enrolment, const char *state, const char *address)
{
	char now[SERVER_ADDRESS_TEXT_BYTES];

	if (!enrolment->before[0] || !normal(enrolment->controller, now) || strcmp(now, address) != 0)
		return;
	enrolment->before[0] = '\0';
	keep(enrolment, state);
}
