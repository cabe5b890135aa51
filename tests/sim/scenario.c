/*
 * scenario.c - see scenario.h; how to write one: README.md
 */
#include "tests/sim/scenario.h"

#include "tests/sim/memo.h"
#include "tests/sim/scene.h"
#include "tests/sim/tap_lines.h"

#include <inttypes.h>
#include <string.h>

/* ---- many networks ----------------------------------------------------------------------------------------- */

struct size {
	uint32_t hosts, networks, least, most; /* hosts in a network */
};

static struct world_hash converge(const char *name, uint64_t seed, FILE *trace, const struct size *size)
{
	struct scene s;

	scene_begin(&s, name, seed, trace);
	scene_hosts(&s, size->hosts, HOST_DECLARED);
	scene_lab(&s, size->networks, size->least, size->most);
	scene_within(&s, 30, "every host has applied its document", scene_all_applied);
	scene_within(&s, 60, "and every pair that shares a network has a session", scene_all_up);
	scene_is(&s, scene_documents(&s) <= 2 * (uint64_t)size->hosts,
		"%" PRIu64 " documents went to %" PRIu32 " hosts", scene_documents(&s), size->hosts);
	/* both ends hear of each other at one moment, so that both ask, and each session has two ends */
	scene_is(&s, scene_sessions(&s) <= 4 * (uint64_t)scene_pairs(&s) + scene_pairs(&s) / 10,
		"%" PRIu64 " ends of sessions for %" PRIu32 " pairs", scene_sessions(&s), scene_pairs(&s));
	return scene_end(&s);
}

/* Twice with one seed, and with another */
static void the_same_twice(const char *name, uint64_t seed, FILE *trace, const struct size *size)
{
	const struct world_hash first = converge(name, seed, trace, size);
	const struct world_hash again = converge(name, seed, NULL, size);
	const struct world_hash other = converge(name, seed + 1, NULL, size);

	tap_line(strcmp(first.text, again.text) == 0, "%s: one seed is one history: %s, %s", name, first.text,
		again.text);
	tap_line(strcmp(first.text, other.text) != 0, "%s: another seed is another one: %s", name, other.text);
}

static void networks_100(const char *name, uint64_t seed, FILE *trace)
{
	the_same_twice(name, seed, trace, &(struct size){ 100, 10, 5, 15 });
}

static void networks_1000(const char *name, uint64_t seed, FILE *trace)
{
	the_same_twice(name, seed, trace, &(struct size){ 1000, 100, 10, 30 });
}

/* ---- one network ------------------------------------------------------------------------------------------- */

/* Only @open of the hosts can be reached, so that sessions are as many as somebody can want, not one for each pair */
static void flat(const char *name, uint64_t seed, FILE *trace, uint32_t hosts, uint32_t open)
{
	struct scene s;

	memo_begin();
	scene_begin(&s, name, seed, trace);
	scene_hosts(&s, open, HOST_DECLARED);
	scene_hosts(&s, hosts - open, HOST_HIDDEN);
	scene_network(&s, 0, hosts - 1);
	scene_within(&s, 60, "every host has applied its document", scene_all_applied);
	scene_is(&s, host_peers(s.hosts[0]) == hosts - 1, "each knows all others");
	scene_run_s(&s, 30);
	scene_is(&s, scene_pairs_up(&s) == open * (open - 1) / 2 + open * (hosts - open),
		"%" PRIu32 " sessions: who can be reached has one with everybody", scene_pairs_up(&s));
	(void)scene_end(&s);
	memo_end();
}

static void flat_40(const char *name, uint64_t seed, FILE *trace)
{
	flat(name, seed, trace, 40, 3);
}

static void flat_1000(const char *name, uint64_t seed, FILE *trace)
{
	flat(name, seed, trace, 1000, 5);
}

/* ---- a fabric of 20, and what befalls it ------------------------------------------------------------------- */

static void small_fabric(struct scene *s, const char *name, uint64_t seed, FILE *trace)
{
	scene_begin(s, name, seed, trace);
	scene_hosts(s, 20, HOST_DECLARED);
	scene_lab(s, 6, 3, 10);
	scene_within(s, 30, "every host has applied its document", scene_all_applied);
	scene_within(s, 30, "every pair has a session", scene_all_up);
}

/* The halves are apart for two minutes, in which the lab changes: the half without the controller hears of it later */
static void partition(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;

	small_fabric(&s, name, seed, trace);
	scene_group(&s, 10, 19, 1);
	scene_run_s(&s, 30);
	scene_is(&s, !scene_all_up(&s), "apart, pairs are not said to be up");
	scene_is(&s, !scene_all_connected(&s), "nor is the controller");
	scene_network(&s, 5, 14);
	scene_run_s(&s, 90);
	scene_is(&s, !scene_all_applied(&s), "who cannot be told has not applied the change");
	scene_group(&s, 10, 19, 0);
	scene_within(&s, 15, "together again, every host has applied the change", scene_all_applied);
	scene_within(&s, 60, "and every pair has a session", scene_all_up);
	(void)scene_end(&s);
}

/* A whole rekeying interval under loss */
static void loss(const char *name, uint64_t seed, FILE *trace, uint32_t ppm, uint32_t seconds)
{
	struct scene s;

	scene_begin(&s, name, seed, trace);
	scene_loss(&s, ppm);
	scene_hosts(&s, 20, HOST_DECLARED);
	scene_loss(&s, ppm);
	scene_lab(&s, 6, 3, 10);
	scene_within(&s, 60, "every host has applied its document", scene_all_applied);
	scene_within(&s, seconds, "every pair has a session", scene_all_up);
	scene_run_s(&s, 300);
	scene_within(&s, seconds, "and has one five minutes later", scene_all_up);
	(void)scene_end(&s);
}

static void loss_1(const char *name, uint64_t seed, FILE *trace)
{
	loss(name, seed, trace, 10000, 10);
}

static void loss_10(const char *name, uint64_t seed, FILE *trace)
{
	loss(name, seed, trace, 100000, 20);
}

static void loss_30(const char *name, uint64_t seed, FILE *trace)
{
	loss(name, seed, trace, 300000, 60);
}

/* Clocks jump by a day and a year, ahead and back, while sessions go on and are rekeyed */
static void clocks(const char *name, uint64_t seed, FILE *trace)
{
	static const int64_t day_s = 86400, year_s = 365 * 86400;
	struct scene s;

	small_fabric(&s, name, seed, trace);
	scene_clock(&s, 0, 3, day_s);
	scene_clock(&s, 4, 7, -day_s);
	scene_clock(&s, 8, 11, year_s);
	scene_clock(&s, 12, 15, -year_s);
	scene_stays(&s, 600, "no clock that jumps ends a session", scene_all_up);
	scene_clock(&s, 4, 7, day_s);
	scene_clock(&s, 12, 15, year_s);
	scene_stays(&s, 300, "nor does one that is set right", scene_all_up);
	scene_network(&s, 0, 11);
	scene_within(&s, 15, "who is ahead applies a change", scene_all_applied);
	scene_within(&s, 15, "and has sessions with all", scene_all_up);
	scene_restart(&s, 0, 0);
	scene_restart(&s, 8, 8);
	scene_within(&s, 15, "even after a restart", scene_all_up);
	scene_clock(&s, 0, 3, -day_s);
	scene_clock(&s, 8, 11, -year_s);
	scene_restart(&s, 0, 0);
	scene_restart(&s, 8, 8);
	scene_within(&s, 60, "and after one with the clock set back", scene_all_up);
	(void)scene_end(&s);
}

/* A power cut of the controller, whose store is on a disk */
static void controller_restart(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;
	uint64_t documents;

	small_fabric(&s, name, seed, trace);
	documents = scene_documents(&s);
	fabric_stop(s.fabric);
	scene_stays(&s, 60, "sessions do without the controller", scene_all_up);
	fabric_start(s.fabric);
	scene_within(&s, 15, "every host is known to have applied its document", scene_all_applied);
	scene_is(&s, scene_documents(&s) == documents, "no host was sent again what it has");
	scene_network(&s, 0, 9);
	scene_within(&s, 15, "a change is applied as before", scene_all_applied);
	scene_is(&s, scene_documents(&s) > documents && scene_documents(&s) <= documents + 20, "by one document each");
	scene_within(&s, 15, "every pair has a session", scene_all_up);
	(void)scene_end(&s);
}

#define RESTARTED 5U

/* Of the first hosts, the peers */
static uint32_t peers_of_restarted(const struct scene *s)
{
	uint32_t peers = 0;

	for (uint32_t i = 0; i < RESTARTED; i++)
		peers += host_applied(s->hosts[i])[0] ? host_peers(s->hosts[i]) : 0;
	return peers;
}

/* Agents come back without the controller, from what is on their disks */
static void agent_restart(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;
	uint64_t documents;
	uint32_t peers;

	small_fabric(&s, name, seed, trace);
	documents = scene_documents(&s);
	net_group(fabric_node(s.fabric), 9);
	scene_run_s(&s, 60);
	peers = peers_of_restarted(&s);
	scene_restart(&s, 0, RESTARTED - 1);
	scene_run_s(&s, 1);
	scene_is(&s, peers > 0 && peers_of_restarted(&s) == peers, "the kept document is in force at once");
	scene_within(&s, 30, "every pair has a session, the controller being away", scene_all_up);
	net_group(fabric_node(s.fabric), 0);
	scene_within(&s, 10, "the controller is back", scene_all_connected);
	scene_within(&s, 15, "every host is known to have applied its document", scene_all_applied);
	scene_is(&s, scene_documents(&s) == documents, "no host was sent again what it has");
	(void)scene_end(&s);
}

/* Hosts change their address, as laptops do */
static void roaming(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;
	uint64_t sessions;

	small_fabric(&s, name, seed, trace);
	scene_run_s(&s, 2); /* where both ends of a pair asked at once, the second session is still on its way */
	sessions = scene_sessions(&s);
	for (uint32_t i = 0; i < 5; i++) {
		host_move(s.hosts[i]);
		scene_run_s(&s, 2);
	}
	scene_is(&s, scene_all_up(&s) && scene_sessions(&s) == sessions,
		"one after the other they are followed, without a handshake");
	scene_stays(&s, 300, "every pair is up", scene_all_up);
	(void)scene_end(&s);
}

/* All move at once: nobody knows where anybody is, but the controller does once they have connected again */
static void all_move(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;

	scene_begin(&s, name, seed, trace);
	scene_hosts(&s, 10, HOST_SEEN);
	scene_network(&s, 0, 9);
	scene_within(&s, 60, "every pair has a session", scene_all_up);
	for (uint32_t i = 0; i < 10; i++)
		host_move(s.hosts[i]);
	scene_run_s(&s, 15);
	scene_is(&s, !scene_all_up(&s), "they have lost each other");
	scene_within(&s, 120, "and have found each other by the controller", scene_all_up);
	(void)scene_end(&s);
}

/* Nobody talks to who was revoked a second later */
static void revoked(const char *name, uint64_t seed, FILE *trace)
{
	uint32_t knowing = 0;
	struct scene s;

	small_fabric(&s, name, seed, trace);
	json_decref(fabric_ask(s.fabric, API_POST, "/v1/hosts/h3/revoke", NULL, NULL, NULL));
	scene_run_s(&s, 1);
	for (uint32_t i = 0; i < s.hosts_count; i++)
		knowing += peers_named(&s.hosts[i]->overlay.peers, "h3") != NULL;
	scene_is(&s, knowing == 0, "nobody has h3 as a peer");
	scene_is(&s, !client_connected(s.hosts[3]->client), "h3 is not connected any more");
	scene_run_s(&s, 200);
	scene_is(&s, host_peers_up(s.hosts[3]) == 0, "and nobody answers it");
	(void)scene_end(&s);
}

/* A host that cannot open its ports says so, and heals by itself */
static void broken_ports(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;

	scene_begin(&s, name, seed, trace);
	scene_hosts(&s, 5, HOST_DECLARED);
	s.hosts[2]->ports_broken = true;
	scene_network(&s, 0, 4);
	scene_run_s(&s, 10);
	scene_is(&s, !scene_all_applied(&s), "a port that does not open is an error");
	scene_within(&s, 10, "and keeps nobody from having sessions", scene_all_up);
	s.hosts[2]->ports_broken = false;
	scene_within(&s, 15, "it is tried again", scene_all_applied);
	(void)scene_end(&s);
}

/* ---- what is said of peers --------------------------------------------------------------------------------- */

/* All other hosts that are on say so of h1 */
static bool all_say(struct scene *s, enum contact_state state)
{
	for (uint32_t i = 0; i < s->hosts_count; i++)
		if (i != 1 && s->hosts[i]->core && host_peer_state(s->hosts[i], "h1") != state)
			return false;
	return true;
}

static bool gone(struct scene *s)
{
	return all_say(s, CONTACT_GONE);
}

static bool silent(struct scene *s)
{
	return all_say(s, CONTACT_SILENT);
}

static bool up(struct scene *s)
{
	return all_say(s, CONTACT_UP);
}

static bool not_up_for_h0(struct scene *s)
{
	return host_peer_state(s->hosts[0], "h1") != CONTACT_UP;
}

static bool not_silent(struct scene *s)
{
	return !silent(s);
}

static void ten_in_one_network(struct scene *s, const char *name, uint64_t seed, FILE *trace)
{
	scene_begin(s, name, seed, trace);
	scene_hosts(s, 10, HOST_DECLARED);
	scene_network(s, 0, 9);
	scene_within(s, 30, "every pair has a session", scene_all_up);
	scene_run_s(s, 5); /* both ends of a pair may ask at once, and the second session is on its way */
}

/* Who stops says so, also where some of what it says is lost, and is back when it is back */
static void goodbye(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;

	ten_in_one_network(&s, name, seed, trace);
	host_part(s.hosts[1]);
	scene_within(&s, 1, "who stops is gone everywhere within a second", gone);
	scene_stays(&s, 600, "and stays so: nobody makes anything else of it", gone);
	host_start(s.hosts[1]);
	scene_within(&s, 2, "it starts again: up everywhere within 2 s", up);
	scene_within(&s, 2, "as it says itself", scene_all_up);
	host_stop(s.hosts[1]);
	scene_stays(&s, 14, "a power cut is not told by anybody", not_silent);
	scene_within(&s, 17, "and seen within 30 s at rest", silent);
	host_start(s.hosts[1]);
	scene_within(&s, 2, "it starts again: up everywhere within 2 s", up);
	(void)scene_end(&s);
}

/* The controller loses a host before its idle peers do, and they look: what it says is a reason to look, and nothing else */
static void word(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;

	ten_in_one_network(&s, name, seed, trace);
	scene_run_s(&s, 120);
	host_die(s.hosts[1]);
	scene_within(&s, 4, "who dies is silent everywhere 3 s after the controller has told", silent);
	host_told(s.hosts[0], "h1", true);
	scene_stays(&s, 60, "it is not up for being said to be there", not_up_for_h0);
	host_start(s.hosts[1]);
	scene_within(&s, 2, "it starts again: up everywhere within 2 s", up);
	scene_run_s(&s, 120);
	for (int i = 0; i < 10; i++)
		host_told(s.hosts[0], "h1", false);
	scene_stays(&s, 60, "who is there stays up whatever is said of it", up);
	host_stop(s.hosts[1]);
	scene_stays(&s, 14, "of a power cut the controller knows no more than others", not_silent);
	scene_within(&s, 17, "and it is seen within 30 s at rest", silent);
	(void)scene_end(&s);
}

/* One in ten datagrams is lost for an hour: no peer is called silent for that */
static void lossy_rest(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;

	ten_in_one_network(&s, name, seed, trace);
	scene_loss(&s, 100000);
	scene_stays(&s, 3600, "a tenth of all datagrams is lost, and every pair stays up", scene_all_up);
	(void)scene_end(&s);
}

static void serve_wires(struct scene *s, bool wire)
{
	struct peer *peer;

	for (uint32_t i = 0; i < s->hosts_count; i++)
		for (uint32_t slot = 0; (peer = peers_next(&s->hosts[i]->overlay.peers, &slot));)
			overlay_wire(&s->hosts[i]->overlay, peer, wire, world_now(s->world));
}

/* A path that serves a wire is watched closely, and loss is not taken for silence there either */
static void wires(const char *name, uint64_t seed, FILE *trace)
{
	uint64_t before;
	struct scene s;

	ten_in_one_network(&s, name, seed, trace);
	serve_wires(&s, true);
	scene_run_s(&s, 16); /* hosts are looked after with their next timer, at the latest */
	before = net_counts(s.net).sent;
	scene_stays(&s, 60, "every pair is up", scene_all_up);
	/* both probe, and both answer, four times a second */
	scene_is(&s, net_counts(s.net).sent - before <= 60 * 4 * 4 * 45 * 11 / 10,
		"%" PRIu64 " datagrams of 45 pairs in a minute", net_counts(s.net).sent - before);
	scene_loss(&s, 50000);
	scene_stays(&s, 600, "with a twentieth of all datagrams lost, too", scene_all_up);
	scene_loss(&s, 0);
	host_stop(s.hosts[1]);
	scene_within(&s, 1, "a power cut is seen within a second", silent);
	host_start(s.hosts[1]);
	scene_within(&s, 2, "it starts again: up everywhere within 2 s", up);
	(void)scene_end(&s);
}

/* What the controller says of a lab is what there is, and costs a few reports a host, however many peers that has */
static void truth(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;
	uint64_t reports;

	memo_begin();
	scene_begin(&s, name, seed, trace);
	scene_hosts(&s, 200, HOST_DECLARED);
	scene_lab(&s, 12, 10, 30);
	scene_within(&s, 30, "all paths and ports are said to be up", scene_said_up);
	scene_is(&s, scene_all_up(&s) && scene_said(&s, "paths", "count") == scene_pairs(&s),
		"and are: %" PRIu32 " paths", scene_pairs(&s));
	scene_run_s(&s, 10);
	reports = fabric_reports(s.fabric);
	scene_is(&s, reports <= 12 * 200, "%" PRIu64 " reports of 200 hosts that began together", reports);
	scene_run_s(&s, 20);
	scene_is(&s, fabric_reports(s.fabric) == reports, "none while nothing changes");
	s.hosts[7]->ports_broken = true;
	scene_network(&s, 0, 40);
	scene_is(&s, !scene_said_up(&s), "a lab that has changed is not up by what was said before");
	scene_within(&s, 30, "its paths are soon", scene_said_paths_up);
	scene_is(&s, scene_all_up(&s), "in truth");
	scene_is(&s, scene_said(&s, "ports", "up") == scene_said(&s, "ports", "count") - 1,
		"and all ports but the broken one");
	s.hosts[7]->ports_broken = false;
	scene_within(&s, 15, "which is mended", scene_said_up);
	reports = fabric_reports(s.fabric);
	scene_group(&s, 0, 0, 1);
	scene_run_s(&s, 45);
	scene_is(&s, !scene_said_paths_up(&s), "a host that nobody reaches is not said to be up");
	scene_is(&s, fabric_reports(s.fabric) - reports <= 10 * 200, "%" PRIu64 " reports of it",
		fabric_reports(s.fabric) - reports);
	scene_group(&s, 0, 0, 0);
	scene_within(&s, 60, "it is back, and all is said to be up", scene_said_up);
	(void)scene_end(&s);
	memo_end();
}

/* An hour of nothing: keys are replaced, nothing else happens */
static void idle_hour(const char *name, uint64_t seed, FILE *trace)
{
	struct scene s;

	small_fabric(&s, name, seed, trace);
	scene_stays(&s, 3600, "every pair is up", scene_all_up);
	scene_is(&s, scene_documents(&s) <= 40, "no documents");
	scene_is(&s, scene_sessions(&s) < 2 * (uint64_t)scene_pairs(&s) * 40,
		"%" PRIu64 " sessions of %" PRIu32 " pairs", scene_sessions(&s), scene_pairs(&s));
	(void)scene_end(&s);
}

/* ---- all of them ------------------------------------------------------------------------------------------- */

const struct scenario scenarios[] = {
	{ "networks-100", "100 agents in 10 networks converge, twice the same", true, networks_100 },
	{ "flat-40", "one network of 40 hosts is applied everywhere", true, flat_40 },
	{ "partition", "halves that were apart find together", true, partition },
	{ "loss-1", "1% of all datagrams are lost", true, loss_1 },
	{ "loss-10", "10%", true, loss_10 },
	{ "loss-30", "30%", true, loss_30 },
	{ "clocks", "wall clocks jump, and sessions go on", true, clocks },
	{ "controller-restart", "nobody is sent what it has", true, controller_restart },
	{ "agent-restart", "agents come back from their disks", true, agent_restart },
	{ "roaming", "hosts move, and are followed", true, roaming },
	{ "all-move", "all move at once, and find together by the controller", true, all_move },
	{ "revoked", "a revoked host has no peers a second later", true, revoked },
	{ "goodbye", "who stops says so, who dies is found out", true, goodbye },
	{ "word", "the controller's word has peers look, and is not believed", true, word },
	{ "lossy-rest", "an hour of losses is no silence", true, lossy_rest },
	{ "wires", "paths of wires are watched closely", true, wires },
	{ "broken-ports", "a port that does not open is told, and tried again", true, broken_ports },
	{ "truth", "what the controller says of 200 hosts' paths is what there is", true, truth },
	{ "idle-hour", "an hour of nothing but new keys", false, idle_hour },
	{ "flat-1000", "one network of 1,000 hosts is applied everywhere", false, flat_1000 },
	{ "networks-1000", "1,000 agents in 100 networks of 10 to 30 converge, twice the same", false, networks_1000 },
	{ 0 },
};
