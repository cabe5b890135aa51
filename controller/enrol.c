/*
 * enrol.c - see enrol.h
 */
#include "controller/enrol.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "controller/host_addresses.h"
#include "controller/host_topology.h"
#include "crypto/identity_issue.h"
#include "lab/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_PREFIX "token/"

/* Return: the member as text, or NULL with @fault set */
static const char *required_text(const json_t *in, const char *key, struct fault *fault)
{
	const char *text = json_text_of(in, key);

	if (!text)
		fault_set(fault, 400, key, json_object_get(in, key) ? "must be a string" : "is missing");
	return text;
}

/* ---- tokens ----------------------------------------------------------------------------------------------- */

struct token_key {
	char text[sizeof(TOKEN_PREFIX) + 64];
};

static struct token_key token_key(const char *secret)
{
	struct authority_hash hash = authority_hash(secret);
	struct token_key key;

	snprintf(key.text, sizeof(key.text), TOKEN_PREFIX "%s", hash.text);
	return key;
}

/* Tokens that expired so long ago that nobody asks any more */
static void sweep(const struct enrol *enrol)
{
	const char *key;
	json_t *kept;

	json_object_foreach((json_t *)model_others(enrol->model), key, kept) {
		json_t *expires = json_object_get(json_object_get(kept, "value"), "expires_at");

		if (strncmp(key, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0 &&
			json_integer_value(expires) < enrol->now - ENROL_TOKEN_KEPT_S)
			store_txn_delete(enrol->txn, key);
	}
}

/* "weft1." and what `weft join` has to know */
static json_t *join_token(const struct authority *authority, const char *host, const char *secret)
{
	json_t *content = json_pack("{s:s, s:s, s:s, s:s}", "c", authority->address, "f", authority->fingerprint, "s",
		secret, "h", host);
	char *plain = json_dumps(content, JSON_COMPACT), *coded = NULL;
	size_t len_bytes = plain ? strlen(plain) : 0;
	json_t *out = NULL;

	if (plain)
		coded = malloc(BASE64_TEXT_BYTES(len_bytes));
	if (coded) {
		authority_base64url(plain, len_bytes, coded);
		out = json_sprintf("weft1.%s", coded);
		secret_wipe(coded, strlen(coded));
	}
	if (plain)
		secret_wipe(plain, len_bytes);
	free(plain);
	free(coded);
	json_decref(content);
	return out;
}

static bool read_wish(const json_t *in, const char **host, json_int_t *expires_s, struct fault *fault)
{
	const json_t *expires = json_object_get(in, "expires_s");

	*host = required_text(in, "host", fault);
	if (!*host)
		return false;
	if (!lab_name_ok(*host)) {
		fault_set(fault, 400, "host", "\"%.80s\" cannot be a host's name", *host);
		fault_hint(fault, "lower-case letters, digits and '-' in between, at most %u", LAB_NAME_MAX);
		return false;
	}
	*expires_s = expires ? json_integer_value(expires) : ENROL_EXPIRES_DEFAULT_S;
	if ((expires && !json_is_integer(expires)) || *expires_s < 1 || *expires_s > ENROL_EXPIRES_MAX_S)
		return fault_set(fault, 400, "expires_s", "must be a whole number of seconds, 1 to %d",
			ENROL_EXPIRES_MAX_S);
	return true;
}

json_t *enrol_token(const struct enrol *enrol, const uint8_t random[AUTHORITY_SECRET_BYTES], const json_t *in,
	struct fault *fault)
{
	struct authority_secret secret;
	json_int_t expires_s = 0, expires_at;
	const char *host = NULL;
	json_t *record, *out;

	if (!read_wish(in, &host, &expires_s, fault))
		return NULL;
	expires_at = (json_int_t)enrol->now + expires_s;
	secret = authority_secret(random);
	sweep(enrol);
	record = json_pack("{s:s, s:I}", "host", host, "expires_at", expires_at);
	model_put(enrol->txn, token_key(secret.text).text, record);
	out = json_pack("{s:o, s:s, s:I}", "token", join_token(enrol->authority, host, secret.text), "host", host,
		"expires_at", expires_at);
	json_decref(record);
	secret_wipe(&secret, sizeof(secret));
	if (!out)
		fault_set(fault, 503, "", "out of memory");
	return out;
}

/* Is the token good now?  Return: what is stored of it, or NULL with @fault set */
static const json_t *check_token(const struct enrol *enrol, const char *key, uint64_t *rev, struct fault *fault)
{
	const json_t *record = model_get(enrol->model, key, rev);

	if (!record) {
		fault_set(fault, 401, "token",
			"this token was not made by this fabric's controller, or is long forgotten");
		fault_hint(fault, "make a new one with `weft token`");
		return NULL;
	}
	if (json_object_get(record, "used_at")) {
		fault_set(fault, 409, "token", "this token has been used already: it is for one host, once");
		fault_hint(fault, "make a new one with `weft token %s`", json_text_of(record, "host"));
		return NULL;
	}
	if (json_integer_value(json_object_get(record, "expires_at")) <= enrol->now) {
		fault_set(fault, 410, "token", "this token has expired");
		fault_hint(fault, "make a new one with `weft token %s`", json_text_of(record, "host"));
		return NULL;
	}
	return record;
}

/* ---- enrolment -------------------------------------------------------------------------------------------- */

/* Check the request's endpoints and port, and put them into @host */
static bool take_endpoints(const json_t *in, const struct model *model, json_t *host, struct fault *fault)
{
	json_t *port = json_object_get(in, "port"), *endpoint = json_object_get(in, "endpoint"),
	       *endpoints = json_object_get(in, "endpoints"), *one;
	json_int_t port_number = port && !json_is_null(port) ? json_integer_value(port) : UDP_PORT_DEFAULT;
	bool good;

	if (port_number < 1 || port_number > 65535)
		return fault_set(fault, 400, "port", "must be a UDP port, 1 to 65535");
	json_object_set_new(host, "port", json_integer(port_number));
	if (endpoints && !json_is_null(endpoints))
		return host_addresses_declare(endpoints, model, host, fault);
	if (!endpoint || json_is_null(endpoint))
		return true;
	one = json_pack("[O]", endpoint);
	good = host_addresses_declare(one, model, host, fault);
	if (!good)
		snprintf(fault->where, sizeof(fault->where), "endpoint");
	json_decref(one);
	return good;
}

/* The tunnel's key must be signed by the key that the certificate was issued for */
static bool take_tunnel_key(const json_t *in, const struct authority *authority, const char *certificate, time_t now,
	json_t *host, struct fault *fault)
{
	const char *key_text = required_text(in, "tunnel_key", fault),
		   *sig_text = required_text(in, "tunnel_sig", fault);
	char key_canonical[BASE64_TEXT_BYTES(32)], sig_canonical[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	struct identity identity;
	struct x25519_public key;

	if (!key_text || !sig_text)
		return false;
	if (!base64_decode(key_text, key.bytes, sizeof(key.bytes)))
		return fault_set(fault, 400, "tunnel_key", "must be 32 bytes in base64");
	if (!base64_decode(sig_text, signature, sizeof(signature)))
		return fault_set(fault, 400, "tunnel_sig", "must be %u bytes in base64", IDENTITY_SIGNATURE_BYTES);
	if (!identity_verify(authority->ca_pem, certificate, IDENTITY_HOST, now, &identity))
		return fault_set(fault, 503, "", "the certificate just issued does not check out; is the clock right?");
	if (!identity_tunnel_verify(&identity, &key, signature, sizeof(signature))) {
		fault_set(fault, 400, "tunnel_sig",
			"is not the signature of host \"%s\" over tunnel_key, by the CSR's key", identity.name);
		fault_hint(fault, "join under the name that the token was made for");
		return false;
	}
	/* as we write them, not as they came: what is stored goes to every other host */
	base64_encode(key.bytes, sizeof(key.bytes), key_canonical);
	base64_encode(signature, sizeof(signature), sig_canonical);
	return json_object_set_new(host, "tunnel_key", json_string(key_canonical)) == 0 &&
		json_object_set_new(host, "tunnel_sig", json_string(sig_canonical)) == 0;
}

static bool issue(const json_t *in, const struct authority *authority, const char *name, time_t now, char **certificate,
	struct fault *fault)
{
	const char *csr = required_text(in, "csr", fault);
	int err;

	if (!csr)
		return false;
	if (!authority->ca_key_pem) {
		fault_set(fault, 503, "", "the CA's key is not on this controller: nobody can enrol now");
		fault_hint(fault, "put ca.key back into the controller's state folder and restart it");
		return false;
	}
	err = identity_host_issue(authority->ca_key_pem, authority->ca_pem, csr, name, now, certificate);
	if (err == -EKEYREJECTED)
		return fault_set(fault, 400, "csr", "is no certificate request of an Ed25519 key, or not signed by it");
	return !err || fault_set(fault, 503, "", "could not issue a certificate: %s", strerror(-err));
}

time_t enrol_certificate_end(const json_t *host)
{
	const json_t *kept = json_object_get(host, "certificate_end");
	const char *certificate = json_text_of(host, "certificate");
	time_t end = 0;

	if (kept)
		return (time_t)json_integer_value(kept);
	return certificate && identity_end(certificate, &end) ? end : 0;
}

/* The host as it will be stored, with a new certificate; NULL with @fault set */
static json_t *new_host(const json_t *in, const struct enrol *enrol, const char *name, struct fault *fault)
{
	const time_t now = enrol->now;
	char fingerprint[IDENTITY_FINGERPRINT_BYTES], *certificate = NULL;
	json_t *host = json_pack("{s:s, s:b, s:I}", "name", name, "revoked", 0, "enrolled_at", (json_int_t)now);
	bool ok = take_endpoints(in, enrol->model, host, fault) &&
		issue(in, enrol->authority, name, now, &certificate, fault) &&
		take_tunnel_key(in, enrol->authority, certificate, now, host, fault);

	if (ok && !identity_fingerprint(certificate, fingerprint))
		ok = fault_set(fault, 503, "", "could not hash the certificate");
	if (ok)
		ok = json_object_set_new(host, "certificate", json_string(certificate)) == 0 &&
			json_object_set_new(host, "fingerprint", json_string(fingerprint)) == 0 &&
			json_object_set_new(host, "certificate_end",
				json_integer((json_int_t)enrol_certificate_end(host))) == 0;
	identity_pem_free(certificate);
	if (ok)
		return host;
	json_decref(host);
	return NULL;
}

/* One transaction: the token is used, and the host is there */
static void put_host(const struct enrol *enrol, const char *token, const json_t *record, uint64_t token_rev,
	const json_t *host)
{
	json_t *used = json_copy((json_t *)record);
	char key[LAB_NAME_MAX + 8];

	snprintf(key, sizeof(key), "%s%s", model_prefix(MODEL_HOST), json_text_of(host, "name"));
	json_object_set_new(used, "used_at", json_integer((json_int_t)enrol->now));
	store_txn_expect(enrol->txn, token, token_rev);
	model_put(enrol->txn, token, used);
	model_put(enrol->txn, key, host);
	json_decref(used);
}

/* Two hosts with one tunnel key could not be told apart by their peers, which would refuse both */
static bool key_is_free(const struct model *model, const json_t *host, struct fault *fault)
{
	const char *name, *key = json_text_of(host, "tunnel_key");
	const json_t *other;

	json_object_foreach((json_t *)model_all(model, MODEL_HOST), name, other) {
		if (strcmp(name, json_text_of(host, "name")) == 0 ||
			strcmp(json_text_of(other, "tunnel_key"), key) != 0)
			continue;
		fault_set(fault, 409, "tunnel_key", "is another host's");
		fault_hint(fault, "join again: a new key is made each time");
		return false;
	}
	return true;
}

json_t *enrol_host(const struct enrol *enrol, const json_t *in, struct fault *fault)
{
	const struct authority *authority = enrol->authority;
	const char *secret = required_text(in, "token", fault), *name;
	const json_t *psk = json_object_get(model_fabric(enrol->model), "psk"), *record;
	json_t *host, *out = NULL;
	struct token_key key;
	uint64_t token_rev = 0;

	if (!secret)
		return NULL;
	key = token_key(secret);
	record = check_token(enrol, key.text, &token_rev, fault);
	if (!record)
		return NULL;
	name = json_text_of(record, "host");
	host = new_host(in, enrol, name, fault);
	if (host && key_is_free(enrol->model, host, fault)) {
		put_host(enrol, key.text, record, token_rev, host);
		out = json_pack("{s:s, s:s, s:O, s:s, s:O}", "fabric", authority->name, "host", name, "certificate",
			json_object_get(host, "certificate"), "ca", authority->ca_pem, "psk", psk);
	}
	if (!out)
		fault_set(fault, 503, "", "out of memory");
	json_decref(host);
	return out;
}

/* ---- where it is ------------------------------------------------------------------------------------------- */

json_t *enrol_set_endpoints(const struct enrol *enrol, const char *name, const json_t *in, struct fault *fault)
{
	const json_t *known = model_host(enrol->model, name);
	json_t *host = json_copy((json_t *)known), *out = NULL;
	char key[LAB_NAME_MAX + 8];

	if (!known) {
		(void)model_missing(enrol->model, MODEL_HOST, name, fault);
		return NULL;
	}
	if (host_addresses_declare(json_object_get(in, "endpoints"), enrol->model, host, fault)) {
		snprintf(key, sizeof(key), "%s%s", model_prefix(MODEL_HOST), name);
		if (!json_equal(host, known))
			model_put(enrol->txn, key, host);
		out = json_pack("{s:O}", "endpoints", json_object_get(host, "endpoints"));
	}
	json_decref(host);
	return out;
}

/* ---- revocation ------------------------------------------------------------------------------------------- */

json_t *enrol_revoke(const struct enrol *enrol, const char *name, struct fault *fault)
{
	const json_t *host = model_host(enrol->model, name);
	char key[LAB_NAME_MAX + 8];
	json_t *revoked;

	if (!host) {
		(void)model_missing(enrol->model, MODEL_HOST, name, fault);
		return NULL;
	}
	if (json_is_true(json_object_get(host, "revoked")))
		return json_pack("{s:I, s:[]}", "rev", (json_int_t)model_rev(enrol->model), "hosts");
	revoked = json_copy((json_t *)host);
	snprintf(key, sizeof(key), "%s%s", model_prefix(MODEL_HOST), name);
	json_object_set_new(revoked, "revoked", json_true());
	model_put(enrol->txn, key, revoked);
	json_decref(revoked);
	return json_pack("{s:o}", "hosts", host_topology_neighbours(enrol->model, name));
}

/* ---- removal ---------------------------------------------------------------------------------------------- */

#define PORTS_NAMED 8U

/* Return: whether no lab has a port on the host */
static bool is_unused(const struct model *model, const char *name, struct fault *fault)
{
	json_t *ports = (json_t *)model_host_ports(model, name), *port;
	const size_t count = json_object_size(ports);
	char text[PORTS_NAMED * (2 * LAB_NAME_MAX + 4)] = "";
	size_t used = 0, named = 0;
	const char *key;

	json_object_foreach(ports, key, port) {
		if (named == PORTS_NAMED)
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", named++ ? ", " : "", key);
	}
	if (count == 0)
		return true;
	if (count > named)
		fault_set(fault, 409, "", "host %s has ports: %s and %zu more", name, text, count - named);
	else
		fault_set(fault, 409, "", "host %s has %s: %s", name, count == 1 ? "a port" : "ports", text);
	fault_hint(fault, "take them out of their labs first, with `weft apply` or `weft delete`");
	return false;
}

static void delete_tokens(const struct enrol *enrol, const char *name)
{
	const char *key;
	json_t *kept;

	json_object_foreach((json_t *)model_others(enrol->model), key, kept) {
		const json_t *token = json_object_get(kept, "value");

		if (strncmp(key, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0 && !json_object_get(token, "used_at") &&
			json_text_of(token, "host") && strcmp(json_text_of(token, "host"), name) == 0)
			store_txn_delete(enrol->txn, key);
	}
}

json_t *enrol_remove(const struct enrol *enrol, const char *name, bool revoke, struct fault *fault)
{
	const json_t *host = model_host(enrol->model, name);
	char key[LAB_NAME_MAX + 8];

	if (!host) {
		(void)model_missing(enrol->model, MODEL_HOST, name, fault);
		return NULL;
	}
	if (!is_unused(enrol->model, name, fault))
		return NULL;
	if (!revoke && !json_is_true(json_object_get(host, "revoked"))) {
		fault_set(fault, 409, "", "host %s is not revoked: its certificate is good", name);
		fault_hint(fault, "`weft revoke %s` first, or `weft host rm %s --force`, which does both", name, name);
		return NULL;
	}
	snprintf(key, sizeof(key), "%s%s", model_prefix(MODEL_HOST), name);
	store_txn_delete(enrol->txn, key);
	delete_tokens(enrol, name);
	return json_object();
}
