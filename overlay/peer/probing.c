/*
 * probing.c - see probing.h
 */
#include "overlay/peer/probing.h"

#include "crypto/ratelimit.h"
#include "encap/gre.h"
#include "overlay/peer/peer.h"

#include <assert.h>
#include <string.h>

/* More than path MTU searches and keepalives want */
static const struct ratelimit_rate ack_rate = { .per_second = 100, .burst = 50 };

enum seal_result probing_seal(struct session *session, uint32_t sender, uint32_t lane, const struct probe *probe,
	uint8_t *datagram)
{
	const struct record record = { .type = RECORD_PROBE };
	uint8_t *plain = datagram + GRE_HEADER_BYTES;
	size_t plain_bytes = probe->datagram_bytes - TRAIN_OVERHEAD_BYTES;

	assert(probe->datagram_bytes >= PROBING_MIN_BYTES);
	memset(plain, 0, plain_bytes);
	(void)record_encode(&record, plain);
	probe_encode(probe, plain + RECORD_HEADER_BYTES);
	return session_seal(session, sender, lane, datagram, plain, plain_bytes);
}

static enum probing_result take_ack(struct session *session, uint32_t lane, const struct probe *probe,
	struct instant now, struct probing *out)
{
	struct peer *peer = session->peer;

	if (probe->flags & PROBE_FLAG_FLOW) {
		if (probe->token >= counter_read(&peer->flow_epoch_ns) && probe->token <= now.ns)
			counter_set(&peer->flow_answered_ns[probe->token % SESSION_LANES_MAX], now.ns);
		return PROBING_FLOW_ACK;
	}
	if (!ratelimit_bucket_take(&session->rx[lane].probe_acks, ack_rate, now))
		return PROBING_RATE;
	out->token = probe->token;
	out->bytes = probe->flags & PROBE_FLAG_MTU ? probe->datagram_bytes : 0;
	return PROBING_ACK;
}

enum probing_result probing_take(struct session *session, uint32_t lane, const struct record *record,
	size_t datagram_bytes, struct instant now, struct probing *out)
{
	struct probe probe;

	if (!probe_decode(record->body, record->body_bytes, &probe))
		return PROBING_MALFORMED;
	if (record->type == RECORD_PROBE_ACK)
		return take_ack(session, lane, &probe, now, out);
	probe.datagram_bytes = (uint16_t)datagram_bytes;
	probe_encode(&probe, out->answer + RECORD_MAX_HEADER_BYTES);
	return PROBING_ANSWER;
}
