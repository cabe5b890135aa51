/*
 * enrol.h - how hosts come and go: tokens, enrolment, revocation
 *
 * controller/API.md: POST /v1/tokens, /v1/enrol, /v1/hosts/NAME/revoke.  A token is kept as a hash under token/HASH until a
 * week after its expiry, used or not, so that whoever tries it late hears why it does not work.
 */
#ifndef CONTROLLER_ENROL_H
#define CONTROLLER_ENROL_H

#include "controller/ca/authority.h"
#include "controller/model.h"
#include "lab/fault.h"

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#define ENROL_EXPIRES_DEFAULT_S 3600
#define ENROL_EXPIRES_MAX_S 2592000
#define ENROL_TOKEN_KEPT_S 604800

/* What a call needs to know, and where its change goes; all borrowed */
struct enrol {
	const struct model *model;
	const struct authority *authority;
	time_t now;
	struct store_txn *txn;
};

/**
 * enrol_token() - a token for the host named in @in
 * @random:	what the secret is made of
 *
 * Return: the answer once what is in the transaction is stored, or NULL with @fault set; so do the others
 */
json_t *enrol_token(const struct enrol *enrol, const uint8_t random[AUTHORITY_SECRET_BYTES], const json_t *in,
	struct fault *fault);

/* Take a host in */
json_t *enrol_host(const struct enrol *enrol, const json_t *in, struct fault *fault);

/* Without a `rev` where something changes */
json_t *enrol_set_endpoints(const struct enrol *enrol, const char *host, const json_t *in, struct fault *fault);
json_t *enrol_revoke(const struct enrol *enrol, const char *host, struct fault *fault);

/**
 * enrol_remove() - forget a host, and its tokens that were not used
 * @revoke:	although it is not revoked
 *
 * Its certificate is refused without being remembered: who is not in the model is nobody's peer and no agent, and who joins under
 * the name later has another one.
 */
json_t *enrol_remove(const struct enrol *enrol, const char *host, bool revoke, struct fault *fault);

/* When the certificate of @host, as the model has it, ends; out of the certificate for those that joined before that was kept.
 * Return: 0 where it cannot be read */
time_t enrol_certificate_end(const json_t *host);

#endif /* CONTROLLER_ENROL_H */
