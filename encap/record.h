/*
 * record.h - what a sealed datagram carries: one record after another
 *
 * Layout: encap/PROTOCOL.md section 4.  A pure codec over the opened plaintext; bodies are read by those whose they
 * are (fragment.h, probe.h, a frame by frame.h).  Several records in one datagram are a bundle; there is nothing
 * else to a bundle than record_encode() after record_encode(), all but the last with RECORD_FLAG_LENGTH.
 */
#ifndef ENCAP_RECORD_H
#define ENCAP_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER_BYTES 4U     /* without the optional fields */
#define RECORD_MAX_HEADER_BYTES 8U /* with all of them */
#define RECORD_NETWORK_MAX 0xffffffU

enum record_type {
	RECORD_PADDING = 0,
	RECORD_FRAME = 1,
	RECORD_FRAGMENT = 2,
	RECORD_PROBE = 3,
	RECORD_PROBE_ACK = 4,
	RECORD_NOTIFY = 5,
	RECORD_TRACE = 6,
};

enum record_flag {
	RECORD_FLAG_LENGTH = 0x8,  /* L: a length follows; without it the body runs to the datagram's end */
	RECORD_FLAG_PARTIAL = 0x4, /* P: the TCP or UDP checksum is still to be computed */
	RECORD_FLAG_GSO = 0x2,     /* G: the guest's segment size follows, and this frame is larger */
	RECORD_FLAGS_KNOWN = 0xe,
};

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define RECORD_DROPS(X)                                                                                         \
	X(TRUNCATED, "record-truncated",                                                                        \
		"A sealed datagram of a peer ended in the middle of a record. Run the same version of weft on " \
		"all hosts; if that is so already, please report it.")                                          \
	X(UNKNOWN, "record-unknown",                                                                            \
		"A record of a kind that this version does not know was passed over. The peer is newer: bring " \
		"this host up to the same version.")

enum record_result {
	RECORD_OK,
	RECORD_END, /* no record is left: not a drop */
#define X(name, text, why) RECORD_DROP_##name,
	RECORD_DROPS(X)
#undef X
		RECORD_RESULTS
};

struct record {
	uint8_t type;       /* enum record_type */
	uint8_t flags;      /* enum record_flag */
	uint16_t gso_bytes; /* with RECORD_FLAG_GSO, else 0 */
	uint32_t network;   /* 24 bits */
	uint8_t *body;      /* within the plaintext */
	size_t body_bytes;
};

struct record_reader {
	uint8_t *at;
	size_t left_bytes;
};

/* Return: the bytes in front of the body, 4 to 8 */
static inline size_t record_header_bytes(uint8_t flags)
{
	return RECORD_HEADER_BYTES + ((flags & RECORD_FLAG_LENGTH) ? 2U : 0U) + ((flags & RECORD_FLAG_GSO) ? 2U : 0U);
}

/**
 * record_encode() - write a record's header, by its type, flags, network, and by gso_bytes and body_bytes if flagged
 * @out:	room for record_header_bytes(@record->flags); the body belongs right behind
 *
 * Return: the bytes written
 */
size_t record_encode(const struct record *record, uint8_t *out);

/* @plain is borrowed for as long as the records are */
static inline struct record_reader record_reader_init(uint8_t *plain, size_t len_bytes)
{
	return (struct record_reader){ .at = plain, .left_bytes = len_bytes };
}

/**
 * record_next() - take the next record; padding is passed over in silence
 * @out:	written only on RECORD_OK
 *
 * Return: RECORD_OK, RECORD_END, RECORD_DROP_UNKNOWN (a type or flag of a newer version: skipped, call again), or
 * RECORD_DROP_TRUNCATED (the rest cannot be read: the next call yields RECORD_END)
 */
enum record_result record_next(struct record_reader *reader, struct record *out) __attribute__((warn_unused_result));

#endif /* ENCAP_RECORD_H */
