/*
 * ping.c - see ping.h
 */
#include "overlay/agent/ping.h"

#include "base/suggest.h"
#include "overlay/agent/core.h"
#include "overlay/agent/questions.h"
#include "overlay/peer/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whom -------------------------------------------------------------------------------------------------- */

/* A port of another host, by "lab/port" or its name alone.  Return: its index, UINT32_MAX where there is none */
static uint32_t remote_named(const struct topology *topology, const char *name)
{
	char both[sizeof(((struct ping *)NULL)->port)];

	for (uint32_t i = 0; i < topology->remotes_count; i++) {
		const struct lab_port *port = &topology->remotes[i];

		snprintf(both, sizeof(both), "%s/%s", port->lab, port->name);
		if (strcmp(name, port->name) == 0 || strcmp(name, both) == 0)
			return i;
	}
	return UINT32_MAX;
}

static void refuse(const struct core *core, const char *name, struct reply *reply)
{
	const struct topology *topology = &core->topology;
	const char **words = calloc(topology->hosts_count + 1, sizeof(*words)), *meant = NULL;

	for (uint32_t i = 0; words && i < topology->hosts_count; i++)
		words[i] = topology->hosts[i].name;
	if (words)
		meant = suggest(name, words, topology->hosts_count);
	reply_fail(reply,
		"host %s has no peer and no remote port \"%.130s\": they share no network, or it does not exist%s%s%s",
		core->config.host, name, meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
	free(words);
}

/* Return: false after the question was answered */
static bool find(const struct core *core, const char *name, struct ping *ping)
{
	const struct topology *topology = &core->topology;
	uint32_t remote;

	if (strcmp(name, core->config.host) == 0) {
		reply_fail(ping->reply, "%s is this host itself; name another one", name);
		return false;
	}
	if (peers_named(&core->config.overlay->peers, name)) {
		snprintf(ping->to, sizeof(ping->to), "%s", name);
		return true;
	}
	remote = remote_named(topology, name);
	if (remote == UINT32_MAX) {
		refuse(core, name, ping->reply);
		return false;
	}
	snprintf(ping->port, sizeof(ping->port), "%s/%s", topology->remotes[remote].lab,
		topology->remotes[remote].name);
	snprintf(ping->to, sizeof(ping->to), "%s", topology->hosts[topology->remote_hosts[remote]].name);
	return true;
}

/* ---- what comes of it -------------------------------------------------------------------------------------- */

static json_t *answer_of(const struct core *core, const struct ping *ping)
{
	const struct peer *peer = peers_named(&core->config.overlay->peers, ping->to);
	json_t *out =
		json_pack("{s:s, s:s, s:b}", "host", core->config.host, "to", ping->to, "answered", ping->rtt_ns != 0);
	char why[PATH_TEXT_BYTES] = "", text[ENDPOINT_TEXT_BYTES];

	if (ping->port[0])
		json_object_set_new(out, "port", json_string(ping->port));
	if (ping->rtt_ns)
		json_object_set_new(out, "rtt_us", json_integer((json_int_t)((ping->rtt_ns + 999) / 1000)));
	json_object_set_new(out, "sent", json_boolean(ping->token));
	if (!peer) {
		json_object_set_new(out, "reason", json_string("it has left the topology"));
		return out;
	}
	json_object_set_new(out, "state", json_string(peer_state_name(peer)));
	peer_why(peer, why);
	if (why[0])
		json_object_set_new(out, "reason", json_string(why));
	if (!peer->path)
		return out;
	endpoint_format(&peer->path->endpoint, text);
	json_object_set_new(out, "endpoint", json_string(text));
	json_object_set_new(out, "path", json_string(path_kind_name(peer->paths.path[peer->paths.in_use].kind)));
	json_object_set_new(out, "bytes", json_integer(ping->bytes));
	if (!peer_is_limited(peer))
		json_object_set_new(out, "path_mtu",
			json_integer(peer->path->datagram_bytes + path_header_bytes(&peer->path->endpoint)));
	return out;
}

static void try_it(struct core *core, struct ping *ping)
{
	struct peer *peer = peers_named(&core->config.overlay->peers, ping->to);

	ping->tried = core->now;
	if (!peer || ping->token)
		return;
	ping->bytes = peer->path ? peer->path->datagram_bytes : 0;
	ping->token = overlay_ping(core->config.overlay, peer, core->now);
}

void pings_answered(struct pings *pings, const struct peer *peer, uint64_t token, struct instant now)
{
	for (uint32_t i = 0; i < pings->count; i++) {
		struct ping *ping = &pings->ping[i];

		if (ping->token == token && !ping->rtt_ns && strcmp(ping->to, peer->name) == 0)
			ping->rtt_ns = now.ns > token ? now.ns - token : 1;
	}
}

struct instant pings_tick(struct core *core)
{
	struct pings *pings = &core->pings;

	for (uint32_t i = 0; i < pings->count;) {
		struct ping *ping = &pings->ping[i];

		if (!ping->rtt_ns && instant_since_ms(core->now, ping->asked) < PING_PATIENCE_MS) {
			if (instant_since_ms(core->now, ping->tried) >= PING_TRY_MS)
				try_it(core, ping);
			i++;
			continue;
		}
		reply_send(ping->reply, answer_of(core, ping));
		*ping = pings->ping[--pings->count];
	}
	return pings->count ? instant_add_ms(core->now, PING_TRY_MS) : (struct instant){ 0 };
}

/* {"to": HOST or PORT} */
void ping_question(const struct questions_source *source, const json_t *args, struct reply *reply)
{
	const char *name = json_string_value(json_object_get(args, "to"));
	struct core *core = source->core;
	struct ping ping = { .reply = reply };
	struct status_facts facts;

	if (!name) {
		reply_fail(reply, "the question \"ping\" needs {\"to\": HOST or PORT}");
		return;
	}
	if (core->pings.count == PINGS_MAX) {
		reply_fail(reply, "too many pings wait for answers already; try again in a second");
		return;
	}
	source->facts(source->ctx, &facts); /* for the present */
	if (!find(core, name, &ping))
		return;
	ping.asked = core->now;
	try_it(core, &ping);
	core->pings.ping[core->pings.count++] = ping;
	source->facts(source->ctx, &facts); /* for the loop to know when to come back */
}
