/*
 * who.h - who is asking?
 *
 * An operator, by the local socket or by a token; an agent, by its certificate; or nobody that we know.  The TLS layer has
 * checked that a certificate comes from the fabric's CA and is valid; here it is held against what the model says of
 * its host now.
 */
#ifndef CONTROLLER_WHO_H
#define CONTROLLER_WHO_H

#include "base/addr.h"
#include "controller/model.h"
#include "controller/throttle.h"
#include "lab/fault.h"
#include "lab/limits.h"

#include <stdbool.h>

enum who_kind {
	WHO_NOBODY,
	WHO_AGENT,
	WHO_OPERATOR,
};

/* What a caller shows of itself; borrowed */
struct who_claim {
	bool local;        /* it came in over the local socket */
	const char *token; /* a bearer token, "" for one of another kind; NULL: none */
	const char *host;  /* the name in a certificate, "" where that is none of the fabric's; NULL: no certificate */
	const char *fingerprint; /* of the certificate: its SHA-256 in hex */
	bool from_known;
	struct endpoint from; /* where the connection comes from */
};

struct who {
	enum who_kind kind;
	char host[LAB_NAME_MAX + 1]; /* an agent's */
	bool from_known;
	struct endpoint from;
};

/**
 * who_is() - find out
 * @throttle:	of wrong tokens
 *
 * Return: false with @fault set where credentials were shown that are wrong; without any it is WHO_NOBODY
 */
bool who_is(const struct who_claim *claim, const struct model *model, struct throttle *throttle, struct instant now,
	struct who *out, struct fault *fault) __attribute__((warn_unused_result));

#endif /* CONTROLLER_WHO_H */
