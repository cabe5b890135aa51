/*
 * notify.h - the body of notify records: what one host tells the other about itself
 *
 * Layout: encap/PROTOCOL.md section 9.  A pure codec; when to say goodbye and what follows is overlay/'s.
 */
#ifndef ENCAP_NOTIFY_H
#define ENCAP_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTIFY_GOODBYE_BYTES 2U

enum notify_kind {
	NOTIFY_GOODBYE = 1, /* it stops sending and listening in this session, on purpose */
};

enum notify_reason {
	NOTIFY_STOPS = 0,  /* weftd ends */
	NOTIFY_LEAVES = 1, /* the sender's topology names the receiver no more */
};

struct notify {
	uint8_t kind;   /* enum notify_kind, or one of a newer version */
	uint8_t reason; /* enum notify_reason with NOTIFY_GOODBYE, else 0 */
};

/* Of a goodbye */
void notify_encode(const struct notify *notify, uint8_t out[NOTIFY_GOODBYE_BYTES]);

/* Return: false where @body is too short for its kind; what stands behind is a newer version's and not looked at */
bool notify_decode(const uint8_t *body, size_t len_bytes, struct notify *out) __attribute__((warn_unused_result));

#endif /* ENCAP_NOTIFY_H */
