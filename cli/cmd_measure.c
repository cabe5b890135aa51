/*
 * cmd_measure.c - `weft measure`: the program weft-measure by its friendly name
 */
#include "cli/commands.h"
#include "cli/program.h"

static enum cli_exit run(const struct invocation *in)
{
	in->args[-1] = (char *)"weft-measure";
	return program_become("weft-measure", in->args - 1);
}

const struct command command_measure = {
	.name = "measure",
	.arguments = "...",
	.summary = "What passes between hosts, seen from outside: throughput, loss, reordering",
	.help = "Everything behind \"measure\" is weft-measure's: see weft measure --help.\n",
	.passes_on = true,
	.run = run,
};
