/*
 * agent_report.c - see agent_report.h
 */
#include "controller/agent_report.h"

#include "base/addr.h"
#include "controller/host_addresses.h"
#include "lab/limits.h"
#include "lab/vlan_policy.h"

#include <stdio.h>
#include <string.h>

static bool int_within(const json_t *value, json_int_t min, json_int_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max;
}

/* {"network id": network} of those that @host has a port on */
static json_t *own_networks(const struct model *model, const char *host)
{
	json_t *out = json_object(), *port;
	const char *key;

	json_object_foreach((json_t *)model_host_ports(model, host), key, port) {
		json_int_t id = json_integer_value(json_object_get(port, "network_id"));
		const json_t *network = model_network_by_id(model, (uint32_t)id);
		char text[24];

		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, id);
		if (network)
			json_object_set(out, text, (json_t *)network);
	}
	return out;
}

static bool add_mac(json_t *out, const json_t *in, const json_t *networks, const char *host, struct fault *fault)
{
	const json_t *id = json_object_get(in, "network"), *vlan = json_object_get(in, "vlan"), *network;
	const char *text = json_string_value(json_object_get(in, "mac")),
		   *port = json_string_value(json_object_get(in, "port"));
	char key[MAC_TEXT_BYTES + LAB_NAME_MAX + 48], mac_text[MAC_TEXT_BYTES], id_text[24];
	struct mac mac;

	if (!int_within(id, 0, NETWORK_ID_MAX) || !int_within(vlan, 0, VLAN_MAX) || !text || !mac_parse(text, &mac) ||
		!port || !lab_name_ok(port))
		return fault_set(fault, 400, "macs", "an item is not {network, vlan, mac, port}");
	snprintf(id_text, sizeof(id_text), "%d", (int)json_integer_value(id));
	network = json_object_get(networks, id_text);
	if (!network)
		return true;
	mac_format(&mac, mac_text);
	snprintf(key, sizeof(key), "%s/%d/%s", id_text, (int)json_integer_value(vlan), mac_text);
	return json_object_set_new(out, key,
		       json_pack("{s:O, s:O, s:O, s:O, s:s, s:s, s:s}", "lab", json_object_get(network, "lab"),
			       "network", json_object_get(network, "name"), "network_id", id, "vlan", vlan, "mac",
			       mac_text, "host", host, "port", port)) == 0;
}

static bool take_macs(const json_t *in, const struct model *model, const char *host, struct agent_report *out,
	struct fault *fault)
{
	const json_t *list = json_object_get(in, "macs");
	json_t *networks, *item;
	bool ok = true;
	size_t i;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) > REPORT_MACS_MAX)
		return fault_set(fault, 400, "macs", "must be a list of at most %u", REPORT_MACS_MAX);
	networks = own_networks(model, host);
	out->macs = json_object();
	json_array_foreach(list, i, item)
		ok = ok && add_mac(out->macs, item, networks, host, fault);
	json_decref(networks);
	return ok;
}

static bool counter_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= LAB_NAME_MAX &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./: ") == len;
}

static bool take_drops(const json_t *in, const char *host, struct agent_report *out, struct fault *fault)
{
	json_t *list = json_object_get(in, "drops"), *count;
	const char *name;

	if (!list)
		return true;
	if (!json_is_object(list) || json_object_size(list) > REPORT_DROPS_MAX)
		return fault_set(fault, 400, "drops", "must be an object of at most %u counters", REPORT_DROPS_MAX);
	out->drops = json_object();
	json_object_foreach(list, name, count) {
		if (!json_is_integer(count) || json_integer_value(count) < 0 || !counter_name_ok(name))
			return fault_set(fault, 400, "drops", "must be names and whole numbers");
		json_object_set_new(out->drops, name,
			json_pack("{s:s, s:s, s:O}", "host", host, "name", name, "count", count));
	}
	return true;
}

/* Words for operators; without control characters, since they end on terminals.  @where: for the fault */
static bool take_text(const json_t *in, const char *key, size_t max_bytes, json_t *out, const char *where,
	struct fault *fault)
{
	json_t *value = json_object_get(in, key);
	char text[REPORT_TEXT_MAX + 1];

	if (!value || json_is_null(value))
		return true;
	if (!json_is_string(value) || json_string_length(value) > max_bytes)
		return fault_set(fault, 400, where, "%s must be a string of at most %zu bytes", key, max_bytes);
	snprintf(text, sizeof(text), "%s", json_string_value(value));
	for (char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	return json_object_set_new(out, key, json_string(text)) == 0;
}

/* What of its topology a host could not do, one each */
static bool take_errors(const json_t *in, json_t *about, struct fault *fault)
{
	static const char *const whose[] = { "lab", "port", "network", "host", "state" };
	const json_t *list = json_object_get(in, "errors"), *item;
	json_t *out;
	size_t i;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) > REPORT_ERRORS_MAX)
		return fault_set(fault, 400, "errors", "must be a list of at most %u", REPORT_ERRORS_MAX);
	out = json_array();
	json_object_set_new(about, "errors", out);
	json_array_foreach(list, i, item) {
		json_t *error = json_object();

		json_array_append_new(out, error);
		for (size_t k = 0; k < sizeof(whose) / sizeof(whose[0]); k++)
			if (!take_text(item, whose[k], LAB_NAME_MAX, error, "errors", fault))
				return false;
		if (!take_text(item, "text", REPORT_TEXT_MAX, error, "errors", fault))
			return false;
		if (!json_object_get(error, "text"))
			return fault_set(fault, 400, "errors", "an item has no text");
	}
	return true;
}

/* {"count", "up"} of peers or ports */
static bool take_counts(const json_t *in, const char *key, json_t *about, struct fault *fault)
{
	json_t *counts = json_object_get(in, key), *count = json_object_get(counts, "count"),
	       *up = json_object_get(counts, "up");

	if (!counts)
		return true;
	if (!int_within(count, 0, REPORT_COUNT_MAX) || !int_within(up, 0, json_integer_value(count)))
		return fault_set(fault, 400, key, "must have a count and how many of it are up");
	return json_object_set_new(about, key, json_pack("{s:O, s:O}", "count", count, "up", up)) == 0;
}

static bool add_peer(const json_t *in, const struct model *model, const char *host, json_t *out, struct fault *fault)
{
	const char *peer = json_string_value(json_object_get(in, "host"));
	char key[2 * LAB_NAME_MAX + 2];
	json_t *item;

	if (!peer || !lab_name_ok(peer) || !json_is_string(json_object_get(in, "state")))
		return fault_set(fault, 400, "peers", "an item of not_up is not {host, state, reason, endpoint}");
	if (!model_host(model, peer) || strcmp(peer, host) == 0)
		return true;
	item = json_pack("{s:s, s:s}", "host", host, "peer", peer);
	snprintf(key, sizeof(key), "%s/%s", host, peer);
	json_object_set_new(out, key, item);
	return take_text(in, "state", LAB_NAME_MAX, item, "peers", fault) &&
		take_text(in, "reason", REPORT_TEXT_MAX, item, "peers", fault) &&
		take_text(in, "endpoint", ENDPOINT_TEXT_BYTES, item, "peers", fault);
}

/* How many there are, and those that are not up */
static bool take_peers(const json_t *in, const struct model *model, const char *host, struct agent_report *out,
	struct fault *fault)
{
	const json_t *list = json_object_get(json_object_get(in, "peers"), "not_up"), *item;
	size_t i;

	if (!json_object_get(in, "peers"))
		return true;
	if (!take_counts(in, "peers", out->about, fault))
		return false;
	if (list && (!json_is_array(list) || json_array_size(list) > REPORT_PEERS_MAX))
		return fault_set(fault, 400, "peers", "not_up must be a list of at most %u", REPORT_PEERS_MAX);
	out->peers = json_object();
	json_array_foreach(list, i, item)
		if (!add_peer(item, model, host, out->peers, fault))
			return false;
	return true;
}

/* ---- where hosts are --------------------------------------------------------------------------------------- */

/* A host is believed about where those are that it has to do with */
static bool is_neighbour(const struct model *model, const json_t *networks, const char *other)
{
	const char *key;
	json_t *port;

	json_object_foreach((json_t *)model_host_ports(model, other), key, port) {
		char id[24];

		snprintf(id, sizeof(id), "%" JSON_INTEGER_FORMAT,
			json_integer_value(json_object_get(port, "network_id")));
		if (json_object_get(networks, id))
			return true;
	}
	return false;
}

static bool take_seen(const json_t *in, const struct model *model, const char *host, struct agent_report *out,
	struct fault *fault)
{
	json_t *list = json_object_get(in, "seen"), *networks, *item;
	size_t i;

	if (list && (!json_is_array(list) || json_array_size(list) > REPORT_SEEN_MAX))
		return fault_set(fault, 400, "seen", "must be a list of at most %u", REPORT_SEEN_MAX);
	out->seen = json_array();
	networks = own_networks(model, host);
	json_array_foreach(list, i, item) {
		const char *other = json_string_value(json_object_get(item, "host"));

		if (other && json_is_string(json_object_get(item, "endpoint")) && strcmp(other, host) != 0 &&
			is_neighbour(model, networks, other))
			json_array_append(out->seen, item);
	}
	json_decref(networks);
	return true;
}

static bool take_addresses(const json_t *in, struct agent_report *out, struct fault *fault)
{
	const json_t *list = json_object_get(in, "addresses");

	if (list && (!json_is_array(list) || json_array_size(list) > PEER_ENDPOINTS_MAX))
		return fault_set(fault, 400, "addresses", "must be a list of at most %u", PEER_ENDPOINTS_MAX);
	out->addresses = host_addresses_reported(list);
	return true;
}

static bool take_applied(const json_t *in, struct agent_report *out, struct fault *fault)
{
	const char *applied = json_string_value(json_object_get(in, "applied"));
	const json_t *rev = json_object_get(in, "rev");

	if (!applied || strlen(applied) >= sizeof(out->applied) ||
		strspn(applied, "0123456789abcdef") != strlen(applied))
		return fault_set(fault, 400, "applied", "must be the hash of a topology, or \"\"");
	if (rev && !int_within(rev, 0, INT64_MAX))
		return fault_set(fault, 400, "rev", "must be a revision");
	memcpy(out->applied, applied, strlen(applied) + 1);
	out->rev = (uint64_t)json_integer_value(rev);
	return true;
}

/* What they say is event_log.h's; one that is none is of an agent that is newer */
static bool check_events(const json_t *in, struct fault *fault)
{
	const json_t *list = json_object_get(in, "events");

	return !list || (json_is_array(list) && json_array_size(list) <= REPORT_EVENTS_MAX) ||
		fault_set(fault, 400, "events", "must be a list of at most %u", REPORT_EVENTS_MAX);
}

bool agent_report_check(const json_t *in, const struct model *model, const char *host, struct agent_report *out,
	struct fault *fault)
{
	json_t *mtu = json_object_get(in, "underlay_mtu");

	*out = (struct agent_report){ .about = json_object() };
	if (!take_applied(in, out, fault))
		return false;
	if (mtu && !int_within(mtu, 0, 65535))
		return fault_set(fault, 400, "underlay_mtu", "must be a number of bytes");
	if (mtu)
		json_object_set(out->about, "underlay_mtu", mtu);
	return take_text(in, "error", REPORT_TEXT_MAX, out->about, "error", fault) &&
		take_text(in, "version", REPORT_TEXT_MAX, out->about, "version", fault) &&
		take_errors(in, out->about, fault) && take_counts(in, "ports", out->about, fault) &&
		take_peers(in, model, host, out, fault) && take_macs(in, model, host, out, fault) &&
		take_drops(in, host, out, fault) && check_events(in, fault) && take_addresses(in, out, fault) &&
		take_seen(in, model, host, out, fault);
}

static json_int_t int_of(const json_t *item, const char *key)
{
	return json_integer_value(json_object_get(item, key));
}

/* @item, of a counter that had been @old at the last report and @base when rates were last counted; NULL: it is new */
static void rate_one(json_t *item, const json_t *old, const json_t *base, uint64_t elapsed_ms, time_t wall)
{
	json_int_t count = int_of(item, "count");
	bool anew = !old || count < int_of(old, "count");
	json_int_t before = base && !anew && int_of(base, "count") <= count ? int_of(base, "count") : 0;
	double rate = json_number_value(json_object_get(old, "rate"));

	if (elapsed_ms)
		rate = (double)(count - before) * 1000.0 / (double)elapsed_ms;
	json_object_set_new(item, "since", json_integer(anew ? wall : int_of(old, "since")));
	json_object_set_new(item, "last",
		json_integer(anew || count > int_of(old, "count") ? wall : int_of(old, "last")));
	json_object_set_new(item, "rate", json_real(rate));
}

void agent_report_rate(struct agent_report *report, struct agent_report *was, struct instant now, time_t wall)
{
	uint64_t elapsed_ms = was->before.ns ? instant_since_ms(now, was->before) : 0;
	const char *name;
	json_t *item;

	if (elapsed_ms < REPORT_RATE_MS)
		elapsed_ms = 0;
	json_object_foreach(report->drops, name, item)
		rate_one(item, json_object_get(was->drops, name), json_object_get(was->drops_before, name), elapsed_ms,
			wall);
	if (report->drops && (elapsed_ms || !was->before.ns)) {
		report->drops_before = json_incref(report->drops);
		report->before = now;
	} else {
		report->drops_before = was->drops_before;
		report->before = was->before;
		was->drops_before = NULL;
	}
}

json_t *agent_report_drop_now(json_t *drop, time_t wall)
{
	json_t *out;

	if (wall - int_of(drop, "last") <= REPORT_QUIET_S)
		return json_incref(drop);
	out = json_copy(drop);
	json_object_set_new(out, "rate", json_real(0));
	return out;
}

/* ---- since when -------------------------------------------------------------------------------------------- */

static const json_t *same_error(const json_t *list, const json_t *error)
{
	static const char *const members[] = { "lab", "port", "network", "host", "state", "text" };
	const json_t *item;
	size_t i, k;

	json_array_foreach(list, i, item) {
		for (k = 0; k < sizeof(members) / sizeof(members[0]); k++)
			if (!json_equal(json_object_get(item, members[k]), json_object_get(error, members[k])) &&
				(json_object_get(item, members[k]) || json_object_get(error, members[k])))
				break;
		if (k == sizeof(members) / sizeof(members[0]))
			return item;
	}
	return NULL;
}

/* @was: NULL where it was not there */
static void date(json_t *item, const json_t *was, time_t now)
{
	json_t *since = json_object_get(was, "since");

	json_object_set_new(item, "since", since ? json_incref(since) : json_integer((json_int_t)now));
}

void agent_report_date(struct agent_report *report, const struct agent_report *before, time_t now)
{
	const json_t *errors = json_object_get(before->about, "errors");
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(report->about, "errors"), i, item)
		date(item, same_error(errors, item), now);
	json_object_foreach(report->peers, key, item) {
		const json_t *was = json_object_get(before->peers, key);

		if (!json_equal(json_object_get(was, "state"), json_object_get(item, "state")))
			was = NULL; /* another reason for the same state is no new beginning */
		date(item, was, now);
	}
}

void agent_report_fini(struct agent_report *report)
{
	json_decref(report->drops_before);
	json_decref(report->about);
	json_decref(report->macs);
	json_decref(report->drops);
	json_decref(report->peers);
	json_decref(report->addresses);
	json_decref(report->seen);
	*report = (struct agent_report){ 0 };
}
