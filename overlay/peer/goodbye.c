/*
 * goodbye.c - see goodbye.h
 */
#include "overlay/peer/goodbye.h"

#include "crypto/ratelimit.h"
#include "encap/gre.h"
#include "encap/train.h"

#define DATAGRAM_BYTES (TRAIN_OVERHEAD_BYTES + RECORD_HEADER_BYTES + NOTIFY_GOODBYE_BYTES)

static const struct ratelimit_rate notice_rate = { .per_second = 10, .burst = 10 };

static void send_in(struct overlay *overlay, struct session *session, const struct endpoint *to,
	enum notify_reason reason)
{
	const struct record record = { .type = RECORD_NOTIFY };
	const struct notify notify = { .kind = NOTIFY_GOODBYE, .reason = (uint8_t)reason };
	uint8_t datagram[DATAGRAM_BYTES], *plain = datagram + GRE_HEADER_BYTES;

	if (!session || !session->confirmed || instant_reached(overlay->now, session->reject_after))
		return;
	(void)record_encode(&record, plain);
	notify_encode(&notify, plain + RECORD_HEADER_BYTES);
	if (session_seal(session, overlay->config.workers, 0, datagram, plain,
		    RECORD_HEADER_BYTES + NOTIFY_GOODBYE_BYTES) == SEAL_OK)
		(void)overlay_send(overlay, to, datagram, sizeof(datagram));
	else
		drops_count(&overlay->drops, DROP_SEAL_FAILED, 1);
}

void goodbye_send(struct overlay *overlay, const struct peer *peer, enum notify_reason reason)
{
	if (!peer->path || peer->contact.goodbye_at.ns)
		return;
	for (uint32_t i = PEER_PREVIOUS; i > 0; i--)
		send_in(overlay, peer->previous[i - 1], &peer->path->endpoint, reason);
	send_in(overlay, peer->current, &peer->path->endpoint, reason);
}

enum goodbye_result goodbye_take(struct session *session, uint32_t lane, const struct record *record,
	struct instant now)
{
	struct notify notify;

	if (!notify_decode(record->body, record->body_bytes, &notify))
		return GOODBYE_MALFORMED;
	if (notify.kind != NOTIFY_GOODBYE)
		return GOODBYE_OTHER;
	return ratelimit_bucket_take(&session->rx[lane].notices, notice_rate, now) ? GOODBYE_SAID : GOODBYE_RATE;
}
