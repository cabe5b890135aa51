/*
 * main.c - weft-controller: what the networks should be
 *
 * `weft-controller --init ...` makes a new fabric (authority_create.h), `--set-address` gives it another address (authority_move.h);
 * without them this is the daemon (daemon.h).  See
 * weft-controller(8).
 */
#include "base/error.h"
#include "base/log.h"
#include "base/version.h"
#include "controller/authority_create.h"
#include "controller/authority_move.h"
#include "controller/daemon.h"

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define STATE_DIR "/var/lib/weft"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

struct options {
	bool init;
	const char *set_address;
	const char *state;
	const char *name;
	const char *listen;
	const char *address;
};

static const char usage[] = "weft-controller [--state DIR]\n"
			    "weft-controller --init --name NAME --listen ADDR[:PORT] [--address ADDR[:PORT]]\n"
			    "                [--state DIR]\n"
			    "weft-controller --set-address ADDR[:PORT] [--listen ADDR[:PORT]] [--state DIR]\n"
			    "\n"
			    "Holds what the networks of a weft fabric should be, and tells the agents.\n"
			    "\n"
			    "  --state DIR      where everything is kept (default " STATE_DIR ")\n"
			    "  --init           make a new fabric and exit; `weft init` does this\n"
			    "  --name NAME      the fabric's name\n"
			    "  --listen ADDR    address of this machine to listen on (port 4753 unless given)\n"
			    "  --address ADDR   address or DNS name that hosts connect to, if another\n"
			    "  --set-address ADDR\n"
			    "                   hosts connect to another address or DNS name from now on;\n"
			    "                   `weft controller set-address` does this\n"
			    "  --debug          say more\n"
			    "  --version, --help\n";

/* Return: false after it has said what does not go together */
static bool options_fit(const struct options *options)
{
	if (options->set_address && (options->init || options->name || options->address)) {
		fprintf(stderr, "weft-controller: --set-address goes with --listen and --state only\n");
		return false;
	}
	if (options->init ? !options->name || !options->listen
			  : options->name || options->address || (options->listen && !options->set_address)) {
		fprintf(stderr, "weft-controller: --init goes with --name and --listen, and these with --init\n");
		return false;
	}
	return true;
}

/* Return: false where the program is to end with *@code */
static bool read_options(int argc, char **argv, struct options *out, enum exit_code *code)
{
	enum { INIT = 256, SET_ADDRESS, NAME, LISTEN, ADDRESS, STATE, DEBUG, VERSION, HELP };
	static const struct option known[] = {
		{ "init", no_argument, NULL, INIT },
		{ "set-address", required_argument, NULL, SET_ADDRESS },
		{ "name", required_argument, NULL, NAME },
		{ "listen", required_argument, NULL, LISTEN },
		{ "address", required_argument, NULL, ADDRESS },
		{ "state", required_argument, NULL, STATE },
		{ "debug", no_argument, NULL, DEBUG },
		{ "version", no_argument, NULL, VERSION },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*out = (struct options){ .state = STATE_DIR };
	*code = EXIT_USAGE;
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case INIT:
			out->init = true;
			break;
		case SET_ADDRESS:
			out->set_address = optarg;
			break;
		case NAME:
			out->name = optarg;
			break;
		case LISTEN:
			out->listen = optarg;
			break;
		case ADDRESS:
			out->address = optarg;
			break;
		case STATE:
			out->state = optarg;
			break;
		case DEBUG:
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case VERSION:
			printf("weft-controller %s\n", WEFT_VERSION);
			*code = EXIT_DONE;
			return false;
		case HELP:
		case 'h':
			fputs(usage, stdout);
			*code = EXIT_DONE;
			return false;
		default:
			fprintf(stderr, "try weft-controller --help\n");
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "weft-controller: %s: not expected; try --help\n", argv[optind]);
		return false;
	}
	return options_fit(out);
}

static enum exit_code set_address(const struct options *options)
{
	const struct authority_place place = { .dir = options->state,
		.address = options->set_address,
		.listen = options->listen };
	struct error error;

	if (authority_move(&place, &error) == 0)
		return EXIT_DONE;
	fprintf(stderr, "weft-controller: %s\n", error.text);
	return EXIT_FAILED;
}

static enum exit_code init(const struct options *options)
{
	struct authority_wish wish = {
		.dir = options->state,
		.name = options->name,
		.listen = options->listen,
		.address = options->address,
	};
	struct error error;

	if (authority_create(&wish, &error) == 0)
		return EXIT_DONE;
	fprintf(stderr, "weft-controller: %s\n", error.text);
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct options options;
	enum exit_code code;

	umask(0077);
	prctl(PR_SET_DUMPABLE, 0); /* keys are in memory */
	signal(SIGPIPE, SIG_IGN);
	if (!read_options(argc, argv, &options, &code))
		return code;
	if (options.init)
		return init(&options);
	if (options.set_address)
		return set_address(&options);
	return daemon_run(options.state) < 0 ? EXIT_FAILED : EXIT_DONE;
}
