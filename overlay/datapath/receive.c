/*
 * receive.c - a datagram's way from the underlay to the switch: receive, open, read, hand on
 *
 * Top to bottom: receive_ready() takes a burst of messages, each a train of datagrams; each datagram is opened in place with its
 * session's lane; its records are packets for the switch, fragments of one, probes or notices.  Packets leave by deliver.c, which joins
 * them; everything is flushed before the memory is used again.
 *
 * Nothing is believed before the AEAD has agreed, and nothing is answered that was not authentic.
 */
#include "overlay/datapath/receive.h"

#include "base/rcu.h"
#include "encap/gre.h"
#include "encap/record.h"
#include "overlay/datapath/burst.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/decide.h"
#include "overlay/datapath/deliver.h"
#include "overlay/datapath/dispatch.h"
#include "overlay/datapath/outputs.h"
#include "overlay/datapath/worker.h"
#include "overlay/peer/goodbye.h"
#include "overlay/peer/probing.h"
#include "packet/packet.h"

#include <string.h>

#define ROUNDS_MAX 8U /* bursts before other events get their turn */
#define RECEIVE_FEW 4U
#define ROAM_MAIL_MS 100U
#define EXPIRE_MS 100U

/* ---- records ----------------------------------------------------------------------------------------------- */

static const struct network *network_for(struct worker *worker, uint32_t id)
{
	const struct network *network = forwarding_network(worker->forwarding, id);

	if (!network)
		drops_count(&worker->drops, DROP_NETWORK_UNKNOWN, 1);
	return network;
}

static void take_packet(struct worker *worker, struct packet *packet)
{
	if (packet_parse(packet))
		outputs_carry(worker, packet, decide(worker, packet));
	else
		drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
}

static void take_frame(struct worker *worker, const struct session *session, const struct record *record)
{
	const struct network *network = network_for(worker, record->network);
	struct packet packet;

	if (!network)
		return;
	packet_init(&packet, record->body, record->body_bytes, record_header_bytes(record->flags));
	packet.from_wire = true;
	packet.offload = (struct offload){
		.partial = record->flags & RECORD_FLAG_PARTIAL,
		.gso_bytes = record->gso_bytes,
	};
	packet.network = network;
	packet.in = NULL;
	packet.peer = session->peer->slot;
	take_packet(worker, &packet);
}

static void take_fragment(struct worker *worker, const struct session *session, uint8_t lane,
	const struct record *record)
{
	const struct network *network = network_for(worker, record->network);
	uint64_t source = (uint64_t)session->peer->slot << 8 | lane;
	struct packet packet = { .from_wire = true, .network = network, .peer = session->peer->slot }, *copy;
	struct reassembled whole;

	if (!network)
		return;
	if (!network_has_peer(network, session->peer->slot)) { /* before anything of it is kept */
		drops_count(&worker->drops, drop_switch(SWITCH_DROP_NOT_MEMBER), 1);
		return;
	}
	if (reassembly_add(&worker->reassembler, source, record->network, record->flags & RECORD_FLAG_PARTIAL,
		    record->body, record->body_bytes, worker->now, &whole) != FRAGMENT_OK)
		return; /* held, or counted by the reassembler */
	packet.frame = whole.frame;
	packet.bytes = (uint32_t)whole.bytes;
	packet.offload.partial = whole.partial;
	/* away from the reassembler, which the next fragment may change */
	copy = deliver_keep(worker, &packet);
	take_packet(worker, copy);
	deliver_kept(worker, copy);
}

static void take_probe(struct worker *worker, struct session *session, uint8_t lane, const struct record *record,
	size_t datagram_bytes)
{
	struct probing probing;
	struct dispatch *dispatch;

	switch (probing_take(session, lane, record, datagram_bytes, worker->now, &probing)) {
	case PROBING_ANSWER:
		dispatch = dispatch_for(worker, session->peer);
		if (dispatch)
			dispatch_record(worker, dispatch,
				&(struct record){ .type = RECORD_PROBE_ACK,
					.body = probing.answer + RECORD_MAX_HEADER_BYTES,
					.body_bytes = PROBE_BODY_BYTES });
		break;
	case PROBING_ACK: /* the control thread's: it can take only so many of one peer */
		(void)worker_mail(worker,
			&(struct mail){ .kind = MAIL_PROBE_ACK,
				.session = session->index,
				.token = probing.token,
				.bytes = probing.bytes });
		break;
	case PROBING_FLOW_ACK:
		break;
	case PROBING_MALFORMED:
		drops_count(&worker->drops, DROP_PROBE_MALFORMED, 1);
		break;
	case PROBING_RATE:
		drops_count(&worker->drops, DROP_PROBE_RATE, 1);
		break;
	}
}

static void take_notice(struct worker *worker, struct session *session, uint8_t lane, const struct record *record)
{
	switch (goodbye_take(session, lane, record, worker->now)) {
	case GOODBYE_SAID:
		(void)worker_mail(worker, &(struct mail){ .kind = MAIL_GOODBYE, .session = session->index });
		break;
	case GOODBYE_OTHER:
		drops_count(&worker->drops, drop_record(RECORD_DROP_UNKNOWN), 1);
		break;
	case GOODBYE_MALFORMED:
		drops_count(&worker->drops, DROP_NOTIFY_MALFORMED, 1);
		break;
	case GOODBYE_RATE:
		drops_count(&worker->drops, DROP_NOTIFY_RATE, 1);
		break;
	}
}

/* Where frames come from, the control thread looks; what only answers is its own affair */
static void note_carried(struct worker *worker, struct session *session, uint8_t lane)
{
	counter_set(&session->rx[lane].carried_ns, worker->now.ns);
	dispatch_stir(worker, session->peer);
}

static void take_records(struct worker *worker, struct session *session, uint8_t lane, uint8_t *plain,
	size_t plain_bytes)
{
	struct record_reader reader = record_reader_init(plain, plain_bytes);
	enum record_result result;
	struct record record;
	bool carried = false, parting = false;

	while ((result = record_next(&reader, &record)) != RECORD_END) {
		if (result != RECORD_OK) {
			drops_count(&worker->drops, drop_record(result), 1);
			continue;
		}
		switch (record.type) {
		case RECORD_FRAME:
			take_frame(worker, session, &record);
			carried = true;
			break;
		case RECORD_FRAGMENT:
			take_fragment(worker, session, lane, &record);
			carried = true;
			break;
		case RECORD_NOTIFY:
			take_notice(worker, session, lane, &record);
			parting = true;
			break;
		case RECORD_PROBE:
		case RECORD_PROBE_ACK:
			take_probe(worker, session, lane, &record, plain_bytes + TRAIN_OVERHEAD_BYTES);
			break;
		default:
			drops_count(&worker->drops, drop_record(RECORD_DROP_UNKNOWN), 1);
			break;
		}
	}
	if (carried)
		note_carried(worker, session, lane);
	else if (!parting && __atomic_load_n(&session->peer->said_goodbye, __ATOMIC_RELAXED))
		dispatch_stir(worker, session->peer); /* it is back */
}

/* ---- datagrams --------------------------------------------------------------------------------------------- */

struct source {
	const struct underlay_message *message;
	struct endpoint endpoint; /* read from the message once it is needed */
	bool known;
};

/* The newest datagram came from elsewhere than where we send to, or to another of our addresses: the control thread decides */
static void note_source(struct worker *worker, const struct session *session, struct lane_rx *rx, struct source *source)
{
	const struct path *path = rcu_get(&session->peer->path);

	if (!source->known) {
		if (!endpoint_from_sockaddr(source->message->from, source->message->from_bytes, &source->endpoint))
			return;
		if (source->message->local_ip)
			memcpy(source->endpoint.local_ip, source->message->local_ip, IP_BYTES);
		source->known = true;
	}
	if (path && endpoint_equal(&path->endpoint, &source->endpoint) &&
		endpoint_same_local(&path->endpoint, &source->endpoint))
		return;
	if (rx->roam_mailed.ns && instant_since_ms(worker->now, rx->roam_mailed) < ROAM_MAIL_MS)
		return;
	if (worker_mail(worker,
		    &(struct mail){ .kind = MAIL_ROAMED, .session = session->index, .from = source->endpoint }))
		rx->roam_mailed = worker->now;
}

static void note_confirmed(struct worker *worker, const struct session *session, struct lane_rx *rx)
{
	if (!__atomic_load_n(&session->confirmed, __ATOMIC_RELAXED) && !rx->confirm_mailed)
		rx->confirm_mailed =
			worker_mail(worker, &(struct mail){ .kind = MAIL_CONFIRMED, .session = session->index });
}

static void take_datagram(struct worker *worker, uint8_t *datagram, size_t bytes, struct source *source)
{
	struct drops *drops = &worker->drops;
	struct gre header;
	enum gre_result decoded = gre_decode(datagram, bytes, &header);
	struct session *session;
	struct lane_rx *rx;
	enum drop drop;
	bool newest;

	if (decoded == GRE_OK && header.protocol != GRE_PROTOCOL_SEALED)
		decoded = GRE_DROP_PROTOCOL;
	if (decoded != GRE_OK) {
		drops_count(drops, drop_gre(decoded), 1);
		return;
	}
	session = session_lookup(&worker->datapath->sessions, header.session);
	if (!session) {
		drops_count(drops, DROP_SESSION_UNKNOWN, 1);
		return;
	}
	if (header.lane % worker->datapath->workers_count != worker->id) {
		drops_count(drops, header.lane < session->rx_lanes ? DROP_LANE_FOREIGN : DROP_LANE_UNKNOWN, 1);
		return;
	}
	if (!session_open(session, &header, datagram, bytes, worker->now, &newest, &drop)) {
		drops_count(drops, drop, 1);
		return;
	}
	rx = &session->rx[header.lane];
	note_confirmed(worker, session, rx);
	if (newest && header.lane == 0) /* the others come from ports that only send */
		note_source(worker, session, rx, source);
	take_records(worker, session, header.lane, datagram + GRE_HEADER_BYTES, bytes - TRAIN_OVERHEAD_BYTES);
}

static void take_message(struct worker *worker, const struct underlay_message *message)
{
	struct source source = { .message = message };

	if (message->cut) {
		drops_count(&worker->drops, DROP_UDP_TRUNCATED, 1);
		return;
	}
	if (message->len_bytes == 0)
		drops_count(&worker->drops, drop_gre(GRE_DROP_SHORT), 1);
	for (uint32_t at = 0; at < message->len_bytes; at += message->segment_bytes) {
		const uint32_t left = message->len_bytes - at;

		take_datagram(worker, message->bytes + at,
			left < message->segment_bytes ? left : message->segment_bytes, &source);
	}
}

/* ---- bursts ------------------------------------------------------------------------------------------------ */

/*
 * Long trains: few at a time, while they are in the cache.  Many single datagrams: many at a time, to save system calls.  Few:
 * few, since each message that is asked for takes its time to set up.
 */
static void adapt(struct worker *worker, const struct underlay_message *messages, uint32_t received)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < received; i++)
		bytes += messages[i].len_bytes;
	worker->receive_count = bytes / received > 8192 || received < RECEIVE_FEW ? RECEIVE_FEW : UNDERLAY_RECEIVE_MAX;
}

void receive_ready(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	struct underlay_message messages[UNDERLAY_RECEIVE_MAX];

	(void)fd;
	(void)what;
	for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
		const uint32_t asked = worker->receive_count;
		const uint32_t received = underlay_receive(worker->datapath->underlay, worker->id, messages, asked);

		if (received == 0)
			return;
		burst_begin(worker);
		if (instant_reached(worker->now, worker->expire_at)) {
			reassembly_expire(&worker->reassembler, worker->now);
			worker->expire_at = instant_add_ms(worker->now, EXPIRE_MS);
		}
		for (uint32_t i = 0; i < received; i++)
			take_message(worker, &messages[i]);
		burst_end(worker);
		adapt(worker, messages, received);
		if (received < asked)
			return;
	}
}
