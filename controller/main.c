/*
 * main.c - weft-controller: what the networks should be
 *
 * `weft-controller --init ...` makes a new fabric (fabric.h); without it this is the daemon: store, model, API and sockets
 * on one event loop, until SIGTERM or SIGINT.  See weft-controller(8).
 */
#include "base/file.h"
#include "base/log.h"
#include "base/version.h"
#include "controller/api.h"
#include "controller/fabric.h"
#include "controller/model.h"
#include "controller/server.h"
#include "controller/store_sqlite.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	const char *state;
	const char *name;
	const char *listen;
	const char *address;
};

static const char usage[] =
	"weft-controller [--state DIR]\n"
	"weft-controller --init --name NAME --listen ADDR[:PORT] [--address ADDR[:PORT]] [--state DIR]\n"
	"\n"
	"Holds what the networks of a weft fabric should be, and tells the agents.\n"
	"\n"
	"  --state DIR      where everything is kept (default " STATE_DIR ")\n"
	"  --init           make a new fabric and exit; `weft init` does this\n"
	"  --name NAME      the fabric's name\n"
	"  --listen ADDR    address of this machine to listen on (port 4753 unless given)\n"
	"  --address ADDR   address or DNS name that hosts connect to, where it is another\n"
	"  --debug          say more\n"
	"  --version, --help\n";

/* Return: false where the program is to end with *@code */
static bool read_options(int argc, char **argv, struct options *out, enum exit_code *code)
{
	enum { INIT = 256, NAME, LISTEN, ADDRESS, STATE, DEBUG, VERSION, HELP };
	static const struct option known[] = {
		{ "init", no_argument, NULL, INIT },
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
	if (out->init ? !out->name || !out->listen : out->name || out->listen || out->address) {
		fprintf(stderr, "weft-controller: --init goes with --name and --listen, and these with --init\n");
		return false;
	}
	return true;
}

static enum exit_code init(const struct options *options)
{
	struct fabric_wish wish = {
		.dir = options->state,
		.name = options->name,
		.listen = options->listen,
		.address = options->address,
	};
	char error[FABRIC_ERROR_BYTES];

	if (fabric_create(&wish, error) == 0)
		return EXIT_DONE;
	fprintf(stderr, "weft-controller: %s\n", error);
	return EXIT_FAILED;
}

static int open_model(const char *dir, struct store **store, struct model **model)
{
	char path[PATH_MAX];
	int err;

	if (snprintf(path, sizeof(path), "%s/controller.db", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = store_sqlite_open(path, false, store);
	if (!err)
		err = model_new(*store, model);
	if (err == -EBUSY)
		log_error("%s is in use: another weft-controller runs with this --state", path);
	else if (err == -EPROTO)
		log_error("%s is damaged, or was made by another version of weft", path);
	else if (err)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

static void on_signal(evutil_socket_t signal_number, short what, void *base)
{
	(void)what;
	log_info("ending on signal %d", (int)signal_number);
	event_base_loopbreak(base);
}

static int run_loop(struct event_base *base)
{
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base), *intr = evsignal_new(base, SIGINT, on_signal, base);
	int err = -ENOMEM;

	if (term && intr && event_add(term, NULL) == 0 && event_add(intr, NULL) == 0)
		err = event_base_dispatch(base) < 0 ? -EIO : 0;
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
	return err;
}

static enum exit_code serve(struct event_base *base, const struct options *options, const struct fabric *fabric)
{
	char error[SERVER_ERROR_BYTES];
	struct server *server = NULL;
	struct store *store = NULL;
	struct model *model = NULL;
	struct api *api = NULL;
	int err = open_model(options->state, &store, &model);

	if (err)
		goto out;
	api = api_new(base, model, fabric);
	if (!api) {
		log_error("out of memory");
		err = -ENOMEM;
		goto out;
	}
	err = server_new(base, fabric, options->state, api, &server, error);
	if (err) {
		log_error("%s", error);
		goto out;
	}
	if (!fabric->ca_key_pem)
		log_warning("ca.key is not in %s: no host can enrol", options->state);
	log_info("fabric %s: listening on %s, revision %llu", fabric->name, fabric->listen,
		(unsigned long long)model_rev(model));
	err = run_loop(base);
out:
	api_free(api);
	server_free(server);
	model_free(model);
	store_close(store);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_code run(const struct options *options)
{
	char error[FABRIC_ERROR_BYTES];
	enum exit_code code = EXIT_FAILED;
	struct event_base *base = NULL;
	struct fabric fabric;

	if (fabric_load(options->state, &fabric, error) < 0)
		log_error("%s", error);
	else
		base = event_base_new();
	if (base)
		code = serve(base, options, &fabric);
	if (base)
		event_base_free(base);
	fabric_fini(&fabric);
	return code;
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
	return options.init ? init(&options) : run(&options);
}
