/*
 * dispatch.c - records for peers become datagram trains, sealed and sent
 *
 * Between transmit.c (frames) or receive.c (answers to probes) and the underlay.  A peer's records of one burst go
 * into its train (encap/train.h), sealed as it fills: a record that has a datagram to itself is sealed from where it is
 * straight into the train, small ones are bundled.  dispatch_flush() hands all trains to the underlay in one burst.
 */
#include "overlay/datapath/dispatch.h"

#include "base/rcu.h"
#include "encap/gre.h"
#include "encap/record.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/worker.h"
#include "overlay/peer/probing.h"

#include <string.h>

#define WANT_SESSION_MS 200U
#define FLOW_ASK_MS 400U
#define FLOW_PATIENCE_MS 1500U
#define FLOW_PAUSE_MS 10U

/* ---- trains ------------------------------------------------------------------------------------------------ */

static bool seal(struct worker *worker, struct dispatch *dispatch, uint8_t *datagram, const uint8_t *plain,
	size_t plain_bytes)
{
	switch (session_seal(dispatch->session, worker->id, dispatch->lane, datagram, plain, plain_bytes)) {
	case SEAL_OK:
		return true;
	case SEAL_EXHAUSTED:
		drops_count(&worker->drops, DROP_LANE_EXHAUSTED, 1);
		return false;
	case SEAL_FAILED:
		break;
	}
	drops_count(&worker->drops, DROP_SEAL_FAILED, 1);
	return false;
}

static void close_open(struct worker *worker, struct dispatch *dispatch)
{
	uint32_t plain_bytes;
	uint8_t *datagram = train_open(&dispatch->train, &plain_bytes);

	if (!datagram)
		return;
	if (seal(worker, dispatch, datagram, datagram + TRAIN_HEADER_BYTES, plain_bytes))
		train_close(&dispatch->train);
	else
		train_abandon(&dispatch->train);
}

static void begin_train(struct worker *worker, struct dispatch *dispatch, uint32_t index)
{
	train_begin(&dispatch->train, worker->train_memory + (size_t)index * TRAIN_BYTES_MAX,
		dispatch->path->datagram_bytes,
		underlay_takes_trains(worker->datapath->underlay, worker->id) ? TRAIN_DATAGRAMS_MAX : 1);
}

/* ---- lanes ------------------------------------------------------------------------------------------------- */

/*
 * Does the flow of our own lane get through?  The peer's answer comes to receive.c, whichever worker gets it.  Asked in full
 * size, since routers may send this flow over other links than those that the path's MTU was found on.
 */
static void ask_flow(struct worker *worker, const struct dispatch *dispatch)
{
	const uint32_t datagram_bytes = dispatch->path->datagram_bytes;
	uint8_t datagram[PMTU_MAX_MTU];
	const struct probe probe = {
		.flags = PROBE_FLAG_FLOW,
		.token = flow_token(worker->now, worker->id),
		.datagram_bytes = (uint16_t)datagram_bytes,
	};
	struct underlay_train question = {
		.bytes = datagram,
		.len_bytes = datagram_bytes,
		.segment_bytes = datagram_bytes,
		.to = (const struct sockaddr *)&dispatch->path->sa,
		.to_bytes = dispatch->path->sa_bytes,
		.local_ip = dispatch->path->endpoint.local_ip,
		.own_flow = true,
	};

	if (probing_seal(dispatch->session, worker->id, worker->id, &probe, datagram) == SEAL_OK)
		underlay_send(worker->datapath->underlay, worker->id, &question, 1);
}

/*
 * Each worker but the first has a lane and a UDP flow of its own, so that network cards and kernels spread them over queues and
 * cores.  A firewall or NAT may only let the main flow pass, so an own lane is used once its flow was answered, for as long as
 * no question stays open for FLOW_PATIENCE_MS; otherwise lane 0 in the main flow serves.
 */
static uint32_t best_lane(struct worker *worker, const struct dispatch *dispatch, struct flow_question *question)
{
	const struct instant answered = { counter_read(&dispatch->peer->flow_answered_ns[worker->id]) };

	if (instant_since_ms(worker->now, question->last) >= FLOW_ASK_MS) {
		if (instant_reached(answered, question->last))
			question->open_since = worker->now;
		question->last = worker->now;
		ask_flow(worker, dispatch);
	}
	if (!answered.ns)
		return 0;
	return instant_reached(answered, question->open_since) ||
			instant_since_ms(worker->now, question->open_since) < FLOW_PATIENCE_MS
		? worker->id
		: 0;
}

/*
 * What is under way in one lane and what follows in another may overtake each other.  So a change for the better waits for a
 * pause in what goes to the peer, though not for ever.
 */
static uint32_t choose_lane(struct worker *worker, const struct dispatch *dispatch)
{
	struct flow_question *question = &worker->peers[dispatch->peer->slot].question;
	uint32_t best;

	if (worker->id == 0)
		return 0;
	best = best_lane(worker, dispatch, question);
	if (best == question->lane)
		question->better_since = worker->now;
	if (best == 0 || instant_since_ms(worker->now, question->sent) >= FLOW_PAUSE_MS ||
		instant_since_ms(worker->now, question->better_since) >= FLOW_PATIENCE_MS)
		question->lane = best;
	question->sent = worker->now;
	return question->lane;
}

void dispatch_stir(struct worker *worker, struct peer *peer)
{
	if (!__atomic_load_n(&peer->quiet, __ATOMIC_RELAXED) ||
		!__atomic_exchange_n(&peer->quiet, false, __ATOMIC_RELAXED))
		return;
	if (!worker_mail(worker, &(struct mail){ .kind = MAIL_STIRRED, .peer = peer->slot }))
		__atomic_store_n(&peer->quiet, true, __ATOMIC_RELAXED);
}

static enum drop why_not(const struct peer *peer, const struct session *session, const struct path *path)
{
	if (session && path)
		return DROP_SESSION_EXPIRED;
	return __atomic_load_n(&peer->said_goodbye, __ATOMIC_RELAXED) ? DROP_PEER_GOODBYE : DROP_NO_SESSION;
}

/* Return: false where it cannot be sent to: counted, and a session asked for */
static bool can_send(struct worker *worker, const struct peer *peer, const struct session *session,
	const struct path *path)
{
	struct worker_peer *state = &worker->peers[peer->slot];

	if (session && path && !instant_reached(worker->now, session->reject_after))
		return true;
	drops_count(&worker->drops, why_not(peer, session, path), 1);
	if (instant_since_ms(worker->now, state->wanted_at) >= WANT_SESSION_MS) {
		state->wanted_at = worker->now;
		(void)worker_mail(worker, &(struct mail){ .kind = MAIL_WANT_SESSION, .peer = peer->slot });
	}
	return false;
}

struct dispatch *dispatch_for(struct worker *worker, struct peer *peer)
{
	struct session *session;
	const struct path *path;
	struct dispatch *dispatch;
	uint32_t index;

	if (peer->slot >= worker->peers_capacity) { /* there was no memory for so many */
		drops_count(&worker->drops, DROP_NO_SESSION, 1);
		return NULL;
	}
	index = worker->peers[peer->slot].dispatch;
	if (index)
		return &worker->dispatches[index - 1];
	session = rcu_get(&peer->sending);
	path = rcu_get(&peer->path);
	if (!can_send(worker, peer, session, path))
		return NULL;
	dispatch_stir(worker, peer);
	if (worker->dispatches_count == DISPATCHES_MAX)
		dispatch_flush(worker);
	index = worker->dispatches_count++;
	worker->peers[peer->slot].dispatch = (uint8_t)(index + 1);
	dispatch = &worker->dispatches[index];
	*dispatch = (struct dispatch){ .peer = peer, .session = session, .path = path };
	dispatch->lane = choose_lane(worker, dispatch);
	begin_train(worker, dispatch, index);
	return dispatch;
}

/* The peer's latest train is full: go on in a new one */
static struct dispatch *dispatch_next(struct worker *worker, struct dispatch *full)
{
	struct peer *peer = full->peer;
	size_t gathered = 0;

	close_open(worker, full);
	for (uint32_t i = 0; i < worker->dispatches_count; i++)
		gathered += worker->dispatches[i].train.used_bytes;
	if (gathered >= DISPATCH_BYTES)
		dispatch_flush(worker);
	worker->peers[peer->slot].dispatch = 0;
	return dispatch_for(worker, peer);
}

/* A record that has a datagram to itself, sealed from where it is */
static void put_alone(struct worker *worker, struct dispatch *dispatch, const struct record *record)
{
	size_t header_bytes = record_header_bytes(record->flags);
	uint32_t plain_bytes = (uint32_t)(header_bytes + record->body_bytes);
	uint8_t *plain = record->body - header_bytes, *datagram;
	struct train before;

	close_open(worker, dispatch);
	before = dispatch->train;
	datagram = train_place(&dispatch->train, plain_bytes + TRAIN_OVERHEAD_BYTES);
	if (!datagram) {
		dispatch = dispatch_next(worker, dispatch);
		if (!dispatch)
			return;
		before = dispatch->train;
		datagram = train_place(&dispatch->train, plain_bytes + TRAIN_OVERHEAD_BYTES);
	}
	if (!datagram) { /* the path has shrunk since the record was cut */
		drops_count(&worker->drops, DROP_UDP_TOO_BIG, 1);
		return;
	}
	(void)record_encode(record, plain);
	if (!seal(worker, dispatch, datagram, plain, plain_bytes))
		dispatch->train = before;
}

/* A record that others may follow in the same datagram: copied */
static void put_bundled(struct worker *worker, struct dispatch *dispatch, struct record *record)
{
	size_t header_bytes;
	uint8_t *at;

	record->flags |= RECORD_FLAG_LENGTH;
	header_bytes = record_header_bytes(record->flags);
	at = train_record(&dispatch->train, (uint32_t)(header_bytes + record->body_bytes));
	if (!at) {
		close_open(worker, dispatch);
		at = train_record(&dispatch->train, (uint32_t)(header_bytes + record->body_bytes));
	}
	if (!at) {
		dispatch = dispatch_next(worker, dispatch);
		if (!dispatch)
			return;
		at = train_record(&dispatch->train, (uint32_t)(header_bytes + record->body_bytes));
	}
	if (!at) { /* the path has shrunk since the record was cut */
		drops_count(&worker->drops, DROP_UDP_TOO_BIG, 1);
		return;
	}
	(void)record_encode(record, at);
	memcpy(at + header_bytes, record->body, record->body_bytes);
}

void dispatch_record(struct worker *worker, struct dispatch *dispatch, struct record *record)
{
	size_t room = dispatch->train.limit_bytes - TRAIN_OVERHEAD_BYTES;

	dispatch->carries |= record->type == RECORD_FRAME || record->type == RECORD_FRAGMENT;
	if (2 * (record->body_bytes + RECORD_MAX_HEADER_BYTES) > room)
		put_alone(worker, dispatch, record);
	else
		put_bundled(worker, dispatch, record);
}

/* ---- sending ----------------------------------------------------------------------------------------------- */

static struct underlay_train as_train(const struct dispatch *dispatch)
{
	return (struct underlay_train){
		.bytes = dispatch->train.bytes,
		.len_bytes = dispatch->train.used_bytes,
		.segment_bytes = dispatch->train.segment_bytes,
		.to = (const struct sockaddr *)&dispatch->path->sa,
		.to_bytes = dispatch->path->sa_bytes,
		.local_ip = dispatch->path->endpoint.local_ip,
		.own_flow = dispatch->lane != 0,
	};
}

static void count_refused(struct worker *worker, const struct dispatch *dispatch, const struct underlay_train *train)
{
	drops_count(&worker->drops, DROP_UDP_FULL, train->full);
	drops_count(&worker->drops, DROP_UDP_ERROR, train->failed);
	drops_count(&worker->drops, DROP_UDP_TOO_BIG, train->too_big);
	if (train->too_big)
		(void)worker_mail(worker,
			&(struct mail){ .kind = MAIL_TOO_BIG,
				.peer = dispatch->peer->slot,
				.bytes = train->segment_bytes });
}

static void send_all(struct worker *worker, struct dispatch **dispatches, struct underlay_train *trains, uint32_t count)
{
	underlay_send(worker->datapath->underlay, worker->id, trains, count);
	for (uint32_t i = 0; i < count; i++)
		if (trains[i].full | trains[i].failed | trains[i].too_big)
			count_refused(worker, dispatches[i], &trains[i]);
}

static void ask_rekey(struct worker *worker, struct session *session)
{
	struct sender *sender = &session->senders[worker->id];

	if (!sender->rekey_mailed)
		sender->rekey_mailed =
			worker_mail(worker, &(struct mail){ .kind = MAIL_REKEY, .session = session->index });
}

void dispatch_flush(struct worker *worker)
{
	struct underlay_train trains[DISPATCHES_MAX];
	struct dispatch *sending[DISPATCHES_MAX];
	uint32_t count = 0;

	if (worker->dispatches_count == 0)
		return;
	for (uint32_t i = 0; i < worker->dispatches_count; i++) {
		struct dispatch *dispatch = &worker->dispatches[i];

		close_open(worker, dispatch);
		worker->peers[dispatch->peer->slot].dispatch = 0;
		if (dispatch->train.datagrams == 0)
			continue;
		if (dispatch->carries)
			counter_set(&dispatch->session->senders[worker->id].carried_ns, worker->now.ns);
		if (session_is_worn(dispatch->session, worker->id))
			ask_rekey(worker, dispatch->session);
		trains[count] = as_train(dispatch);
		sending[count++] = dispatch;
	}
	worker->dispatches_count = 0;
	if (count)
		send_all(worker, sending, trains, count);
}
