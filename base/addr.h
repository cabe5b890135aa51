/*
 * addr.h - MAC addresses and UDP endpoints, as values and as text
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define MAC_BYTES 6U
#define MAC_TEXT_BYTES 18U      /* "52:54:00:00:00:0b" and its NUL */
#define ENDPOINT_TEXT_BYTES 80U /* "[v6%scope]:port" and its NUL */

struct mac {
	uint8_t bytes[MAC_BYTES];
};

/* Group bit of IEEE 802: multicast or broadcast */
static inline bool mac_is_group(const struct mac *mac)
{
	return mac->bytes[0] & 1;
}

static inline bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->bytes, b->bytes, MAC_BYTES) == 0;
}

/* Accepts aa:bb:cc:dd:ee:ff and aa-bb-cc-dd-ee-ff.  Return: false where @text is anything else */
bool mac_parse(const char *text, struct mac *out) __attribute__((warn_unused_result));

void mac_format(const struct mac *mac, char out[MAC_TEXT_BYTES]);

#define IP_BYTES 16U

/* Where a datagram goes to or came from.  IPv4 is held as IPv6, mapped (RFC 4291 2.5.5.2): one form, one compare. */
struct endpoint {
	uint8_t ip[IP_BYTES];
	uint32_t scope_id;
	uint16_t port; /* host order */

	/* Our own end: the address that it came to, or that it leaves from, mapped as well; all 0: the kernel chooses */
	uint8_t local_ip[IP_BYTES];
};

bool endpoint_is_v4(const struct endpoint *endpoint);

/* Are both the same far end */
static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->scope_id == b->scope_id && memcmp(a->ip, b->ip, 16) == 0;
}

/* Do both have the same end here */
static inline bool endpoint_same_local(const struct endpoint *a, const struct endpoint *b)
{
	return memcmp(a->local_ip, b->local_ip, IP_BYTES) == 0;
}

bool endpoint_has_local(const struct endpoint *endpoint);

/**
 * endpoint_parse() - "198.51.100.7", "198.51.100.7:4754", "2001:db8::1", "[2001:db8::1]:4754"
 * @text:	numeric only, no names
 * @default_port: used where @text names none
 *
 * Return: false where @text is no address, or has port 0
 */
bool endpoint_parse(const char *text, uint16_t default_port, struct endpoint *out) __attribute__((warn_unused_result));

void endpoint_format(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_BYTES]);

/* Why no other host can be reached there: "the loopback's address" and so on; NULL: one may be */
const char *endpoint_unusable(const struct endpoint *endpoint);

/* Our end's address; "" where the kernel chooses it */
void endpoint_format_local(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_BYTES]);

/* From what recvmsg() gave, without our own end.  Return: false for any family but AF_INET and AF_INET6 */
bool endpoint_from_sockaddr(const struct sockaddr *sa, socklen_t len_bytes, struct endpoint *out)
	__attribute__((warn_unused_result));

/**
 * endpoint_to_sockaddr() - for sendmsg()
 * @family:	AF_INET6 gives IPv4 in mapped form, for a dual-stack socket; AF_INET only takes IPv4
 *
 * Return: the length used, 0 where @endpoint cannot be said in @family
 */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, int family, struct sockaddr_storage *out);

#endif /* BASE_ADDR_H */
