/*
 * server_address.h - where a server is, as people write it: an address or a DNS name, with or without a port
 */
#ifndef BASE_SERVER_ADDRESS_H
#define BASE_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define SERVER_HOST_BYTES 254U /* 253 and the NUL */
#define SERVER_ADDRESS_TEXT_BYTES 300U

struct server_address {
	char host[SERVER_HOST_BYTES]; /* "203.0.113.5", "2001:db8::1", "ctl.example.org" */
	uint16_t port;
	bool numeric;
};

/**
 * server_address_parse() - "203.0.113.5", "[2001:db8::1]:4753", "2001:db8::1", "ctl.example.org:4753"
 * @default_port: used where @text names none
 *
 * Return: false where @text is none
 */
bool server_address_parse(const char *text, uint16_t default_port, struct server_address *out)
	__attribute__((warn_unused_result));

/* The one form in which addresses are kept and compared: "203.0.113.5:4753", "[2001:db8::1]:4753" */
void server_address_format(const struct server_address *address, char out[SERVER_ADDRESS_TEXT_BYTES]);

#endif /* BASE_SERVER_ADDRESS_H */
