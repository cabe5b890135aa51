/*
 * main.c - weft-measure: what weft's datagrams look like from outside, without any key
 *
 * `weft measure` runs this program.  Arguments, the loop and the end of it; capture.c has libpcap,
 * run.c the intervals.  One thread.  Once the capture is open the process gives up every capability,
 * because from then on it parses what strangers send.
 */
#include <cap-ng.h>
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/version.h"
#include "lab/limits.h"
#include "measure/capture.h"
#include "measure/meter.h"
#include "measure/run.h"

#define PACKETS_PER_TURN 4096
#define TICK_MS 50
/* How far behind the clock an interval closes, so that packets which the kernel still holds back can come in */
#define LAG_NS 250000000ULL

struct options {
	const char *interface;
	const char *file;
	struct capture_settings capture;
	struct run_settings run;
};

struct live {
	struct capture *capture;
	struct run *run;
	struct event_base *base;
	struct event *readable;
	bool failed;
	struct error error;
};

static const char usage[] = "usage: weft measure -i INTERFACE [OPTION...]     until interrupted\n"
			    "       weft measure -r FILE [OPTION...]          pcap or pcapng; - is stdin\n"
			    "\n"
			    "Packets, bytes, throughput, loss, reordering and duplicates of weft's datagrams,\n"
			    "by direction, session and lane, from their clear headers alone.\n"
			    "\n"
			    "  -i, --interface IF    capture live (needs root or CAP_NET_RAW)\n"
			    "  -r, --read FILE       read a capture file\n"
			    "  -p, --port PORT       weft's UDP port (4754)\n"
			    "  -I, --interval SEC    between two reports (1)\n"
			    "  -d, --duration SEC    stop after so long\n"
			    "  -c, --count N         stop after so many datagrams\n"
			    "  -j, --json            a JSON object a line for each interval and the summary\n"
			    "  -s, --snaplen BYTES   capture only the beginning of packets (65600: all of it)\n"
			    "  -B, --buffer MIB      room for packets in the kernel (32)\n"
			    "      --promiscuous     also what is not for this machine: a mirror port\n"
			    "      --version\n"
			    "  -h, --help\n";

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
	va_list args;

	fputs("weft-measure: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* ---- arguments ---- */

static bool parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end || errno || value < min || value > max)
		return false;
	*out = value;
	return true;
}

/* Seconds with a fraction, 0.1 to 1e9 */
static bool parse_seconds(const char *text, uint64_t *out_ns)
{
	char *end;
	double value;

	if (strspn(text, "0123456789.") != strlen(text) || !*text)
		return false;
	value = strtod(text, &end);
	if (*end || value < 0.1 || value > 1e9)
		return false;
	*out_ns = (uint64_t)(value * 1e9);
	return true;
}

static int refuse(const char *option, const char *value, const char *wanted)
{
	complain("%s %s: give %s", option, value, wanted);
	return -EINVAL;
}

static int parse_option(struct options *options, int option, const char *value)
{
	uint64_t number = 0;

	switch (option) {
	case 'i':
		options->interface = value;
		return 0;
	case 'r':
		options->file = value;
		return 0;
	case 'p':
		if (!parse_u64(value, 1, 65535, &number))
			return refuse("--port", value, "a UDP port, 1 to 65535");
		options->capture.port = (uint16_t)number;
		return 0;
	case 'I':
		return parse_seconds(value, &options->run.interval_ns)
			? 0
			: refuse("--interval", value, "seconds, 0.1 or more");
	case 'd':
		return parse_seconds(value, &options->run.duration_ns)
			? 0
			: refuse("--duration", value, "seconds, 0.1 or more");
	case 'c':
		return parse_u64(value, 1, UINT64_MAX, &options->run.count)
			? 0
			: refuse("--count", value, "a number of datagrams, 1 or more");
	case 's':
		if (!parse_u64(value, CAPTURE_SNAPLEN_MIN, 262144, &number))
			return refuse("--snaplen", value, "bytes, 128 to 262144");
		options->capture.snaplen_bytes = (uint32_t)number;
		return 0;
	case 'B':
		if (!parse_u64(value, 1, 1024, &number))
			return refuse("--buffer", value, "MiB, 1 to 1024");
		options->capture.buffer_mib = (uint32_t)number;
		return 0;
	case 'j':
		options->run.json = true;
		return 0;
	case 'P':
		options->capture.promiscuous = true;
		return 0;
	default:
		return -EINVAL; /* getopt has said what is wrong */
	}
}

static int print_and_end(const char *text)
{
	fputs(text, stdout);
	return 1;
}

/* Return: 0, 1 where the help or the version was asked for and is printed, -EINVAL */
static int parse_arguments(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "read", required_argument, NULL, 'r' },
		{ "port", required_argument, NULL, 'p' },
		{ "interval", required_argument, NULL, 'I' },
		{ "duration", required_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "snaplen", required_argument, NULL, 's' },
		{ "buffer", required_argument, NULL, 'B' },
		{ "promiscuous", no_argument, NULL, 'P' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, result;

	*options = (struct options){
		.capture = {
			.port = UDP_PORT_DEFAULT,
			.snaplen_bytes = CAPTURE_SNAPLEN_DEFAULT,
			.buffer_mib = CAPTURE_BUFFER_MIB_DEFAULT,
		},
		.run = { .interval_ns = 1000000000ULL },
	};
	while ((option = getopt_long(argc, argv, "i:r:p:I:d:c:js:B:h", longs, NULL)) != -1) {
		if (option == 'h')
			return print_and_end(usage);
		if (option == 'V')
			return print_and_end("weft-measure " WEFT_VERSION "\n");
		result = parse_option(options, option, optarg);
		if (result != 0)
			return result;
	}
	if (optind < argc) {
		complain("%s: not an option; an interface is given as -i %s, a file as -r %s", argv[optind],
			argv[optind], argv[optind]);
		return -EINVAL;
	}
	if (!options->interface == !options->file) {
		complain("give an interface (-i) or a file (-r), and not both; --help shows more");
		return -EINVAL;
	}
	options->run.quiet_intervals = options->interface != NULL;
	return 0;
}

/* ---- a live capture ---- */

static struct instant unix_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct instant){ (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec };
}

static bool on_packet(void *context, const uint8_t *packet, size_t len_bytes, struct instant at)
{
	return run_packet(context, packet, len_bytes, at);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct live *live = context;
	int count = capture_read(live->capture, PACKETS_PER_TURN, on_packet, live->run, &live->error);

	(void)fd;
	(void)what;
	if (count < 0)
		live->failed = true;
	else if (count == PACKETS_PER_TURN && !live->run->done)
		event_active(live->readable, EV_READ, 1); /* libpcap may hold more than poll() knows of */
	if (live->failed || live->run->done)
		event_base_loopbreak(live->base);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct live *live = context;
	struct instant now = unix_now();

	on_readable(fd, what, context);
	live->run->capture = capture_stats_now(live->capture);
	run_advance(live->run, (struct instant){ now.ns - LAG_NS });
	if (live->run->done)
		event_base_loopbreak(live->base);
}

/* The first signal ends the measurement when what was on its way has come in, the second at once */
static void on_signal(evutil_socket_t signal_number, short what, void *context)
{
	struct live *live = context;

	(void)signal_number;
	(void)what;
	if (live->run->end.ns && instant_reached(unix_now(), live->run->end))
		event_base_loopbreak(live->base);
	else
		run_end_at(live->run, unix_now());
}

static void drop_event(struct event *event)
{
	if (event)
		event_free(event);
}

static int run_live(struct live *live)
{
	struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	struct event *timer = NULL, *interrupt = NULL, *terminate = NULL;
	int result = -ENOMEM;

	live->base = event_base_new();
	if (!live->base)
		goto out;
	live->readable = event_new(live->base, capture_fd(live->capture), EV_READ | EV_PERSIST, on_readable, live);
	timer = event_new(live->base, -1, EV_PERSIST, on_tick, live);
	interrupt = evsignal_new(live->base, SIGINT, on_signal, live);
	terminate = evsignal_new(live->base, SIGTERM, on_signal, live);
	if (!live->readable || !timer || !interrupt || !terminate || event_add(live->readable, NULL) != 0 ||
		event_add(timer, &tick) != 0 || event_add(interrupt, NULL) != 0 || event_add(terminate, NULL) != 0)
		goto out;
	run_advance(live->run, unix_now());
	event_base_dispatch(live->base);
	result = live->failed ? -EIO : 0;
out:
	if (result == -ENOMEM)
		snprintf(live->error.text, sizeof(live->error), "out of memory");
	drop_event(terminate);
	drop_event(interrupt);
	drop_event(timer);
	drop_event(live->readable);
	if (live->base)
		event_base_free(live->base);
	return result;
}

/* ---- a file ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static int run_file(struct capture *capture, struct run *run, struct error *error)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	int count;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	do
		count = capture_read(capture, PACKETS_PER_TURN, on_packet, run, error);
	while (count > 0 && !run->done && !interrupted);
	return count < 0 ? -EIO : 0;
}

static int measure(const struct options *options, struct capture *capture, struct error *error)
{
	struct live live = { .capture = capture };
	struct meter meter;
	struct run run;
	int result;

	if (meter_init(&meter, capture_link_type(capture), options->capture.port, LANES_MAX) != 0) {
		error_set(error, "out of memory");
		return -ENOMEM;
	}
	run_init(&run, &options->run, &meter, stdout);
	if (options->interface) {
		live.run = &run;
		result = run_live(&live);
		run.capture = capture_stats_now(capture);
		*error = live.error;
	} else {
		result = run_file(capture, &run, error);
	}
	run_summary(&run); /* what was measured until an error is worth having */
	meter_fini(&meter);
	return result;
}

int main(int argc, char **argv)
{
	struct error error = { "" };
	struct capture *capture;
	struct options options;
	int result = parse_arguments(argc, argv, &options);

	if (result != 0)
		return result > 0 ? EXIT_SUCCESS : 2;
	capture = options.interface ? capture_open_live(options.interface, &options.capture, &error)
				    : capture_open_file(options.file, &error);
	if (!capture) {
		complain("%s", error.text);
		return EXIT_FAILURE;
	}
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		complain("cannot give up capabilities; going on with them");
	result = measure(&options, capture, &error);
	if (result != 0)
		complain("%s: %s", options.interface ? options.interface : options.file, error.text);
	capture_close(capture);
	return result == 0 && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
