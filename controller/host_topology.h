/*
 * host_topology.h - what one host has to know: the document of GET /v1/agent/topology, without its `rev`
 *
 * A pure function of the model, with everything sorted, so that equal content is json_equal().
 */
#ifndef CONTROLLER_HOST_TOPOLOGY_H
#define CONTROLLER_HOST_TOPOLOGY_H

#include "controller/model.h"

#include <jansson.h>

/* Return: a new document; NULL where memory is short or @host is not known */
json_t *host_topology_of(const struct model *model, const char *host);

/* Sorted names of the other, not revoked hosts that share a network with @host */
json_t *host_topology_neighbours(const struct model *model, const char *host);

#endif /* CONTROLLER_HOST_TOPOLOGY_H */
