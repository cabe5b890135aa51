/*
 * notify.c - see notify.h
 */
#include "encap/notify.h"

#include "base/cursor.h"

void notify_encode(const struct notify *notify, uint8_t out[NOTIFY_GOODBYE_BYTES])
{
	struct wr w = wr_init(out, NOTIFY_GOODBYE_BYTES);

	wr_u8(&w, notify->kind);
	wr_u8(&w, notify->reason);
}

bool notify_decode(const uint8_t *body, size_t len_bytes, struct notify *out)
{
	struct rd r = rd_init(body, len_bytes);

	*out = (struct notify){ .kind = rd_u8(&r) };
	if (out->kind == NOTIFY_GOODBYE)
		out->reason = rd_u8(&r);
	return rd_ok(&r);
}
