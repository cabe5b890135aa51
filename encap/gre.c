/*
 * gre.c - see gre.h
 */
#include "encap/gre.h"

#include <assert.h>

#include "base/cursor.h"

/* RFC 2890: K and S, nothing else, version 0 */
#define FLAGS_KEY_SEQUENCE 0x3000U

enum gre_result gre_decode(const uint8_t *bytes, size_t len_bytes, struct gre *out)
{
	struct rd r = rd_init(bytes, len_bytes);
	uint16_t flags = rd_u16(&r), protocol = rd_u16(&r);
	uint32_t session = rd_u24(&r);
	uint8_t lane = rd_u8(&r);
	uint32_t counter = rd_u32(&r);

	if (!rd_ok(&r))
		return GRE_DROP_SHORT;
	if (flags != FLAGS_KEY_SEQUENCE)
		return GRE_DROP_FLAGS;
	if (protocol != GRE_PROTOCOL_SEALED && protocol != GRE_PROTOCOL_HANDSHAKE)
		return GRE_DROP_PROTOCOL;
	*out = (struct gre){ .protocol = protocol, .session = session, .lane = lane, .counter = counter };
	return GRE_OK;
}

void gre_encode(const struct gre *gre, uint8_t out[GRE_HEADER_BYTES])
{
	struct wr w = wr_init(out, GRE_HEADER_BYTES);

	assert(gre->session <= GRE_SESSION_MAX);
	wr_u16(&w, FLAGS_KEY_SEQUENCE);
	wr_u16(&w, gre->protocol);
	wr_u24(&w, gre->session);
	wr_u8(&w, gre->lane);
	wr_u32(&w, gre->counter);
}
