/*
 * cmd_agent.c - `weft agent set-controller`: where this host looks for its controller, where the controller could not tell it
 */
#include "base/enrolment.h"
#include "base/error.h"
#include "base/server_address.h"
#include "cli/commands.h"
#include "cli/daemon_peer.h"
#include "cli/say.h"
#include "lab/limits.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static enum cli_exit keep(const struct invocation *in, const char *address)
{
	struct enrolment enrolment;
	enum cli_exit result = CLI_OK;
	struct error error;

	if (enrolment_load(in->state, &enrolment, &error) < 0) {
		result = say_error(CLI_FAILED, "agent set-controller: %s", error.text);
	} else if (strcmp(enrolment.controller, address) != 0) {
		/* tried in turn until the new one has answered */
		snprintf(enrolment.before, sizeof(enrolment.before), "%s", enrolment.controller);
		snprintf(enrolment.controller, sizeof(enrolment.controller), "%s", address);
		if (enrolment_save_controller(in->state, &enrolment, &error) < 0)
			result = say_error(CLI_FAILED, "agent set-controller: %s", error.text);
	}
	enrolment_fini(&enrolment);
	return result;
}

static enum cli_exit set_controller(const struct invocation *in, const char *wanted)
{
	char address[SERVER_ADDRESS_TEXT_BYTES];
	struct server_address parsed;
	enum cli_exit result;
	bool told;

	if (!server_address_parse(wanted, CONTROLLER_PORT_DEFAULT, &parsed))
		return say_error(CLI_USAGE,
			"agent set-controller %s: not an address; write a DNS name or an address, such as ctl.example.org or "
			"203.0.113.5:4753",
			wanted);
	server_address_format(&parsed, address);
	result = keep(in, address);
	if (result != CLI_OK)
		return result;
	told = daemon_peer_reload(in->state, "weftd.sock");
	if (invocation_has(in, OPTION_JSON)) {
		json_t *done = json_pack("{s:s, s:b}", "controller", address, "told", (int)told);

		say_json(done);
		json_decref(done);
	} else {
		printf("This host looks for its controller at %s%s; `weft status` says whether it answers.\n", address,
			told ? "" : " once weftd starts");
	}
	return CLI_OK;
}

static enum cli_exit run(const struct invocation *in)
{
	if (strcmp(in->args[0], "set-controller") == 0)
		return set_controller(in, in->args[1]);
	return say_error(CLI_USAGE, "agent %s: unknown; write: weft agent set-controller ADDR[:PORT]", in->args[0]);
}

const struct command command_agent = {
	.name = "agent",
	.arguments = "set-controller ADDR",
	.summary = "Tell this host where its controller is now",
	.help = "For a host that was not connected while the controller's address changed (weft\n"
		"controller set-address); those that were have followed.  weftd takes it at once, and\n"
		"goes on trying the old address too until the new one has answered.  Whoever answers\n"
		"has to show a certificate of this fabric's CA, so a wrong address does no harm.\n",
	.args_min = 2,
	.args_max = 2,
	.run = run,
};
