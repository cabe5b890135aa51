/*
 * who.c - see who.h
 */
#include "controller/who.h"

#include "controller/http/conns.h"
#include "controller/ca/authority.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <netinet/in.h>

#define OPERATOR_KEY "operator/default"

/* Compares hashes, so that neither length nor content of the token shows in the time it takes */
static bool token_ok(struct model *model, const char *token)
{
	struct authority_hash hash = authority_hash(token);
	json_t *record = NULL;
	const char *known;
	bool ok = false;

	if (model_get(model, OPERATOR_KEY, &record, NULL) < 0)
		return false;
	known = json_string_value(json_object_get(record, "sha256"));
	if (known && strlen(known) == sizeof(hash.text) - 1)
		ok = CRYPTO_memcmp(known, hash.text, sizeof(hash.text) - 1) == 0;
	json_decref(record);
	return ok;
}

static bool check_token(const char *header, struct model *model, struct throttle *throttle, struct instant now,
	struct who *out, struct fault *fault)
{
	if (strncasecmp(header, "Bearer ", 7) == 0 && token_ok(model, header + 7)) {
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

static bool certificate_fingerprint(const X509 *certificate, struct authority_hash *out)
{
	unsigned char digest[32];
	unsigned int len_bytes = 0;

	if (!X509_digest(certificate, EVP_sha256(), digest, &len_bytes) || len_bytes != sizeof(digest))
		return false;
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(&out->text[2 * i], 3, "%02x", digest[i]);
	return true;
}

static bool check_certificate(const X509 *certificate, const struct model *model, struct who *out, struct fault *fault)
{
	char name[LAB_NAME_MAX + 2];
	struct authority_hash hash;
	const char *known;
	const json_t *host;
	int len = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));

	if (len <= 0 || (size_t)len != strlen(name) || !lab_name_ok(name) ||
		!certificate_fingerprint(certificate, &hash))
		return fault_set(fault, 403, "", "this certificate names no host");
	host = model_host(model, name);
	if (!host)
		return fault_set(fault, 403, "", "host %s is not enrolled here", name);
	if (json_is_true(json_object_get(host, "revoked"))) {
		fault_set(fault, 403, "", "host %s is revoked", name);
		fault_hint(fault, "only a new token lets it join again");
		return false;
	}
	known = json_string_value(json_object_get(host, "fingerprint"));
	if (!known || strcmp(known, hash.text) != 0)
		return fault_set(fault, 403, "", "host %s has joined again since; this certificate is replaced", name);
	out->kind = WHO_AGENT;
	snprintf(out->host, sizeof(out->host), "%s", name);
	return true;
}

bool who_is(struct evhttp_request *request, bool local, struct model *model, struct throttle *throttle,
	struct instant now, struct who *out, struct fault *fault)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	const struct sockaddr *sa = evhttp_connection_get_addr(connection);
	const char *header = evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
	const X509 *certificate;
	SSL *ssl;

	*out = (struct who){ .kind = WHO_NOBODY };
	if (local) {
		out->kind = WHO_OPERATOR;
		return true;
	}
	if (sa)
		out->from_known = endpoint_from_sockaddr(sa,
			sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
			&out->from);
	if (header)
		return check_token(header, model, throttle, now, out, fault);
	ssl = conns_tls(connection);
	certificate = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
	if (!certificate)
		return true;
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return fault_set(fault, 403, "", "this certificate does not come from the fabric's CA");
	return check_certificate(certificate, model, out, fault);
}
