/*
 * train.h - datagrams for one peer, laid out for one sendmsg() with UDP_SEGMENT
 *
 * Theory of operation: a train is a run of datagrams of one size in one buffer; only the last may be shorter,
 * since that is what UDP_SEGMENT can send and UDP_GRO can receive.  A datagram gets into it in one of two ways:
 *
 *   train_place()	one record whose length is known, sealed by the caller straight into its place;
 *   train_record()	a bundle: records are appended to an open datagram until the next does not fit.  The
 *			caller seals an open datagram in place, then calls train_close().
 *
 * A place that cannot be had (NULL) means: close what is open, and if that does not help, send this train and
 * begin the next.  Nothing here waits: when the caller has no more frames at hand it closes and sends.
 * To keep the sizes equal, a bundle that ends little below the train's size is filled up with zeros, which
 * PROTOCOL.md section 4 calls padding.  Knows no keys and no sockets; one owner thread; no allocation.
 */
#ifndef ENCAP_TRAIN_H
#define ENCAP_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sealed datagram's bytes around its records: GRE header before, AEAD tag behind */
#define TRAIN_HEADER_BYTES 12U
#define TRAIN_TAG_BYTES 16U
#define TRAIN_OVERHEAD_BYTES (TRAIN_HEADER_BYTES + TRAIN_TAG_BYTES)

#define TRAIN_DATAGRAMS_MAX 64U /* UDP_MAX_SEGMENTS of the oldest kernels that have UDP_SEGMENT */
#define TRAIN_BYTES_MAX 65000U  /* below the 65,507 that one IPv4 sendmsg() takes */

struct train {
	uint8_t *bytes;           /* borrowed; TRAIN_BYTES_MAX of it */
	uint32_t used_bytes;      /* of the closed datagrams */
	uint32_t open_bytes;      /* of the open one, header included, without tag; 0: none is open */
	uint32_t limit_bytes;     /* what a datagram may have on this path */
	uint32_t segment_bytes;   /* the first datagram's size; 0 while there is none */
	uint32_t datagrams;       /* closed ones */
	uint32_t datagrams_limit; /* 1 where the kernel has no UDP_SEGMENT */
	bool ended;               /* a shorter datagram was closed: nothing may follow it */
};

/**
 * train_begin() - an empty train
 * @bytes:		borrowed until the train has been sent, TRAIN_BYTES_MAX of them
 * @limit_bytes:	largest datagram (UDP payload) that the path takes, more than TRAIN_OVERHEAD_BYTES
 * @datagrams_limit:	1..TRAIN_DATAGRAMS_MAX
 */
void train_begin(struct train *train, uint8_t *bytes, uint32_t limit_bytes, uint32_t datagrams_limit);

/**
 * train_place() - room for one whole datagram; it counts as closed at once
 * @datagram_bytes:	its size, overhead included, at most the path's limit
 *
 * Return: where its header goes, or NULL where it does not fit behind what is there
 */
uint8_t *train_place(struct train *train, uint32_t datagram_bytes) __attribute__((warn_unused_result));

/**
 * train_record() - room for one record in the open datagram, which is opened where there is none
 * @record_bytes:	header and body
 *
 * Return: where the record's header goes, or NULL where it does not fit
 */
uint8_t *train_record(struct train *train, uint32_t record_bytes) __attribute__((warn_unused_result));

/**
 * train_open() - the open datagram, padded where that keeps the train going
 * @plain_bytes:	out: length of its records, which start TRAIN_HEADER_BYTES into it
 *
 * Return: its first byte, to be given a header and sealed in place; NULL where none is open
 */
uint8_t *train_open(struct train *train, uint32_t *plain_bytes) __attribute__((warn_unused_result));

/* The open datagram has been sealed */
void train_close(struct train *train);

/* The open datagram could not be sealed: drop it */
void train_abandon(struct train *train);

#endif /* ENCAP_TRAIN_H */
