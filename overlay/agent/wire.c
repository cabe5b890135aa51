/*
 * wire.c - see wire.h
 */
#include "overlay/agent/wire.h"

#include "base/random.h"
#include "encap/gre.h"
#include "overlay/datapath/worker.h"
#include "underlay/addresses.h"
#include "underlay/route.h"

#include <string.h>
#include <time.h>

#define DATAGRAMS_A_TURN 64U
#define DATAGRAM_MAX_BYTES (GRE_HEADER_BYTES + HANDSHAKE_BODY_MAX_BYTES + 1U) /* a longer one shows that it is */

/* ---- what the overlay asks for ----------------------------------------------------------------------------- */

static int send_datagram(void *ctx, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	struct agent *agent = ctx;

	return underlay_control_send(agent->datapath.underlay, to, bytes, len_bytes);
}

static void draw(void *ctx, void *out, size_t len_bytes)
{
	(void)ctx;
	random_fill(out, len_bytes);
}

static struct tai64n timestamp(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &ts);
	return tai64n_from_unix(ts.tv_sec, (uint32_t)ts.tv_nsec);
}

static uint32_t mtu_of_route(void *ctx, const struct endpoint *to)
{
	struct agent *agent = ctx;

	return route_mtu(agent->routes, to, agent->now);
}

static uint32_t mtu_of_device(void *ctx, const struct endpoint *to)
{
	struct agent *agent = ctx;

	return route_device_mtu(agent->routes, to, agent->now);
}

static bool has_address(void *ctx, const uint8_t ip[IP_BYTES])
{
	struct agent *agent = ctx;

	return addresses_has(agent->addresses, ip);
}

static void answered(void *ctx, const struct peer *peer, uint64_t token)
{
	struct agent *agent = ctx;

	core_answered(agent->core, peer, token, agent->now);
}

bool wire_start(struct agent *agent)
{
	static const struct overlay_ops ops = {
		.send = send_datagram,
		.random = draw,
		.timestamp = timestamp,
		.route_mtu = mtu_of_route,
		.device_mtu = mtu_of_device,
		.has_address = has_address,
		.answered = answered,
	};
	struct overlay_config config = {
		.ops = &ops,
		.ctx = agent,
		.self = &agent->config.self,
		.sessions = &agent->datapath.sessions,
		.workers = agent->datapath.workers_count,
		.time_scale = agent->datapath.time_scale,
		.port = agent->datapath.underlay->port,
		.family = agent->datapath.underlay->family,
	};

	memcpy(config.backends, agent->backends, sizeof(config.backends));
	return overlay_init(&agent->overlay, &config);
}

/* ---- what it is told --------------------------------------------------------------------------------------- */

void wire_ready(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	agent->now = instant_now();
	for (uint32_t i = 0; i < DATAGRAMS_A_TURN; i++) {
		uint8_t datagram[DATAGRAM_MAX_BYTES];
		struct endpoint from;
		int len = underlay_control_receive(agent->datapath.underlay, datagram, sizeof(datagram), &from);

		if (len < 0)
			break;
		overlay_handshake_datagram(&agent->overlay, datagram, (size_t)len, &from, agent->now);
	}
}

static void take(struct agent *agent, const struct mail *mail)
{
	struct overlay *overlay = &agent->overlay;

	switch ((enum mail_kind)mail->kind) {
	case MAIL_CONFIRMED:
		overlay_confirmed(overlay, mail->session, agent->now);
		break;
	case MAIL_ROAMED:
		overlay_roamed(overlay, mail->session, &mail->from, agent->now);
		break;
	case MAIL_WANT_SESSION:
		overlay_wanted(overlay, mail->peer, agent->now);
		break;
	case MAIL_STIRRED:
		overlay_stirred(overlay, mail->peer, agent->now);
		break;
	case MAIL_GOODBYE:
		overlay_goodbye(overlay, mail->session, agent->now);
		break;
	case MAIL_REKEY:
		overlay_worn(overlay, mail->session, agent->now);
		break;
	case MAIL_PROBE_ACK:
		overlay_probe_acked(overlay, mail->session, mail->token, mail->bytes, agent->now);
		break;
	case MAIL_TOO_BIG:
		overlay_too_big(overlay, mail->peer, mail->bytes, agent->now);
		break;
	case MAIL_DECLARED:
		core_declared(agent->core, mail->port,
			&(struct fdb_key){ .network = mail->network, .vlan = mail->vlan, .mac = mail->mac },
			agent->now);
		break;
	case MAIL_PORT_GONE:
		core_port_gone(agent->core, mail->port);
		break;
	}
}

void wire_take_mail(struct agent *agent)
{
	for (uint32_t i = 0; i < agent->datapath.workers_count; i++) {
		struct mail mail;

		/* What comes meanwhile has woken us anew: a worker with much to say must not keep us here */
		for (uint32_t n = 0; n < MAILBOX_SLOTS && mailbox_take(&agent->datapath.workers[i]->mailbox, &mail);
			n++)
			take(agent, &mail);
	}
}
