/*
 * main.c - weftd's command line
 */
#include "base/log.h"
#include "base/version.h"
#include "overlay/agent/config.h"
#include "overlay/agent/keeper.h"
#include "overlay/agent/loop.h"
#include "overlay/datapath/datapath.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: weftd [--state DIR] [--listen-port PORT] [--workers N] [--aead BACKEND]\n"
			    "             [--busy-poll US] [--keep SECONDS] [--no-report-local]\n"
			    "             [--log-level LEVEL]\n"
			    "\n"
			    "Joins this host's virtual switches to its fabric's networks.  Enrol it first:\n"
			    "weft join TOKEN\n"
			    "\n"
			    "  --state DIR         keys, topology and socket; default " CONFIG_STATE_DEFAULT "\n"
			    "  --listen-port PORT  UDP; default: as enrolled, 4754\n"
			    "  --workers N         data threads, 1 to 15; default: one a core, at most 4\n"
			    "  --aead BACKEND      openssl or ipsec-mb; default: the faster one, as measured\n"
			    "  --busy-poll US      workers look for work US microseconds before they sleep:\n"
			    "                      lowest latency, for a core each; default 0, off\n"
			    "  --keep SECONDS      after SIGTERM, ports stay open so long for the next weftd,\n"
			    "                      1 to 600; default: not at all\n"
			    "  --no-report-local   do not tell the controller, and by it the other hosts,\n"
			    "                      this machine's own addresses\n"
			    "  --log-level LEVEL   error, warning, info or debug; default info\n"
			    "  --time-scale N      for tests: keys are replaced N times as often\n"
			    "  --version, --help\n"
			    "\n"
			    "Signals: SIGINT stops and removes all devices; so does SIGTERM, unless a service\n"
			    "manager keeps them for the next weftd.  SIGHUP reads agent.json anew.\n";

static bool parse_number(const char *name, const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && *out >= min && *out <= max)
		return true;
	fprintf(stderr, "weftd: --%s %s: must be a number from %lu to %lu\n", name, text, min, max);
	return false;
}

static bool parse_level(const char *text)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "error", LOG_LEVEL_ERROR },
		{ "warning", LOG_LEVEL_WARNING },
		{ "info", LOG_LEVEL_INFO },
		{ "debug", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(text, levels[i].name) != 0)
			continue;
		log_set_level(levels[i].level);
		return true;
	}
	fprintf(stderr, "weftd: --log-level %s: must be error, warning, info or debug\n", text);
	return false;
}

/* Return: -1 to go on, or an exit code */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "state", required_argument, NULL, 's' },
		{ "listen-port", required_argument, NULL, 'p' },
		{ "workers", required_argument, NULL, 'w' },
		{ "aead", required_argument, NULL, 'a' },
		{ "busy-poll", required_argument, NULL, 'b' },
		{ "no-report-local", no_argument, NULL, 'n' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "time-scale", required_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'v' },
		{ "keep", required_argument, NULL, 'k' },
		{ "keeper", required_argument, NULL, 'K' }, /* keeper.c's */
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		bool good = true;

		switch (option) {
		case 's':
			options->state = optarg;
			break;
		case 'p':
			good = parse_number("listen-port", optarg, 1, 65535, &number);
			options->port = (uint16_t)number;
			break;
		case 'w':
			good = parse_number("workers", optarg, 1, WORKERS_MAX, &number);
			options->workers = (uint32_t)number;
			break;
		case 'a':
			options->aead = optarg;
			break;
		case 'b':
			good = parse_number("busy-poll", optarg, 0, 1000000, &number);
			options->busy_poll_us = (uint32_t)number;
			break;
		case 'n':
			options->no_report_local = true;
			break;
		case 'l':
			good = parse_level(optarg);
			break;
		case 'k':
			good = parse_number("keep", optarg, 1, KEEPER_SECONDS_MAX, &number);
			options->keep_s = (uint32_t)number;
			break;
		case 'K':
			good = parse_number("keeper", optarg, 1, KEEPER_SECONDS_MAX, &number);
			options->keeper_s = (uint32_t)number;
			break;
		case 't':
			good = parse_number("time-scale", optarg, 1, 10000, &number);
			options->time_scale = (uint32_t)number;
			break;
		case 'v':
			puts("weftd " WEFT_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			good = false;
		}
		if (!good)
			return 2;
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "weftd: %s: takes no arguments, only options; see weftd --help\n", argv[optind]);
	return 2;
}

int main(int argc, char **argv)
{
	struct options options = { .state = CONFIG_STATE_DEFAULT, .time_scale = 1 };
	int code = parse(argc, argv, &options);

	if (code >= 0)
		return code;
	options.argv = argv;
	signal(SIGPIPE, SIG_IGN);
	if (options.keeper_s)
		return keeper_run(options.state, options.keeper_s);
	return loop_run(&options);
}
