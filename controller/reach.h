/*
 * reach.h - who shall reach whom, and what is known of it: paths between hosts that share a network, and a lab's ports
 *
 * A path is a pair of hosts.  It is not up where one of the two says so, and not known where neither says anything, or only who has more
 * peers that are not up than it names.  What agents say is host_sessions.h's; who shares a network is the model's.
 */
#ifndef CONTROLLER_REACH_H
#define CONTROLLER_REACH_H

#include "controller/host_sessions.h"
#include "controller/model.h"

#include <jansson.h>

#define REACH_NAMED_MAX 64U

/* {"count", "up", "unknown"}: all paths of the fabric.  New reference, NULL where memory is short */
json_t *reach_of_fabric(const struct model *model, const struct host_sessions *sessions);

/**
 * reach_of_lab() - is all of it up?
 * @out:	{"paths": {"count", "up", "offline", "not_up", "unnamed"}, "ports": {"count", "up", "offline", "failed", "not_up"}} is
 *	added to it
 *
 * Hosts that have not applied what is wanted of them have no path and no port that is up, whatever they said before.  The first
 * REACH_NAMED_MAX items of each are named.  Return: false where memory is short
 */
bool reach_of_lab(const struct model *model, const struct host_sessions *sessions, const char *lab, json_t *out);

#endif /* CONTROLLER_REACH_H */
