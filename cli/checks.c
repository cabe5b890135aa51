/*
 * checks.c - see checks.h
 */
#include "cli/checks.h"

#include "base/json.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 1024U
#define NAMED_MAX 5U /* peers and the like; the rest is counted */

/* Where findings go; `check` is whose turn it is */
struct findings {
	json_t *list;
	const char *check;
};

#define X(name, judge) static void judge(const json_t *facts, struct findings *out);
CHECKS(X)
#undef X

static void find(struct findings *out, const char *result, const char *command, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void find(struct findings *out, const char *result, const char *command, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list args;
	json_t *item;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	item = json_pack("{s:s, s:s, s:s}", "check", out->check, "result", result, "text", text);
	if (command)
		json_object_set_new(item, "command", json_string(command));
	json_array_append_new(out->list, item);
}

json_t *checks_judge(const json_t *facts)
{
	static const struct {
		const char *name;
		void (*judge)(const json_t *facts, struct findings *out);
	} table[] = {
#define X(name, judge) { name, judge },
		CHECKS(X)
#undef X
	};
	struct findings out = { .list = json_array() };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		out.check = table[i].name;
		table[i].judge(facts, &out);
	}
	return out.list;
}

/* ---- reading facts ------------------------------------------------------------------------------------------- */

static const json_t *agent_of(const json_t *facts)
{
	return json_object_get(facts, "agent");
}

static const json_t *status_of(const json_t *facts)
{
	return json_object_get(agent_of(facts), "status");
}

static const json_t *machine_of(const json_t *facts)
{
	const json_t *machine = json_object_get(agent_of(facts), "machine");

	return machine ? machine : json_object_get(json_object_get(facts, "local"), "machine");
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static bool is_false(const json_t *object, const char *key)
{
	return json_is_false(json_object_get(object, key));
}

static const char *text_or(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_text_of(object, key);

	return text && *text ? text : otherwise;
}

static bool is_text(const json_t *object, const char *key, const char *text)
{
	const char *is = json_text_of(object, key);

	return is && strcmp(is, text) == 0;
}

static int udp_port_of(const json_t *facts)
{
	json_int_t port = json_int_of(agent_of(facts), "udp_port");

	return port > 0 ? (int)port : 4754;
}

/* ---- this machine and its weftd ------------------------------------------------------------------------------ */

static void check_weftd(const json_t *facts, struct findings *out)
{
	const json_t *local = json_object_get(facts, "local"), *status = status_of(facts);

	if (status)
		find(out, "ok", NULL, "weftd %s runs as host %s of the fabric %s", text_or(status, "version", "?"),
			text_or(status, "host", "?"), text_or(status, "fabric", "?"));
	else if (!local)
		find(out, "error", NULL, "the host's weftd does not answer: %s",
			text_or(facts, "why", "it is offline"));
	else if (is_false(local, "joined") && is_true(local, "root"))
		find(out, "error", "weft join TOKEN",
			"this machine is not joined to a fabric; `weft token HOST` on the "
			"controller's machine makes a TOKEN");
	else if (is_false(local, "root"))
		find(out, "error", "sudo weft doctor",
			"weftd's socket may be opened by root only, and this user is not root");
	else
		find(out, "error", "systemctl start weftd",
			"weftd does not run here%s%s; journalctl -u weftd says why it ended",
			json_text_of(local, "unit") ? ": its unit is " : "", text_or(local, "unit", ""));
}

static void check_clock(const json_t *facts, struct findings *out)
{
	json_int_t here = json_int_of(machine_of(facts), "time"),
		   there = json_int_of(json_object_get(facts, "controller"), "time"), off = here - there;

	if (!here || !there)
		return;
	if (llabs(off) > CHECKS_CLOCK_S)
		find(out, llabs(off) > CHECKS_CLOCK_WRONG_S ? "error" : "warning", "timedatectl set-ntp true",
			"the clock is %lld s %s the controller's; certificates and handshakes go by it", llabs(off),
			off > 0 ? "ahead of" : "behind");
	else
		find(out, "ok", NULL, "the clock is within %d s of the controller's", CHECKS_CLOCK_S);
}

static void check_kernel(const json_t *facts, struct findings *out)
{
	const json_t *machine = machine_of(facts);
	int major = 0, minor = 0;

	if (!machine)
		return;
	(void)sscanf(text_or(machine, "kernel", ""), "%d.%d", &major, &minor);
	if (is_false(machine, "tun"))
		find(out, "error", "modprobe tun", "there is no /dev/net/tun that can be opened, so no TAP devices");
	if (major && (major < 6 || (major == 6 && minor < 2)))
		find(out, "ok", NULL, "Linux %s: before 6.2, UDP segmentation by guests is done in software",
			text_or(machine, "kernel", "?"));
	else if (!is_false(machine, "tun"))
		find(out, "ok", NULL, "Linux %s has what weft uses", text_or(machine, "kernel", "?"));
}

static void check_files(const json_t *facts, struct findings *out)
{
	json_int_t limit = json_int_of(machine_of(facts), "nofile"),
		   need = json_int_of(agent_of(facts), "descriptors_needed"),
		   has = json_int_of(machine_of(facts), "descriptors");

	if (!limit || !need)
		return;
	need = need > has ? need : has;
	if (limit < need + need / 4)
		find(out, limit < need ? "error" : "warning",
			"mkdir -p /etc/systemd/system/weftd.service.d && printf '[Service]\\nLimitNOFILE=65536\\n' "
			">/etc/systemd/system/weftd.service.d/files.conf && systemctl daemon-reload && systemctl restart weftd",
			"weftd may have %lld files open, and its ports and workers need about %lld", limit, need);
	else
		find(out, "ok", NULL, "weftd may have %lld files open and needs about %lld", limit, need);
}

/* ---- the controller ------------------------------------------------------------------------------------------ */

static bool is_numeric(const char *name)
{
	return strspn(name, "0123456789.") == strlen(name) || strchr(name, ':');
}

static void check_name(const json_t *facts, struct findings *out)
{
	const json_t *resolved = json_object_get(agent_of(facts), "resolved");
	const char *name = json_text_of(resolved, "name");
	char command[512];

	if (!agent_of(facts) || (name && is_numeric(name)))
		return;
	if (!resolved) {
		find(out, "error", "resolvectl status",
			"the controller's name was not resolved within 4 s: the name servers do not answer");
		return;
	}
	snprintf(command, sizeof(command), "echo 'ADDRESS %s' >>/etc/hosts", name);
	if (json_text_of(resolved, "error"))
		find(out, "error", command,
			"the controller's name %s does not resolve: %s; mend the name server (/etc/resolv.conf), or write its address down",
			name, json_text_of(resolved, "error"));
	else
		find(out, "ok", NULL, "the controller's name %s resolves to %s", name,
			text_or(json_object_get(resolved, "x"), "x",
				json_string_value(json_array_get(json_object_get(resolved, "addresses"), 0))
					? json_string_value(json_array_get(json_object_get(resolved, "addresses"), 0))
					: "nothing"));
}

static void check_controller(const json_t *facts, struct findings *out)
{
	const json_t *controller = json_object_get(status_of(facts), "controller"),
		     *host = json_object_get(json_object_get(facts, "controller"), "host");

	if (is_true(host, "revoked"))
		find(out, "error", "weft token HOST", "the host is revoked; with a new token it can join again");
	if (is_true(controller, "connected"))
		find(out, "ok", NULL, "connected to the controller %s", text_or(controller, "address", "?"));
	else if (controller)
		find(out, "error", "systemctl start weft-controller",
			"no connection to the controller %s: %s; on its machine, see that it runs, and that its TCP port is open to this host",
			text_or(controller, "address", "?"), text_or(controller, "state", "not yet"));
	else if (host && is_false(host, "online"))
		find(out, "error", "systemctl start weftd",
			"the host is offline: its weftd has no connection to the controller");
}

static void check_topology(const json_t *facts, struct findings *out)
{
	const json_t *topology = json_object_get(status_of(facts), "topology"), *item;
	size_t i;

	json_array_foreach(json_object_get(topology, "errors"), i, item) {
		if (json_text_of(item, "port")) /* check_ports() has it */
			continue;
		find(out, "error", "journalctl -u weftd", "%s%s%s%s", text_or(item, "host", text_or(item, "lab", "")),
			json_text_of(item, "network") ? "/" : "", text_or(item, "network", ""),
			json_text_of(item, "host") || json_text_of(item, "lab") ? ": " : "");
		json_object_set_new(json_array_get(out->list, json_array_size(out->list) - 1), "text",
			json_string(text_or(item, "text", "?")));
	}
}

/* ---- peers ---------------------------------------------------------------------------------------------------- */

/* Return: the command that lets datagrams in where a filter is, in @out; without a filter, one that shows where they stop */
static const char *way_in(const json_t *facts, char *out, size_t cap_bytes)
{
	const json_t *filter;
	size_t i;

	json_array_foreach(json_object_get(machine_of(facts), "filters"), i, filter) {
		if (!is_text(filter, "hook", "input") ||
			(!is_text(filter, "policy", "drop") && json_int_of(filter, "uses") == 0))
			continue;
		snprintf(out, cap_bytes, "nft insert rule %s %s %s udp dport %d accept", text_or(filter, "family", "?"),
			text_or(filter, "table", "?"), text_or(filter, "chain", "?"), udp_port_of(facts));
		return out;
	}
	snprintf(out, cap_bytes, "tcpdump -ni any udp port %d", udp_port_of(facts));
	return out;
}

static bool heard_lately(const json_t *row)
{
	const json_t *ms = json_object_get(row, "last_rx_ms");

	return json_is_integer(ms) && json_integer_value(ms) < CHECKS_HEARD_MS;
}

/* Return: whether the peer answers, by the probe just now, or else by its state */
static bool answers(const json_t *facts, const json_t *peer)
{
	const json_t *ping = json_object_get(json_object_get(facts, "pings"), text_or(peer, "host", ""));

	return ping ? json_is_true(ping) : is_text(peer, "state", "up") || is_text(peer, "state", "limited");
}

static void peer_in_trouble(const json_t *facts, const json_t *peer, struct findings *out)
{
	const char *name = text_or(peer, "host", "?"),
		   *reason = text_or(peer, "reason", text_or(peer, "state", "no answer"));
	const json_t *row = json_object_get(json_object_get(facts, "witness"), name);
	const int port = udp_port_of(facts);
	char command[512], there[160];

	snprintf(there, sizeof(there), "weft doctor %s", name);
	if (is_text(peer, "state", "refused"))
		find(out, "error", "weft get hosts", "%s is refused: %s", name, reason);
	else if (!row || json_text_of(row, "unknown"))
		find(out, "error", way_in(facts, command, sizeof(command)), "%s does not answer (%s)%s%s", name, reason,
			row ? "; what it sees is not known: " : "", row ? json_text_of(row, "unknown") : "");
	else if (heard_lately(row))
		find(out, "error", way_in(facts, command, sizeof(command)),
			"%s hears this host, but this host does not hear %s: UDP %d is blocked on the way in, by a filter here or in between",
			name, name, port);
	else if (heard_lately(peer))
		find(out, "error", there,
			"this host hears %s, but %s does not hear this host: UDP is blocked on the way to it", name,
			name);
	else
		find(out, "error", way_in(facts, command, sizeof(command)),
			"this host and %s do not hear each other (%s): UDP %d is blocked in both directions, or %s cannot be reached",
			name, reason, port, text_or(peer, "endpoint", "its address"));
}

static void check_udp(const json_t *facts, struct findings *out)
{
	const json_t *peers = json_object_get(status_of(facts), "peers"), *peer;
	size_t bad = 0, i;

	if (!peers)
		return;
	json_array_foreach(peers, i, peer) {
		if (answers(facts, peer))
			continue;
		if (bad++ < NAMED_MAX)
			peer_in_trouble(facts, peer, out);
	}
	if (bad > NAMED_MAX)
		find(out, "error", "weft status peers", "%zu more peers do not answer", bad - NAMED_MAX);
	if (bad == 0 && json_array_size(peers) == 0)
		find(out, "ok", NULL, "no other host shares a network with this one yet");
	else if (bad == 0)
		find(out, "ok", NULL, "all %zu peers answer on UDP (%lld looked at from both sides)",
			json_array_size(peers), json_int_of(facts, "looked_at"));
}

/* "192.0.2.1:4754" or "[2001:db8::1]:4754": is the address one of this machine's? */
static bool is_own(const json_t *facts, const char *endpoint)
{
	const json_t *own;
	size_t i;

	json_array_foreach(json_object_get(machine_of(facts), "addresses"), i, own) {
		const char *text = json_string_value(own), *at = endpoint + (endpoint[0] == '[');
		size_t len = text ? strlen(text) : 0;

		if (len && strncmp(at, text, len) == 0 && (at[len] == ':' || at[len] == ']'))
			return true;
	}
	return false;
}

static void check_nat(const json_t *facts, struct findings *out)
{
	const char *seen = NULL, *name;
	bool differs = false, translated = false;
	json_t *row;

	json_object_foreach((json_t *)json_object_get(facts, "witness"), name, row) {
		const char *endpoint = json_text_of(row, "endpoint");

		if (!endpoint || (!is_text(row, "state", "up") && !is_text(row, "state", "limited")))
			continue;
		if (is_own(facts, endpoint))
			continue; /* of several own addresses, each is fine */
		translated = true;
		differs |= seen && strcmp(seen, endpoint) != 0;
		seen = endpoint;
	}
	if (!json_object_size(json_object_get(facts, "witness")))
		return;
	if (differs)
		find(out, "warning", "weft join TOKEN --force --endpoint PUBLIC-ADDRESS",
			"peers see this host at different addresses (%s is one): its NAT maps by destination, so two such hosts cannot meet; "
			"forward the UDP port and name that address",
			seen);
	else if (translated)
		find(out, "ok", NULL, "behind NAT: peers see this host at %s, all the same", seen);
	else
		find(out, "ok", NULL, "no NAT between this host and the peers that were looked at");
}

static void check_mtu(const json_t *facts, struct findings *out)
{
	const json_t *peer;
	json_int_t least = 0, wanted = json_int_of(agent_of(facts), "network_mtu");
	const char *name = NULL;
	size_t i;

	json_array_foreach(json_object_get(status_of(facts), "peers"), i, peer) {
		json_int_t mtu = json_int_of(peer, "path_mtu");

		if (is_text(peer, "state", "limited"))
			find(out, "error", "ip link show", "%s: %s", text_or(peer, "host", "?"),
				text_or(peer, "reason", "?"));
		if (!mtu || (least && mtu >= least) || !answers(facts, peer))
			continue;
		least = mtu;
		name = json_text_of(peer, "host");
	}
	if (!least)
		return;
	if (least < CHECKS_MTU_LEAST)
		find(out, "error", "ip link show",
			"the path to %s takes packets of %lld bytes only; weft needs %d: raise the MTU on the way",
			name ? name : "?", least, CHECKS_MTU_LEAST);
	else if (wanted && least < wanted + CHECKS_AROUND_BYTES)
		find(out, "ok", NULL,
			"the path to %s takes %lld bytes and a network has an MTU of %lld: large frames go in fragments",
			name ? name : "?", least, wanted);
	else
		find(out, "ok", NULL, "paths take packets of %lld bytes or more", least);
}

/* ---- ports and the data's way ---------------------------------------------------------------------------------- */

static void check_offloads(const json_t *facts, struct findings *out)
{
	const json_t *datapath = json_object_get(status_of(facts), "datapath");

	if (!datapath)
		return;
	if (is_false(datapath, "udp_gso") || is_false(datapath, "udp_gro"))
		find(out, "warning", "ethtool -K DEV tx on rx on gso on gro on",
			"the network card or kernel does not do UDP %s for the underlay, which costs throughput; DEV is its interface",
			is_false(datapath, "udp_gso") ? "segmentation" : "receive offload");
	else
		find(out, "ok", NULL, "UDP segmentation and receive offload are used");
}

static void check_ports(const json_t *facts, struct findings *out)
{
	const json_t *ports = json_object_get(status_of(facts), "ports"), *port;
	size_t bad = 0, i;

	if (!ports)
		return;
	json_array_foreach(ports, i, port) {
		const char *state = text_or(port, "state", "?"), *error = json_text_of(port, "error");

		if (!error && strcmp(state, "error") != 0 && strcmp(state, "down") != 0 &&
			strcmp(state, "limited") != 0)
			continue;
		if (bad++ < NAMED_MAX)
			find(out, strcmp(state, "limited") == 0 ? "warning" : "error", "weft status ports",
				"%s/%s is %s: %s", text_or(port, "lab", "?"), text_or(port, "name", "?"), state,
				error ? error : "no reason is known");
	}
	if (bad > NAMED_MAX)
		find(out, "error", "weft status ports", "%zu more ports are not up", bad - NAMED_MAX);
	if (bad == 0)
		find(out, "ok", NULL, "%zu port%s, and none has an error", json_array_size(ports),
			json_array_size(ports) == 1 ? "" : "s");
}

static bool on_bridge(const json_t *facts)
{
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(status_of(facts), "ports"), i, port)
		if (strncmp(text_or(port, "attach", ""), "bridge:", 7) == 0)
			return true;
	return false;
}

static void check_filters(const json_t *facts, struct findings *out)
{
	const json_t *machine = machine_of(facts), *sysctl = json_object_get(machine, "sysctl"), *filter;
	bool forward = false;
	size_t i;

	if (!machine)
		return;
	json_array_foreach(json_object_get(machine, "filters"), i, filter)
		forward |= is_text(filter, "hook", "forward") &&
			(is_text(filter, "policy", "drop") || json_int_of(filter, "uses") > 0);
	if (forward && on_bridge(facts) &&
		(json_int_of(sysctl, "net.bridge.bridge-nf-call-iptables") ||
			json_int_of(sysctl, "net.bridge.bridge-nf-call-ip6tables")))
		find(out, "warning",
			"sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0",
			"frames inside bridges pass the host's forward filter (br_netfilter), which has rules that may drop guests' traffic");
	else if (is_false(machine, "may_filter"))
		find(out, "ok", NULL, "nftables rules could not be read, or the kernel has none");
	else
		find(out, "ok", NULL, "no filter is seen that drops what guests send through a bridge");
}
