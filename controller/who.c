/*
 * who.c - see who.h
 */
#include "controller/who.h"

#include "controller/ca/authority.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define OPERATOR_KEY "operator/default"

/* Compares hashes, so that neither length nor content of the token shows in the time it takes */
static bool token_ok(const struct model *model, const char *token)
{
	const char *known = json_string_value(json_object_get(model_get(model, OPERATOR_KEY, NULL), "sha256"));
	struct authority_hash hash = authority_hash(token);

	return known && strlen(known) == sizeof(hash.text) - 1 &&
		CRYPTO_memcmp(known, hash.text, sizeof(hash.text) - 1) == 0;
}

static bool check_token(const char *token, const struct model *model, struct throttle *throttle, struct instant now,
	struct who *out, struct fault *fault)
{
	if (token_ok(model, token)) {
		out->kind = WHO_OPERATOR;
		return true;
	}
	if (out->from_known && !throttle_ok(throttle, &out->from, now))
		return fault_set(fault, 429, "", "too many wrong tokens from this address; try again in a while");
	if (out->from_known)
		throttle_failed(throttle, &out->from, now);
	fault_set(fault, 401, "", "the operator's token is wrong");
	fault_hint(fault, "it is in operator.json of the controller's state folder");
	return false;
}

static bool check_certificate(const struct who_claim *claim, const struct model *model, struct who *out,
	struct fault *fault)
{
	const json_t *host;
	const char *known;

	if (!lab_name_ok(claim->host))
		return fault_set(fault, 403, "", "this certificate names no host of this fabric");
	host = model_host(model, claim->host);
	if (!host)
		return fault_set(fault, 403, "", "host %s is not enrolled here", claim->host);
	if (json_is_true(json_object_get(host, "revoked"))) {
		fault_set(fault, 403, "", "host %s is revoked", claim->host);
		fault_hint(fault, "only a new token lets it join again");
		return false;
	}
	known = json_string_value(json_object_get(host, "fingerprint"));
	if (!known || !claim->fingerprint || strcmp(known, claim->fingerprint) != 0)
		return fault_set(fault, 403, "", "host %s has joined again since; this certificate is replaced",
			claim->host);
	out->kind = WHO_AGENT;
	snprintf(out->host, sizeof(out->host), "%s", claim->host);
	return true;
}

bool who_is(const struct who_claim *claim, const struct model *model, struct throttle *throttle, struct instant now,
	struct who *out, struct fault *fault)
{
	*out = (struct who){ .kind = WHO_NOBODY, .from_known = claim->from_known, .from = claim->from };
	if (claim->local)
		out->kind = WHO_OPERATOR;
	else if (claim->token)
		return check_token(claim->token, model, throttle, now, out, fault);
	else if (claim->host)
		return check_certificate(claim, model, out, fault);
	return true;
}
