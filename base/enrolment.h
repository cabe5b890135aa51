/*
 * enrolment.h - what a host keeps of its enrolment: `weft join` writes it, weftd reads it
 *
 * In the state folder DIR, all of them 0600 (DIR itself 0700) and replaced atomically:
 *	agent.json	{"fabric", "host", "controller": "ADDR:PORT", "ca": PEM, "psk": base64 of 32 bytes, "port": UDP port},
 *			"no_report_local": true where others are not to be told of this machine's own addresses,
 *			and "controller_before": "ADDR:PORT" while the controller has moved and not answered at its new address
 *	host.key	Ed25519 private key, PEM
 *	host.crt	its certificate, PEM
 *	tunnel.key	X25519 private key, base64 of 32 bytes and a newline
 * agent.json is written last: where it is, the others are.  Whether keys and certificates are any good is not checked here.
 */
#ifndef BASE_ENROLMENT_H
#define BASE_ENROLMENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENROLMENT_NAME_BYTES 64U
#define ENROLMENT_ADDRESS_BYTES 300U

struct enrolment {
	char fabric[ENROLMENT_NAME_BYTES];
	char host[ENROLMENT_NAME_BYTES];
	char controller[ENROLMENT_ADDRESS_BYTES]; /* "203.0.113.5:4753", "[2001:db8::1]:4753", "ctl.example.org:4753" */
	char before[ENROLMENT_ADDRESS_BYTES];     /* where it was until it answers there; "": it did */
	uint16_t port;                            /* UDP, of this host's weftd */
	bool no_report_local;                     /* others are not told of this machine's own addresses */
	uint8_t psk[32];
	uint8_t tunnel_key[32]; /* private */
	char *ca_pem;           /* on the heap, as the other two */
	char *certificate_pem;
	char *key_pem;
};

/**
 * enrolment_load() - read all four files
 * @dir:	the state folder
 * @out:	enrolment_fini() it, after an error too
 * @error:	on an error, words for the operator: which file, what is wrong, what to do
 *
 * Return: 0; -ENOENT where the host has not joined; another -errno
 */
int enrolment_load(const char *dir, struct enrolment *out, struct error *error) __attribute__((warn_unused_result));

/* Write all four; makes @dir where it is missing.  Return: 0, or -errno and @error */
int enrolment_save(const char *dir, const struct enrolment *enrolment, struct error *error)
	__attribute__((warn_unused_result));

/* Write agent.json only, after controller or before have changed.  Return: 0, or -errno and @error */
int enrolment_save_controller(const char *dir, const struct enrolment *enrolment, struct error *error)
	__attribute__((warn_unused_result));

/* Is there one in @dir? */
bool enrolment_present(const char *dir);

/* Wipes and frees; a zeroed one is fine */
void enrolment_fini(struct enrolment *enrolment);

#endif /* BASE_ENROLMENT_H */
