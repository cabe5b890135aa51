/*
 * cmd_status.c - `weft status`: how this host's weftd sees the world, from its local socket
 *
 * The document is weftd's GET /v1/status.  What it lacks shows as "-", so that versions can mix.
 */
#include "base/json.h"
#include "base/suggest.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/drop_help.h"
#include "cli/duration.h"
#include "cli/say.h"
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Counts and times, which weftd may write with a fraction */
static unsigned long long number_of(const json_t *object, const char *key)
{
	double value = json_number_value(json_object_get(object, key));

	return value > 0 ? (unsigned long long)value : 0;
}

static void add_number(struct table *table, const json_t *object, const char *key)
{
	if (json_is_number(json_object_get(object, key)))
		table_addf(table, "%llu", number_of(object, key));
	else
		table_add(table, NULL);
}

static void add_bytes(struct table *table, const json_t *object, const char *key)
{
	char text[HUMAN_BYTES_TEXT];

	table_human_bytes(number_of(object, key), text);
	table_add(table, json_object_get(object, key) ? text : NULL);
}

static void add_ms(struct table *table, const json_t *object, const char *key, unsigned int ms_per_unit)
{
	char text[DURATION_TEXT_BYTES];

	duration_format(number_of(object, key) * ms_per_unit, text);
	table_add(table, json_is_number(json_object_get(object, key)) ? text : NULL);
}

static void add_rtt(struct table *table, const json_t *peer)
{
	const json_t *rtt = json_object_get(peer, "rtt_us");

	if (json_number_value(rtt) > 0)
		table_addf(table, "%.*fms", json_number_value(rtt) < 10000 ? 2 : 0, json_number_value(rtt) / 1000);
	else
		table_add(table, NULL);
}

static void peer_row(struct table *table, const json_t *peer)
{
	table_add(table, json_text_of(peer, "host"));
	table_add(table, json_text_of(peer, "state"));
	table_add(table, json_text_of(peer, "endpoint"));
	add_rtt(table, peer);
	add_number(table, peer, "path_mtu");
	add_ms(table, peer, "last_rx_ms", 1);
	add_bytes(table, peer, "tx_bytes");
	add_bytes(table, peer, "rx_bytes");
	add_number(table, peer, "lost_packets");
}

static void port_row(struct table *table, const json_t *port)
{
	table_add(table, json_text_of(port, "lab"));
	table_add(table, json_text_of(port, "name"));
	table_add(table, json_text_of(port, "network"));
	table_add(table, json_text_of(port, "attach"));
	table_add(table, json_text_of(port, "device"));
	table_add(table, json_text_of(port, "state"));
	add_bytes(table, port, "rx_bytes");
	add_bytes(table, port, "tx_bytes");
	if (json_text_of(port, "reads"))
		table_note(table, "%s/%s reads %s", json_text_of(port, "lab"), json_text_of(port, "name"),
			json_text_of(port, "reads"));
}

static void mac_row(struct table *table, const json_t *mac)
{
	table_add(table, json_text_of(mac, "lab"));
	table_add(table, json_text_of(mac, "network"));
	if (number_of(mac, "vlan") > 0)
		add_number(table, mac, "vlan");
	else
		table_add(table, NULL);
	table_add(table, json_text_of(mac, "mac"));
	table_add(table, json_text_of(mac, "where"));
	add_ms(table, mac, "age_s", 1000);
}

#define COLUMNS_OF_SECTION 9U

static const struct section {
	const char *name;
	struct table_column columns[COLUMNS_OF_SECTION];
	void (*row)(struct table *table, const json_t *item);
	const char *trouble; /* the member of an item that says what is wrong with it */
} sections[] = {
	{ "peers",
		{ { .title = "PEER", .shrinks = true }, { .title = "STATE" }, { .title = "ENDPOINT", .shrinks = true },
			{ .title = "RTT", .right = true }, { .title = "MTU", .right = true },
			{ .title = "HEARD", .right = true }, { .title = "TX", .right = true },
			{ .title = "RX", .right = true }, { .title = "LOST", .right = true } },
		peer_row, "reason" },
	{ "ports",
		{ { .title = "LAB", .shrinks = true, .first = true }, { .title = "PORT", .shrinks = true },
			{ .title = "NETWORK", .shrinks = true }, { .title = "ATTACH", .shrinks = true },
			{ .title = "DEVICE", .shrinks = true }, { .title = "STATE" },
			{ .title = "FROM VMS", .right = true }, { .title = "TO VMS", .right = true } },
		port_row, "error" },
	{ "macs",
		{ { .title = "LAB", .shrinks = true, .first = true }, { .title = "NETWORK", .shrinks = true },
			{ .title = "VLAN", .right = true }, { .title = "MAC" }, { .title = "WHERE", .shrinks = true },
			{ .title = "AGE", .right = true } },
		mac_row, NULL },
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/* What is wrong with an item, below its table */
static void note_trouble(const struct section *section, const json_t *item, struct table *table)
{
	const char *name = json_text_of(item, "host") ? json_text_of(item, "host") : json_text_of(item, "name");
	const char *lab = json_text_of(item, "lab");
	const char *trouble = section->trouble ? json_text_of(item, section->trouble) : NULL;
	char age[DURATION_TEXT_BYTES], since[DURATION_TEXT_BYTES + 64];

	if (!trouble || !*trouble)
		return;
	since[0] = '\0';
	if (json_is_number(json_object_get(item, "since_s"))) {
		duration_format(number_of(item, "since_s") * 1000, age);
		snprintf(since, sizeof(since), "%s for %s: ", json_text_of(item, "state"), age);
	}
	table_note(table, "%s%s%s: %s%s", lab ? lab : "", lab ? "/" : "", name ? name : "?", since, trouble);
}

static void print_section(const struct section *section, const json_t *items)
{
	struct table *table;
	const json_t *item;
	size_t columns = 0, i;

	while (columns < COLUMNS_OF_SECTION && section->columns[columns].title)
		columns++;
	table = table_new(section->columns, columns);
	if (!table)
		return;
	table_omit_empty(table);
	json_array_foreach(items, i, item) {
		section->row(table, item);
		note_trouble(section, item, table);
	}
	if (table_rows(table) > 0)
		table_print(table, stdout, table_screen_width(stdout));
	else
		printf("no %s\n", section->name);
	table_free(table);
}

#define FACT_INDENT 12

/* "name  text", cleaned */
static void print_fact(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print_fact(const char *name, const char *format, ...)
{
	char text[FACT_INDENT + 1024];
	int used = snprintf(text, sizeof(text), "%-*s", FACT_INDENT, name);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, sizeof(text) - (size_t)used, format, args);
	va_end(args);
	table_clean(text);
	table_text(stdout, text, 0, FACT_INDENT, table_screen_width(stdout));
}

static const char *or_unknown(const char *text)
{
	return text && *text ? text : "?";
}

static void print_controller(const json_t *controller)
{
	const char *state = json_text_of(controller, "state");
	bool connected = json_is_true(json_object_get(controller, "connected"));

	print_fact("controller", "%s, %s%s%s", or_unknown(json_text_of(controller, "address")),
		connected ? "connected" : "not connected", state && *state && !connected ? ": " : "",
		state && !connected ? state : "");
}

static void print_topology(const json_t *topology)
{
	unsigned long long rev = number_of(topology, "rev"), applied = number_of(topology, "applied");
	const char *error = json_text_of(topology, "error");

	if (rev == 0)
		print_fact("topology", "none yet");
	else if (rev == applied)
		print_fact("topology", "revision %llu, applied", rev);
	else
		print_fact("topology", "revision %llu, of which %llu is applied", rev, applied);
	if (error && *error)
		print_fact("", "%s", error);
}

static void print_datapath(const json_t *datapath)
{
	bool gso = json_is_true(json_object_get(datapath, "udp_gso"));
	bool gro = json_is_true(json_object_get(datapath, "udp_gro"));

	print_fact("datapath", "%llu worker%s, AEAD by %s, UDP offloads: %s, underlay %s",
		number_of(datapath, "workers"), number_of(datapath, "workers") == 1 ? "" : "s",
		or_unknown(json_text_of(datapath, "aead_backend")),
		gso && gro    ? "GSO and GRO"
			: gso ? "GSO"
			: gro ? "GRO"
			      : "none",
		or_unknown(json_text_of(datapath, "underlay")));
}

static void print_drops(const json_t *drops)
{
	static const struct table_column columns[] = { { .title = "DROP" }, { .title = "COUNT", .right = true } };
	struct table *table = table_new(columns, 2);
	const char *name;
	const json_t *count;

	if (!table)
		return;
	json_object_foreach((json_t *)drops, name, count) {
		table_add(table, name);
		table_addf(table, "%lld", (long long)json_integer_value(count));
	}
	if (table_rows(table) > 0)
		table_print(table, stdout, table_screen_width(stdout));
	else
		puts("no drops");
	table_free(table);
}

/* What each means, and what to do */
static void explain_drops(const json_t *drops)
{
	const json_t *count;
	const char *name;

	json_object_foreach((json_t *)drops, name, count) {
		const char *text = drop_help_text(name);

		if (!text)
			continue;
		putchar('\n');
		drop_help_print(name, text);
	}
}

static void print_overview(const json_t *status)
{
	char up[DURATION_TEXT_BYTES];

	duration_format(number_of(status, "uptime_s") * 1000, up);
	print_fact("host", "%s of the fabric %s, weftd %s, up %s", or_unknown(json_text_of(status, "host")),
		or_unknown(json_text_of(status, "fabric")), or_unknown(json_text_of(status, "version")), up);
	print_controller(json_object_get(status, "controller"));
	print_topology(json_object_get(status, "topology"));
	print_datapath(json_object_get(status, "datapath"));
	print_fact("macs", "%zu known (weft status macs)", json_array_size(json_object_get(status, "macs")));
	putchar('\n');
	print_section(&sections[0], json_object_get(status, "peers"));
	putchar('\n');
	print_section(&sections[1], json_object_get(status, "ports"));
	putchar('\n');
	print_drops(json_object_get(status, "drops"));
}

/* Return: false where @name is no part of a status */
static bool print_part(const char *name, const json_t *status)
{
	for (size_t i = 0; i < SECTIONS; i++) {
		if (strcmp(sections[i].name, name) != 0)
			continue;
		print_section(&sections[i], json_object_get(status, name));
		return true;
	}
	if (strcmp(name, "drops") != 0)
		return false;
	print_drops(json_object_get(status, "drops"));
	explain_drops(json_object_get(status, "drops"));
	return true;
}

static bool part_known(const char *name)
{
	static const char *const words[] = { "peers", "ports", "macs", "drops" };
	const char *meant = suggest(name, words, 4);

	if (meant && strcmp(meant, name) == 0)
		return true;
	(void)say_error(CLI_USAGE, "status %s: there are peers, ports, macs and drops%s%s%s", name,
		meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
	return false;
}

static enum cli_exit ask(const struct invocation *in, const char *socket)
{
	struct client_target target = { .socket = socket,
		.server_name = "weftd",
		.remedy = "is it running? (systemctl status weftd)" };
	struct client *client = client_new(&target);
	struct answer answer = { .json = NULL };
	enum cli_exit result = CLI_UNREACHABLE;

	if (client)
		result = client_call(client, "GET", "/v1/status", NULL, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, "status");
	else if (result == CLI_OK && invocation_has(in, OPTION_JSON))
		say_json(in->arg_count ? json_object_get(answer.json, in->args[0]) : answer.json);
	else if (result == CLI_OK && in->arg_count)
		(void)print_part(in->args[0], answer.json);
	else if (result == CLI_OK)
		print_overview(answer.json);
	answer_fini(&answer);
	client_free(client);
	return result;
}

static enum cli_exit run(const struct invocation *in)
{
	char socket[4096], other[4096];

	if (in->arg_count && !part_known(in->args[0]))
		return CLI_USAGE;
	if (snprintf(socket, sizeof(socket), "%s/weftd.sock", in->state) >= (int)sizeof(socket) ||
		snprintf(other, sizeof(other), "%s/controller.sock", in->state) >= (int)sizeof(other))
		return say_error(CLI_USAGE, "--state %s: too long", in->state);
	if (access(socket, F_OK) < 0 && access(other, F_OK) == 0)
		return say_error(CLI_UNREACHABLE,
			"%s has a controller, but no weftd to ask; for the whole fabric: weft get hosts", in->state);
	return ask(in, socket);
}

const struct command command_status = {
	.name = "status",
	.arguments = "[peers|ports|macs|drops]",
	.summary = "Show how this host's weftd is: controller, peers, ports, MAC addresses, drops",
	.help = "Asked over weftd's socket in the state folder, so it works while the controller\n"
		"is away.\n",
	.args_max = 1,
	.run = run,
};
