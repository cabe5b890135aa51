/*
 * probe.c - see probe.h
 */
#include "encap/probe.h"

#include "base/cursor.h"

void probe_encode(const struct probe *probe, uint8_t out[PROBE_BODY_BYTES])
{
	struct wr w = wr_init(out, PROBE_BODY_BYTES);

	wr_u8(&w, probe->flags);
	wr_u64(&w, probe->token);
	wr_u16(&w, probe->datagram_bytes);
}

bool probe_decode(const uint8_t *body, size_t len_bytes, struct probe *out)
{
	struct rd r = rd_init(body, len_bytes);

	out->flags = rd_u8(&r);
	out->token = rd_u64(&r);
	out->datagram_bytes = rd_u16(&r);
	return rd_ok(&r);
}
