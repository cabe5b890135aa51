/*
 * tai64n.h - the timestamp inside an initiation, and the memory of the greatest one seen
 *
 * TAI64N as WireGuard uses it: 8 bytes of seconds, 4 of nanoseconds, both big-endian, so that memcmp()
 * orders them.  Only order matters; leap seconds are ignored.
 */
#ifndef CRYPTO_TAI64N_H
#define CRYPTO_TAI64N_H

#include <stdbool.h>
#include <stdint.h>

#define TAI64N_BYTES 12U

struct tai64n {
	uint8_t bytes[TAI64N_BYTES]; /* all zero is before every real time */
};

/* @unix_s: of the real-time clock, not negative; @ns: below 1e9 */
struct tai64n tai64n_from_unix(int64_t unix_s, uint32_t ns);

/* Return: negative, 0 or positive, as memcmp() */
int tai64n_compare(const struct tai64n *a, const struct tai64n *b);

/**
 * tai64n_next() - a timestamp for the next initiation to a peer
 * @last:	the last one given out; updated.  Zero at first.
 * @now:	of the clock, which may have been set back
 *
 * Return: @now, or the very next after @last where that is later
 */
struct tai64n tai64n_next(struct tai64n *last, struct tai64n now);

/**
 * tai64n_accept() - the receiver's side: is this initiation newer than all before it?
 * @greatest:	per peer; updated where the answer is yes.  Zero at first.
 * @received:	out of an initiation that was authentic
 *
 * Return: false for a replay
 */
bool tai64n_accept(struct tai64n *greatest, const struct tai64n *received) __attribute__((warn_unused_result));

#endif /* CRYPTO_TAI64N_H */
