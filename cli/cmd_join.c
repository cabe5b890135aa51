/*
 * cmd_join.c - `weft join`: this machine becomes a host of a fabric
 *
 * Theory of operation.  The token names the controller and the fingerprint of the fabric's CA.
 *	1. GET /v1/ca, from whoever answers: nothing secret is sent.  Only a certificate with that fingerprint counts.
 *	2. From here on TLS is checked against that CA alone.  Host keys and tunnel keys are made here; the private
 *	   halves never leave the machine.
 *	3. POST /v1/enrol with the secret, the CSR and the signed tunnel key.  The token is spent now.
 *	4. The certificate must be of that CA, for this name and for our key; then everything is written.
 * Until step 4 nothing in the state folder is touched, so that a failed attempt to join anew leaves the old enrolment.
 */
#include "base/base64.h"
#include "base/enrolment.h"
#include "base/error.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/server_address.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/daemon_peer.h"
#include "cli/join_token.h"
#include "cli/say.h"
#include "crypto/identity.h"
#include "crypto/identity_issue.h"
#include "crypto/x25519.h"
#include "lab/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONTROLLER_REMEDY "is weft-controller running there, and its TCP port open to this machine?"

struct joining {
	struct join_token token;
	struct enrolment enrolment; /* as it will be written */
	struct x25519_keypair tunnel;
	char *csr_pem;
	char tunnel_sig[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	char tunnel_public[BASE64_TEXT_BYTES(X25519_BYTES)];
	json_t *endpoints; /* NULL: none, hosts find out by themselves */
};

static enum cli_exit read_endpoints(const struct invocation *in, struct joining *joining)
{
	for (size_t i = 0; i < in->repeated_count; i++) {
		char text[SERVER_ADDRESS_TEXT_BYTES];
		struct server_address parsed;

		if (!server_address_parse(in->repeated[i], joining->enrolment.port, &parsed))
			return say_error(CLI_USAGE,
				"--endpoint %s: not an address; write an address or a DNS name, such as 198.51.100.7, "
				"[2001:db8::7]:4754 or home.example.org",
				in->repeated[i]);
		server_address_format(&parsed, text);
		if (!joining->endpoints)
			joining->endpoints = json_array();
		json_array_append_new(joining->endpoints, json_string(text));
	}
	return CLI_OK;
}

static enum cli_exit read_options(const struct invocation *in, struct joining *joining)
{
	const char *port = in->values[OPTION_PORT];

	joining->enrolment.no_report_local = invocation_has(in, OPTION_NO_REPORT_LOCAL);
	joining->enrolment.port = UDP_PORT_DEFAULT;
	if (port) {
		unsigned long value = strtoul(port, NULL, 10);

		if (strspn(port, "0123456789") != strlen(port) || strlen(port) > 5 || value < 1 || value > 65535)
			return say_error(CLI_USAGE, "--port %s: not a port; write a number from 1 to 65535", port);
		joining->enrolment.port = (uint16_t)value;
	}
	return read_endpoints(in, joining);
}

static enum cli_exit read_token(const char *arg, struct join_token *out)
{
	char line[JOIN_TOKEN_BYTES_MAX + 64] = "";
	const char *why;
	bool good;

	if (strcmp(arg, "-") == 0 && !fgets(line, sizeof(line), stdin))
		return say_error(CLI_USAGE, "join -: no token on standard input");
	good = join_token_decode(strcmp(arg, "-") == 0 ? line : arg, out, &why);
	secret_wipe(line, sizeof(line));
	return good ? CLI_OK
		    : say_error(CLI_USAGE,
			      "join: this is no join token: %s; `weft token HOST` on the controller's "
			      "machine prints one",
			      why);
}

/* Before the token is spent: can what comes of it be kept? */
static enum cli_exit check_state(const struct invocation *in)
{
	struct enrolment old;
	struct error error;
	int err;

	if (enrolment_present(in->state) && !invocation_has(in, OPTION_FORCE)) {
		enum cli_exit result;

		err = enrolment_load(in->state, &old, &error);
		result = err ? say_error(CLI_FAILED, "join: %s holds an enrolment already, though a damaged one (%s)",
				       in->state, error.text)
			     : say_error(CLI_FAILED,
				       "join: %s is enrolled already, as %s of %s; to replace that, "
				       "add --force, or use another --state",
				       in->state, old.host, old.fabric);
		enrolment_fini(&old);
		return result;
	}
	err = file_make_dir(in->state, 0700);
	if (!err && access(in->state, W_OK | X_OK) < 0)
		err = -errno;
	return err
		? say_error(CLI_FAILED, "join: %s: %s; run as root, or give another --state", in->state, strerror(-err))
		: CLI_OK;
}

static enum cli_exit fetch_ca(struct joining *joining)
{
	struct client_target target = { .address = joining->token.controller,
		.server_name = "the controller",
		.remedy = CONTROLLER_REMEDY };
	struct client *client = client_new(&target);
	struct answer answer = { .json = NULL };
	enum cli_exit result = CLI_UNREACHABLE;
	const char *pem;

	if (client)
		result = client_call(client, "GET", "/v1/ca", NULL, &answer);
	pem = json_string_value(json_object_get(answer.json, "ca"));
	if (result == CLI_OK && (!answer_good(&answer) || !pem))
		result = answer_refused(&answer, "join");
	if (result == CLI_OK) {
		joining->enrolment.ca_pem = ca_pem_pin(pem, joining->token.fingerprint);
		if (!joining->enrolment.ca_pem)
			result = say_error(CLI_FAILED,
				"join: %s has another CA than the token's fingerprint says; either "
				"somebody else answers there, or the fabric was made anew and needs a new token",
				joining->token.controller);
	}
	answer_fini(&answer);
	client_free(client);
	return result;
}

static enum cli_exit make_keys(struct joining *joining)
{
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	const char *host = joining->token.host;
	int err = x25519_generate(&joining->tunnel) ? 0 : -EIO;

	if (!err)
		err = identity_key_create(&joining->enrolment.key_pem);
	if (!err)
		err = identity_csr_create(joining->enrolment.key_pem, host, &joining->csr_pem);
	if (!err)
		err = identity_tunnel_sign(joining->enrolment.key_pem, host, &joining->tunnel.public, signature);
	if (err)
		return say_error(CLI_FAILED, "join: could not make keys: %s", strerror(-err));
	memcpy(joining->enrolment.tunnel_key, joining->tunnel.private.bytes, X25519_BYTES);
	base64_encode(signature, sizeof(signature), joining->tunnel_sig);
	base64_encode(joining->tunnel.public.bytes, X25519_BYTES, joining->tunnel_public);
	return CLI_OK;
}

/* The certificate for the key that we have */
static bool is_ours(const struct joining *joining, const char *certificate, struct identity *out)
{
	static const struct x25519_public probe = { .bytes = { 1 } };
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];

	return identity_verify(joining->enrolment.ca_pem, certificate, IDENTITY_HOST, time(NULL), out) &&
		strcmp(out->name, joining->token.host) == 0 &&
		identity_tunnel_sign(joining->enrolment.key_pem, out->name, &probe, signature) == 0 &&
		identity_tunnel_verify(out, &probe, signature, sizeof(signature));
}

static enum cli_exit take_membership(struct joining *joining, const json_t *answer)
{
	const char *certificate = json_string_value(json_object_get(answer, "certificate"));
	const char *psk = json_string_value(json_object_get(answer, "psk"));
	struct enrolment *enrolment = &joining->enrolment;
	struct identity identity;

	if (!certificate || !psk || !base64_decode(psk, enrolment->psk, sizeof(enrolment->psk)))
		return say_error(CLI_FAILED,
			"join: the controller's answer lacks the certificate or the shared secret; "
			"compare `weft version` here and there");
	if (!is_ours(joining, certificate, &identity))
		return say_error(CLI_FAILED,
			"join: the certificate that came back is not one of this fabric's CA for %s that is "
			"valid now; is this machine's clock right? (%lld)",
			joining->token.host, (long long)time(NULL));
	enrolment->certificate_pem = strdup(certificate);
	if (!enrolment->certificate_pem)
		return say_error(CLI_FAILED, "no memory");
	snprintf(enrolment->host, sizeof(enrolment->host), "%s", identity.name);
	snprintf(enrolment->fabric, sizeof(enrolment->fabric), "%s", identity.fabric);
	snprintf(enrolment->controller, sizeof(enrolment->controller), "%s", joining->token.controller);
	return CLI_OK;
}

static enum cli_exit enrol(struct joining *joining)
{
	struct client_target target = { .address = joining->token.controller,
		.ca_pem = joining->enrolment.ca_pem,
		.server_name = "the controller",
		.remedy = CONTROLLER_REMEDY };
	struct client *client = client_new(&target);
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:i}", "token", joining->token.secret, "csr", joining->csr_pem,
		"tunnel_key", joining->tunnel_public, "tunnel_sig", joining->tunnel_sig, "port",
		(int)joining->enrolment.port);
	struct answer answer = { .json = NULL };
	enum cli_exit result = CLI_UNREACHABLE;

	if (body && joining->endpoints) {
		json_object_set(body, "endpoints", joining->endpoints);
		/* for a controller that takes one only */
		json_object_set(body, "endpoint", json_array_get(joining->endpoints, 0));
	}
	if (client && body)
		result = client_call(client, "POST", "/v1/enrol", body, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, "join");
	else if (result == CLI_OK)
		result = take_membership(joining, answer.json);
	answer_fini(&answer);
	json_decref(body);
	client_free(client);
	return result;
}

static enum cli_exit keep(const struct invocation *in, const struct enrolment *enrolment)
{
	bool usual = strcmp(in->state, STATE_DIR_DEFAULT) == 0;
	struct error error;
	json_t *done;
	bool told;

	if (enrolment_save(in->state, enrolment, &error) != 0)
		return say_error(CLI_FAILED,
			"join: %s; the token is spent: mend that, and join with a new one and --force", error.text);
	told = daemon_peer_reload(in->state, "weftd.sock");
	if (invocation_has(in, OPTION_JSON)) {
		done = json_pack("{s:s, s:s, s:s, s:s, s:b}", "fabric", enrolment->fabric, "host", enrolment->host,
			"controller", enrolment->controller, "state", in->state, "told", (int)told);
		say_json(done);
		json_decref(done);
		return CLI_OK;
	}
	printf("This machine is %s of the fabric %s.  ", enrolment->host, enrolment->fabric);
	puts(told ? "The weftd that runs here was told, and starts anew with it.\n" : "Next:\n");
	if (usual && !told)
		printf("  start the agent     systemctl enable --now weftd\n"
		       "  or by hand          weftd\n");
	else if (!told)
		printf("  start the agent     weftd --state %s\n", in->state);
	printf("  look at it          weft status%s%s\n\n", usual ? "" : " --state ", usual ? "" : in->state);
	printf("UDP port %u has to be open towards the other hosts.\n", enrolment->port);
	return CLI_OK;
}

static enum cli_exit run(const struct invocation *in)
{
	struct joining joining;
	enum cli_exit result;

	memset(&joining, 0, sizeof(joining));
	result = read_options(in, &joining);
	if (result == CLI_OK)
		result = read_token(in->args[0], &joining.token);
	if (result == CLI_OK)
		result = check_state(in);
	if (result == CLI_OK)
		result = fetch_ca(&joining);
	if (result == CLI_OK)
		result = make_keys(&joining);
	if (result == CLI_OK)
		result = enrol(&joining);
	if (result == CLI_OK)
		result = keep(in, &joining.enrolment);
	free(joining.csr_pem);
	json_decref(joining.endpoints);
	enrolment_fini(&joining.enrolment);
	secret_wipe(&joining, sizeof(joining));
	return result;
}

const struct command command_join = {
	.name = "join",
	.arguments = "TOKEN",
	.summary = "Make this machine a host of the fabric that TOKEN is of",
	.help = "TOKEN is what `weft token HOST` printed; \"-\" reads it from standard input.  The\n"
		"machine gets the name that the token was made for.  Private keys are made here and\n"
		"stay here.  Other hosts find this one by its own addresses and by where it is seen;\n"
		"--endpoint, which may stand several times, is for what nobody can see, such as a\n"
		"forwarded port.\n",
	.options = OPTION_BIT(ENDPOINT) | OPTION_BIT(PORT) | OPTION_BIT(NO_REPORT_LOCAL) | OPTION_BIT(FORCE),
	.repeats = OPTION_BIT(ENDPOINT),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
