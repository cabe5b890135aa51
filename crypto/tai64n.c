/*
 * tai64n.c - see tai64n.h
 */
#include "crypto/tai64n.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

#define TAI64_EPOCH 0x400000000000000aULL /* 1970 as TAI64, ten leap seconds in */
#define NS_PER_S 1000000000U

static struct tai64n encode(uint64_t s, uint32_t ns)
{
	struct tai64n out;
	struct wr w = wr_init(out.bytes, sizeof(out.bytes));

	wr_u64(&w, s);
	wr_u32(&w, ns);
	return out;
}

struct tai64n tai64n_from_unix(int64_t unix_s, uint32_t ns)
{
	assert(unix_s >= 0 && ns < NS_PER_S);
	return encode(TAI64_EPOCH + (uint64_t)unix_s, ns);
}

int tai64n_compare(const struct tai64n *a, const struct tai64n *b)
{
	return memcmp(a->bytes, b->bytes, TAI64N_BYTES);
}

struct tai64n tai64n_next(struct tai64n *last, struct tai64n now)
{
	if (tai64n_compare(&now, last) > 0) {
		*last = now;
	} else {
		struct rd r = rd_init(last->bytes, sizeof(last->bytes));
		uint64_t s = rd_u64(&r);
		uint32_t ns = rd_u32(&r) + 1;

		*last = ns < NS_PER_S ? encode(s, ns) : encode(s + 1, 0);
	}
	return *last;
}

bool tai64n_accept(struct tai64n *greatest, const struct tai64n *received)
{
	if (tai64n_compare(received, greatest) <= 0)
		return false;
	*greatest = *received;
	return true;
}
