/*
 * device_name.h - what the TAPs are called that weftd makes for itself
 *
 * "wf" and 40 bits of a hash over the fabric, the lab, the network and the port (a wire's end may be called as a port is): the same at every apply and after every restart, and another in
 * another fabric of the same host, so that nobody has to keep a table or to look what is free.
 */
#ifndef OVERLAY_AGENT_DEVICE_NAME_H
#define OVERLAY_AGENT_DEVICE_NAME_H

#include "lab/attach.h"

#include <stdbool.h>

/* @ca_pem: the fabric's.  Return: false where OpenSSL failed */
bool device_name(const char *ca_pem, const char *lab, const char *network, const char *port,
	char out[ATTACH_NAME_BYTES]) __attribute__((warn_unused_result));

#endif /* OVERLAY_AGENT_DEVICE_NAME_H */
