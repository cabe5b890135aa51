/*
 * spec.h - what an attachment's text means: "bridge:br0", "tap:esx1-nic0", "packet:eth1", "memory"
 *
 * Pure parsing, also for whoever checks a lab before it is applied.  tap/port.h opens what it describes.
 */
#ifndef TAP_SPEC_H
#define TAP_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#define TAP_NAME_BYTES 16U   /* a device's name and its NUL: IFNAMSIZ */
#define TAP_ERROR_BYTES 256U /* text for people: what is wrong, where, what to do */

enum tap_kind {
	TAP_KIND_BRIDGE, /* our TAP, put into the Linux bridge @target */
	TAP_KIND_TAP,    /* our TAP, named @target, made where it is missing */
	TAP_KIND_PACKET, /* the existing interface @target, by AF_PACKET: its wire, not its host */
	TAP_KIND_MEMORY, /* rings in memory, for tests (tap/memory.h) */
};

struct tap_spec {
	enum tap_kind kind;
	char target[TAP_NAME_BYTES];
	bool create;                 /* make the bridge where it is missing */
	char device[TAP_NAME_BYTES]; /* TAP_KIND_BRIDGE: the name that our TAP gets, such as wf42 */
	uint32_t mtu_bytes;
};

/**
 * tap_spec_parse() - read @text into @out, with no create, no device name and an MTU of 1500
 * @error:	filled only on failure
 *
 * Return: 0 or -EINVAL
 */
int tap_spec_parse(const char *text, struct tap_spec *out, char error[TAP_ERROR_BYTES])
	__attribute__((warn_unused_result));

/* Whether @name can name a network device: 1 to 15 bytes, printable, no space, '/', ':' or '%', and no special name */
bool tap_name_ok(const char *name);

#endif /* TAP_SPEC_H */
