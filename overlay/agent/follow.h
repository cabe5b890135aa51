/*
 * follow.h - the controller is reached at another address, and this host follows
 *
 * Theory of operation.  The controller tells on the stream where it is and where it was (controller/API.md).  A host that knows it by one
 * of its former addresses takes the new one, and keeps the old one as well until the new one has answered: both are tried in turn.
 * A host that was given an address of its own choice is not concerned, and stays with that.
 * On disk it is agent.json's; where that cannot be written the host follows all the same, and is told again after its next start.
 */
#ifndef OVERLAY_AGENT_FOLLOW_H
#define OVERLAY_AGENT_FOLLOW_H

#include "base/enrolment.h"

#include <jansson.h>
#include <stdbool.h>

/* @address, @former: of the controller, borrowed, not checked.  Return: whether @enrolment has changed: connect anew */
bool follow_news(struct enrolment *enrolment, const char *state, const char *address, const json_t *former);

/* The controller has answered at @address: where it was before is not needed any more */
void follow_arrived(struct enrolment *enrolment, const char *state, const char *address);

#endif /* OVERLAY_AGENT_FOLLOW_H */
