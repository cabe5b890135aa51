/*
 * cmd_init.c - `weft init`: a new fabric, made by weft-controller's own --init, and what to do next
 */
#include "base/server_address.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/say.h"
#include "lab/limits.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void print_next_steps(const char *fabric, const char *state, const char *address)
{
	struct server_address parsed;
	const bool numeric = server_address_parse(address, CONTROLLER_PORT_DEFAULT, &parsed) && parsed.numeric;
	bool usual = strcmp(state, STATE_DIR_DEFAULT) == 0;

	printf("The fabric %s is made; its state is in %s.  Next:\n\n", fabric, state);
	if (usual)
		printf("  1. start the controller    systemctl enable --now weft-controller\n"
		       "     or by hand              weft-controller\n");
	else
		printf("  1. start the controller    weft-controller --state %s\n", state);
	printf("  2. let a host in           weft token HOST%s%s\n", usual ? "" : " --state ", usual ? "" : state);
	printf("  3. on that host            weft join TOKEN\n"
	       "  4. join their networks     weft apply lab.yaml --wait%s%s\n\n",
		usual ? "" : " --state ", usual ? "" : state);
	if (numeric)
		printf("Hosts look for it at %s.  If that may change, a name is better:\n"
		       "weft controller set-address NAME, at best before the first host joins.\n\n",
			address);
	printf("To operate it from another machine, copy %s/operator.json to\n"
	       "~/.config/weft/ there.  Whoever has that file or ca.key owns the fabric.\n",
		state);
}

static enum cli_exit run(const struct invocation *in)
{
	const char *name = in->values[OPTION_NAME], *listen = in->values[OPTION_LISTEN];
	const char *address = in->values[OPTION_ADDRESS];
	char *argv[] = { (char *)"weft-controller", (char *)"--init", (char *)"--name", (char *)name,
		(char *)"--listen", (char *)listen, (char *)"--state", (char *)in->state,
		(char *)(address ? "--address" : NULL), (char *)address, NULL };
	enum cli_exit result;

	if (!name || !listen)
		return say_error(CLI_USAGE,
			"init: --%s is missing; write: weft init --name homelab --listen 203.0.113.5:4753",
			name ? "listen" : "name");
	result = program_run("weft-controller", argv);
	if (result != CLI_OK)
		return result;
	if (invocation_has(in, OPTION_JSON)) {
		json_t *made = json_pack("{s:s, s:s}", "fabric", name, "state", in->state);

		say_json(made);
		json_decref(made);
	} else {
		print_next_steps(name, in->state, address ? address : listen);
	}
	return CLI_OK;
}

const struct command command_init = {
	.name = "init",
	.arguments = "--name NAME --listen ADDR",
	.summary = "Make a new fabric on this machine: its CA, its store and an operator's credentials",
	.help = "A controller behind NAT, as on most cloud VMs, listens on an inner address and\n"
		"is reached at another one; give that with --address:\n\n"
		"  weft init --name homelab --listen 10.0.0.5 --address 203.0.113.5\n\n"
		"Nothing is overwritten: a state folder that already has a fabric is refused.\n",
	.options = OPTION_BIT(NAME) | OPTION_BIT(LISTEN) | OPTION_BIT(ADDRESS),
	.run = run,
};
