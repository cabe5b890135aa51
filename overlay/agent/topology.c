/*
 * topology.c - see topology.h
 */
#include "overlay/agent/topology.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/json.h"
#include "lab/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(char *out, size_t cap, const char *text)
{
	snprintf(out, cap, "%s", text);
}

/* Room for a list member's elements.  Return: NULL where there are none, or an error was noted */
static void *array_for(struct json_in *in, const json_t *list, const char *key, size_t max, size_t item_bytes)
{
	size_t count = json_array_size(list);
	void *items;

	if (count > max) {
		json_in_fail(in, "", key, "has %zu entries, at most %zu are served", count, max);
		return NULL;
	}
	if (count == 0)
		return NULL;
	items = calloc(count, item_bytes);
	if (!items)
		json_in_fail(in, "", key, "does not fit into memory");
	return items;
}

static uint32_t find_host(const struct topology *topology, const char *name)
{
	for (uint32_t i = 0; i < topology->hosts_count; i++)
		if (strcmp(topology->hosts[i].name, name) == 0)
			return i;
	return UINT32_MAX;
}

static const struct topology_network *find_network(const struct topology *topology, uint32_t id)
{
	for (uint32_t i = 0; i < topology->networks_count; i++)
		if (topology->networks[i].id == id)
			return &topology->networks[i];
	return NULL;
}

/* A name or the like, which is shown in logs and status: printable ASCII without spaces */
static void parse_word(struct json_in *in, const char *where, const json_t *item, const char *key, char *out,
	size_t cap)
{
	const char *text = json_in_string(in, where, item, key);
	size_t len = 0;

	while (text[len] > ' ' && text[len] < 0x7f)
		len++;
	if (len == 0 || text[len] || len >= cap)
		json_in_fail(in, where, key, "must be 1 to %zu printable characters without spaces", cap - 1);
	else
		copy(out, cap, text);
}

/* ---- hosts ------------------------------------------------------------------------------------------------- */

static void refuse(struct topology_host *host, const char *why)
{
	copy(host->refused, sizeof(host->refused), why);
}

static void check_trust(struct topology_host *host, const char *ca_pem, const char *certificate, const char *key,
	const char *signature, time_t now)
{
	uint8_t sig[IDENTITY_SIGNATURE_BYTES];
	struct identity identity;

	if (!base64_decode(key, host->key.bytes, sizeof(host->key.bytes)))
		refuse(host, "its tunnel key is not 32 bytes");
	else if (!identity_verify(ca_pem, certificate, IDENTITY_HOST, now, &identity))
		refuse(host, "its certificate is not signed by this fabric's CA, or not valid now");
	else if (strcmp(identity.name, host->name) != 0)
		refuse(host, "its certificate is another host's");
	else if (!base64_decode(signature, sig, sizeof(sig)) ||
		!identity_tunnel_verify(&identity, &host->key, sig, sizeof(sig)))
		refuse(host, "its tunnel key is not signed by its certificate");
	else
		host->proven = true;
}

static void parse_host(struct json_in *in, const json_t *item, const char *where, const char *ca_pem, time_t now,
	struct topology_host *out)
{
	const json_t *endpoints = json_in_member_or(in, where, item, "endpoints", JSON_ARRAY);
	const char *name = json_in_string(in, where, item, "name");
	const char *key = json_in_string(in, where, item, "tunnel_key");
	const char *signature = json_in_string(in, where, item, "tunnel_sig");
	const char *certificate = json_in_string(in, where, item, "certificate");

	if (!json_in_ok(in))
		return;
	if (!identity_name_ok(name)) {
		json_in_fail(in, where, "name", "is no host name");
		return;
	}
	copy(out->name, sizeof(out->name), name);
	for (size_t i = 0; i < json_array_size(endpoints) && out->endpoints_count < PEER_ENDPOINTS_MAX; i++) {
		const char *text = json_string_value(json_array_get(endpoints, i));

		if (text && endpoint_parse(text, UDP_PORT_DEFAULT, &out->endpoints[out->endpoints_count]))
			out->endpoints_count++;
		else
			json_in_fail(in, where, "endpoints", "has an entry that is no address");
	}
	check_trust(out, ca_pem, certificate, key, signature, now);
}

/*
 * A host can sign another's public key as its own.  It cannot use it, but who calls with that key would pass for whoever is found
 * first; so neither is a peer until one of them is gone.
 */
static void refuse_shared_key(struct topology *topology, struct topology_host *host)
{
	for (uint32_t i = 0; i < topology->hosts_count; i++) {
		struct topology_host *other = &topology->hosts[i];

		if (!host->proven || !other->proven ||
			memcmp(other->key.bytes, host->key.bytes, sizeof(host->key.bytes)) != 0)
			continue;
		snprintf(host->refused, sizeof(host->refused), "it has the same tunnel key as %s", other->name);
		snprintf(other->refused, sizeof(other->refused), "it has the same tunnel key as %s", host->name);
	}
}

static void parse_hosts(struct json_in *in, const json_t *document, const char *ca_pem, const char *self, time_t now,
	struct topology *out)
{
	const json_t *list = json_in_member_or(in, "", document, "hosts", JSON_ARRAY), *item;
	size_t i;

	out->hosts = array_for(in, list, "hosts", PEERS_MAX, sizeof(*out->hosts));
	if (!out->hosts)
		return;
	json_array_foreach(list, i, item) {
		char where[32];

		snprintf(where, sizeof(where), "hosts[%zu]", i);
		parse_host(in, item, where, ca_pem, now, &out->hosts[i]);
		if (json_in_ok(in) && find_host(out, out->hosts[i].name) != UINT32_MAX)
			json_in_fail(in, where, "name", "is there twice");
		if (strcmp(out->hosts[i].name, self) == 0)
			json_in_fail(in, where, "name", "is this host itself");
		refuse_shared_key(out, &out->hosts[i]);
		out->hosts_count++;
	}
}

/* ---- networks ---------------------------------------------------------------------------------------------- */

static enum network_mode parse_mode(struct json_in *in, const char *where, const json_t *item)
{
	const char *mode = json_in_string(in, where, item, "mode");

	if (strcmp(mode, "switch") == 0)
		return NETWORK_SWITCH;
	if (strcmp(mode, "hub") == 0)
		return NETWORK_HUB;
	if (strcmp(mode, "wire") == 0)
		return NETWORK_WIRE;
	json_in_fail(in, where, "mode", "is \"%.20s\", must be switch, hub or wire", mode);
	return NETWORK_SWITCH;
}

/* Control protocols that a switch passes though 802.1Q would not */
static unsigned int parse_pass(struct json_in *in, const char *where, const json_t *item)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} classes[] = {
		{ "stp", NETWORK_PASS_STP },
		{ "pause", NETWORK_PASS_PAUSE },
		{ "lacp", NETWORK_PASS_LACP },
		{ "lldp", NETWORK_PASS_LLDP },
		{ "other", NETWORK_PASS_OTHER },
	};
	const json_t *list = json_in_member_or(in, where, item, "pass", JSON_ARRAY);
	unsigned int pass = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		unsigned int bit = 0;

		for (size_t k = 0; name && k < sizeof(classes) / sizeof(classes[0]); k++)
			if (strcmp(name, classes[k].name) == 0)
				bit = classes[k].bit;
		if (!bit)
			json_in_fail(in, where, "pass", "has an entry that is not stp, pause, lacp, lldp or other");
		pass |= bit;
	}
	return pass;
}

static void parse_members(struct json_in *in, const json_t *item, const char *where, const struct topology *topology,
	struct topology_network *out)
{
	const json_t *list = json_in_member_or(in, where, item, "hosts", JSON_ARRAY);

	out->hosts = array_for(in, list, "hosts", PEERS_MAX, sizeof(*out->hosts));
	for (size_t i = 0; out->hosts && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		uint32_t host = name ? find_host(topology, name) : UINT32_MAX;

		if (host == UINT32_MAX)
			json_in_fail(in, where, "hosts", "names a host that the document does not have");
		else
			out->hosts[out->hosts_count++] = host;
	}
}

static void parse_networks(struct json_in *in, const json_t *document, struct topology *out)
{
	const json_t *list = json_in_member_or(in, "", document, "networks", JSON_ARRAY), *item;
	size_t i;

	out->networks = array_for(in, list, "networks", NETWORKS_MAX, sizeof(*out->networks));
	if (!out->networks)
		return;
	json_array_foreach(list, i, item) {
		struct topology_network *network = &out->networks[i];
		char where[32];

		snprintf(where, sizeof(where), "networks[%zu]", i);
		network->id = (uint32_t)json_in_int(in, where, item, "id", 0, NETWORK_ID_MAX);
		network->mode = parse_mode(in, where, item);
		network->pass = parse_pass(in, where, item);
		network->no_fragments = !json_in_bool_or(in, where, item, "fragment", true);
		network->mtu_bytes = (uint32_t)json_in_int(in, where, item, "mtu", LAB_MTU_MIN, LAB_MTU_MAX);
		parse_word(in, where, item, "lab", network->lab, sizeof(network->lab));
		parse_word(in, where, item, "name", network->name, sizeof(network->name));
		if (json_in_ok(in) && find_network(out, network->id))
			json_in_fail(in, where, "id", "is there twice");
		out->networks_count++;
		parse_members(in, item, where, out, network);
	}
}

/* ---- ports ------------------------------------------------------------------------------------------------- */

static void parse_vlan_list(struct json_in *in, const char *where, const json_t *list, struct vlan_policy *out)
{
	const json_t *item;
	size_t i;

	out->mode = VLAN_TRUNK_LIST;
	json_array_foreach(list, i, item) {
		json_int_t vlan = json_integer_value(item);

		if (!json_is_integer(item) || vlan < 0 || vlan > (json_int_t)VLAN_MAX)
			json_in_fail(in, where, "vlan.trunk", "has an entry that is no VLAN");
		else
			vlan_policy_add(out, (uint16_t)vlan);
	}
}

static void parse_vlan(struct json_in *in, const char *where, const json_t *item, struct vlan_policy *out)
{
	const json_t *vlan = json_in_member_or(in, where, item, "vlan", JSON_OBJECT);
	const json_t *trunk = json_object_get(vlan, "trunk");
	char inside[48];

	snprintf(inside, sizeof(inside), "%s.vlan", where);
	memset(out, 0, sizeof(*out));
	out->mode = VLAN_TRUNK_ALL;
	if (json_object_get(vlan, "access")) {
		out->mode = VLAN_ACCESS;
		out->access = (uint16_t)json_in_int(in, inside, vlan, "access", 1, VLAN_MAX);
	} else if (json_is_array(trunk)) {
		parse_vlan_list(in, where, trunk, out);
	} else if (trunk && (!json_is_string(trunk) || strcmp(json_string_value(trunk), "all") != 0)) {
		json_in_fail(in, where, "vlan.trunk", "must be \"all\" or a list of VLANs");
	}
}

static bool parse_mac(struct json_in *in, const char *where, const json_t *item, struct mac *out)
{
	const char *text = json_in_string_or(in, where, item, "mac", NULL);

	if (!text)
		return false;
	if (mac_parse(text, out) && !mac_is_group(out))
		return true;
	json_in_fail(in, where, "mac", "is \"%.20s\", must be a unicast MAC address", text);
	return false;
}

static bool has_port(const struct topology *topology, uint32_t id)
{
	for (uint32_t i = 0; i < topology->ports_count; i++)
		if (topology->ports[i].id == id)
			return true;
	return false;
}

static void parse_ports(struct json_in *in, const json_t *document, struct topology *out)
{
	const json_t *list = json_in_member_or(in, "", document, "ports", JSON_ARRAY), *item;
	size_t i;

	out->ports = array_for(in, list, "ports", PORTS_MAX, sizeof(*out->ports));
	if (!out->ports)
		return;
	json_array_foreach(list, i, item) {
		struct topology_port *port = &out->ports[i];
		char where[32];

		snprintf(where, sizeof(where), "ports[%zu]", i);
		port->id = (uint32_t)json_in_int(in, where, item, "id", 0, UINT32_MAX);
		port->network = (uint32_t)json_in_int(in, where, item, "network", 0, NETWORK_ID_MAX);
		parse_word(in, where, item, "lab", port->lab, sizeof(port->lab));
		parse_word(in, where, item, "name", port->name, sizeof(port->name));
		parse_word(in, where, item, "attach", port->attach, sizeof(port->attach));
		port->create = json_in_bool_or(in, where, item, "create", false);
		parse_vlan(in, where, item, &port->vlan);
		port->has_mac = parse_mac(in, where, item, &port->mac);
		if (json_in_ok(in) && !find_network(out, port->network))
			json_in_fail(in, where, "network", "is not one of the document's");
		if (json_in_ok(in) && has_port(out, port->id))
			json_in_fail(in, where, "id", "is there twice");
		out->ports_count++;
	}
}

static void parse_remotes(struct json_in *in, const json_t *document, struct topology *out)
{
	const json_t *list = json_in_member_or(in, "", document, "remote_ports", JSON_ARRAY), *item;
	size_t i;

	out->remotes = array_for(in, list, "remote_ports", REMOTE_PORTS_MAX, sizeof(*out->remotes));
	if (!out->remotes)
		return;
	json_array_foreach(list, i, item) {
		struct topology_remote *remote = &out->remotes[out->remotes_count];
		struct vlan_policy vlan;
		char where[40];

		snprintf(where, sizeof(where), "remote_ports[%zu]", i);
		if (!parse_mac(in, where, item, &remote->mac))
			continue;
		parse_vlan(in, where, item, &vlan);
		remote->network = (uint32_t)json_in_int(in, where, item, "network", 0, NETWORK_ID_MAX);
		remote->host = find_host(out, json_in_string(in, where, item, "host"));
		remote->vlan = vlan.mode == VLAN_ACCESS ? vlan.access : 0;
		if (remote->host == UINT32_MAX || !find_network(out, remote->network))
			json_in_fail(in, where, "", "is on a host or network that the document does not have");
		else
			out->remotes_count++;
	}
}

int topology_parse(const json_t *document, const char *ca_pem, const char *host, time_t now, struct topology *out,
	struct error *error)
{
	struct json_in in = { "" };

	memset(out, 0, sizeof(*out));
	if (!json_is_object(document)) {
		error_set(error, "the topology is not a JSON object");
		return -EINVAL;
	}
	out->rev = (uint64_t)json_in_int(&in, "", document, "rev", 0, INT64_MAX);
	if (strcmp(json_in_string(&in, "", document, "host"), host) != 0)
		json_in_fail(&in, "", "host", "is not this host's name, %s", host);
	parse_hosts(&in, document, ca_pem, host, now, out);
	parse_networks(&in, document, out);
	parse_ports(&in, document, out);
	parse_remotes(&in, document, out);
	if (json_in_ok(&in))
		return 0;
	error_set(error, "topology: %s", in.error);
	topology_fini(out);
	return -EINVAL;
}

void topology_fini(struct topology *topology)
{
	for (uint32_t i = 0; i < topology->networks_count; i++)
		free(topology->networks[i].hosts);
	free(topology->hosts);
	free(topology->networks);
	free(topology->ports);
	free(topology->remotes);
	memset(topology, 0, sizeof(*topology));
}
