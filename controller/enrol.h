/*
 * enrol.h - how hosts come and go: tokens, enrolment, revocation
 *
 * controller/API.md: POST /v1/tokens, /v1/enrol, /v1/hosts/NAME/revoke.  A token is kept as a hash under token/HASH until a
 * week after its expiry, used or not, so that whoever tries it late hears why it does not work.
 */
#ifndef CONTROLLER_ENROL_H
#define CONTROLLER_ENROL_H

#include "controller/ca/authority.h"
#include "lab/fault.h"
#include "controller/model.h"

#include <jansson.h>
#include <time.h>

#define ENROL_EXPIRES_DEFAULT_S 3600
#define ENROL_EXPIRES_MAX_S 2592000
#define ENROL_TOKEN_KEPT_S 604800

/* A token for the host named in @in.  Return: the answer, or NULL with @fault set; so do the others */
json_t *enrol_token(struct model *model, const struct authority *authority, const json_t *in, time_t now,
	struct fault *fault);

/* Take a host in */
json_t *enrol_host(struct model *model, const struct authority *authority, const json_t *in, time_t now,
	struct fault *fault);

json_t *enrol_revoke(struct model *model, const char *host, struct fault *fault);

#endif /* CONTROLLER_ENROL_H */
