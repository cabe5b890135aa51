/*
 * attempts.h - which addresses of a server were tried, and what came of each: the reason that people are told
 *
 * libcurl tries all addresses of a name, two families side by side, and in the end tells of one.  What it says of each while
 * it goes is taken from its remarks (CURLINFO_TEXT); an address of which it says nothing more gave no answer.
 */
#ifndef CLIENT_ATTEMPTS_H
#define CLIENT_ATTEMPTS_H

#include <stddef.h>

#define ATTEMPTS_MAX 8U
#define ATTEMPTS_TEXT_BYTES 512U

struct attempts {
	unsigned int count; /* may be over ATTEMPTS_MAX: the rest is counted only */
	struct {
		char address[48];
		char reason[64]; /* "" for no answer */
	} tried[ATTEMPTS_MAX];
};

/* @address: numeric; one that was tried before is begun anew */
void attempts_tried(struct attempts *attempts, const char *address);

/* One of libcurl's remarks, borrowed, not terminated: "connect to 192.0.2.1 port 4753 failed: Connection refused" */
void attempts_remark(struct attempts *attempts, const char *text, size_t len_bytes);

/* "192.0.2.1: Connection refused; 2001:db8::1: no answer"; "" where none was tried.  @only: the address that goes without
 * saying, since it was asked for; NULL: none */
void attempts_describe(const struct attempts *attempts, const char *only, char out[ATTEMPTS_TEXT_BYTES]);

#endif /* CLIENT_ATTEMPTS_H */
