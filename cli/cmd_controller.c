/*
 * cmd_controller.c - `weft controller set-address`: where hosts, operators and tokens look for the controller from now on
 *
 * On the controller's machine.  The folder is changed by weft-controller's own --set-address, so that it works without a daemon
 * too, as after the old address is gone; one that runs is told by SIGHUP, and asked until it says the new address.
 */
#include "base/clock.h"
#include "base/server_address.h"
#include "cli/commands.h"
#include "cli/daemon_peer.h"
#include "cli/operator.h"
#include "cli/program.h"
#include "cli/say.h"
#include "lab/limits.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 5000U
#define POLL_US 50000U

static enum cli_exit change_folder(const struct invocation *in, const char *address)
{
	const char *listen = in->values[OPTION_LISTEN];
	char *argv[] = { (char *)"weft-controller", (char *)"--set-address", (char *)address, (char *)"--state",
		(char *)in->state, (char *)(listen ? "--listen" : NULL), (char *)listen, NULL };

	return program_run("weft-controller", argv);
}

/* Has the daemon taken it?  Return: CLI_FAILED after it has said that it has not */
static enum cli_exit await(struct client *client, const char *address)
{
	const struct instant start = instant_now();

	for (;;) {
		struct answer answer;
		enum cli_exit result = client_call(client, "GET", "/v1/fabric", NULL, &answer);
		const char *now = json_string_value(json_object_get(answer.json, "address"));
		const bool there = result == CLI_OK && now && strcmp(now, address) == 0;

		answer_fini(&answer);
		if (result != CLI_OK || there)
			return result;
		if (instant_since_ms(instant_now(), start) > PATIENCE_MS)
			return say_error(CLI_FAILED,
				"controller set-address: the files are changed, but weft-controller has not taken them; its log says "
				"why (journalctl -u weft-controller), and a restart takes them");
		usleep(POLL_US);
	}
}

/* Who hears of it, and who has to be told */
static enum cli_exit tell_hosts(struct client *client, const char *address)
{
	struct answer answer;
	enum cli_exit result = client_call(client, "GET", "/v1/hosts", NULL, &answer);
	const json_t *items = json_object_get(answer.json, "items"), *item;
	unsigned int online = 0;
	size_t i;

	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, "controller set-address");
	json_array_foreach(items, i, item)
		online += json_is_true(json_object_get(item, "online"));
	if (result == CLI_OK && online)
		printf("Connected hosts follow by themselves: %u.\n", online);
	json_array_foreach(items, i, item)
		if (!json_is_true(json_object_get(item, "online")) && !json_is_true(json_object_get(item, "revoked")))
			printf("%s is not connected; on it:\n  weft agent set-controller %s\n",
				json_string_value(json_object_get(item, "name")), address);
	answer_fini(&answer);
	return result;
}

static enum cli_exit tell_daemon(const struct invocation *in, const char *address)
{
	struct operator operator= { .client = NULL };
	enum cli_exit result;

	if (!daemon_peer_reload(in->state, "controller.sock")) {
		say_note("weft-controller does not run here, and takes the address when it starts");
		return CLI_OK;
	}
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = await(operator.client, address);
	if (result == CLI_OK && !invocation_has(in, OPTION_JSON))
		result = tell_hosts(operator.client, address);
	operator_close(&operator);
	return result;
}

static enum cli_exit set_address(const struct invocation *in, const char *wanted)
{
	char address[SERVER_ADDRESS_TEXT_BYTES];
	struct server_address parsed;
	enum cli_exit result;

	if (!server_address_parse(wanted, CONTROLLER_PORT_DEFAULT, &parsed))
		return say_error(CLI_USAGE,
			"controller set-address %s: not an address; write a DNS name or an address, such as ctl.example.org or "
			"203.0.113.5:4753",
			wanted);
	server_address_format(&parsed, address);
	result = change_folder(in, address);
	if (result != CLI_OK)
		return result;
	if (!invocation_has(in, OPTION_JSON))
		printf("The controller is reached at %s from now on.\n", address);
	result = tell_daemon(in, address);
	if (result == CLI_OK && invocation_has(in, OPTION_JSON)) {
		json_t *done = json_pack("{s:s, s:s}", "address", address, "state", in->state);

		say_json(done);
		json_decref(done);
	} else if (result == CLI_OK) {
		printf("Operators elsewhere write it into their operator.json, or copy that again from\n%s.\n",
			in->state);
	}
	return result;
}

static enum cli_exit run(const struct invocation *in)
{
	if (strcmp(in->args[0], "set-address") == 0)
		return set_address(in, in->args[1]);
	return say_error(CLI_USAGE, "controller %s: unknown; write: weft controller set-address ADDR[:PORT]",
		in->args[0]);
}

const struct command command_controller = {
	.name = "controller",
	.arguments = "set-address ADDR",
	.summary = "Have the controller reached at another address or DNS name",
	.help = "On the controller's machine, whether weft-controller runs or not.  Its certificate is\n"
		"issued anew with the new address and the old ones; new tokens carry the new address;\n"
		"hosts that are connected follow, and keep the old address until the new one has\n"
		"answered.  On a host that is not: weft agent set-controller ADDR.\n\n"
		"Without --listen it goes on listening where it does, or, where both have been one\n"
		"address so far, at the new one.\n",
	.options = OPTION_BIT(LISTEN),
	.args_min = 2,
	.args_max = 2,
	.run = run,
};
