/*
 * attach.h - what an attachment's text means: "bridge:br0", "tap:blue0", "packet:vnet3", "netns:leaf/e1", "memory"
 *
 * Pure parsing, also for whoever checks a lab before it is applied.  tap/port.h opens what it describes.  A new kind is a row
 * here, and the file in tap/ that opens it.
 */
#ifndef LAB_ATTACH_H
#define LAB_ATTACH_H

#include "base/addr.h"
#include "base/error.h"
#include "lab/vlan_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTACH_NAME_BYTES 16U    /* a device's name and its NUL: IFNAMSIZ */
#define ATTACH_TARGET_BYTES 108U /* the longest target and its NUL: a socket's path, sun_path */
#define ATTACH_ALIAS_BYTES 144U  /* "weft LAB/PORT" */
#define ATTACH_ALIAS_MARK "weft "
#define ATTACH_TEXT_BYTES (16U + ATTACH_TARGET_BYTES)

/*
 * Name, prefix in a lab's text, what follows it (as the error names it; "" for nothing: such a kind is not for labs), and the
 * file in tap/ whose FILE_open() opens it
 *
 * BRIDGE, our TAP, put into the Linux bridge @target.  TAP, our TAP, named @target, made where it is missing, whose other side is a
 * device of the host and not a VMM's.  PACKET, the existing interface @target, by AF_PACKET: its wire, not its host.  NETNS, an interface that is made in a network namespace, @target
 * being NAMESPACE/INTERFACE.  MEMORY, rings in memory, for tests (tap/memory.h).
 */
#define ATTACH_KINDS(X)                                \
	X(BRIDGE, "bridge", "NAME", device)            \
	X(TAP, "tap", "NAME", device)                  \
	X(PACKET, "packet", "INTERFACE", packet)       \
	X(NETNS, "netns", "NAMESPACE/INTERFACE", veth) \
	X(MEMORY, "memory", "", memory)

enum attach_kind {
#define X(name, prefix, target, file) ATTACH_##name,
	ATTACH_KINDS(X)
#undef X
		ATTACH_KINDS_COUNT
};

struct attach {
	enum attach_kind kind;
	char target[ATTACH_TARGET_BYTES];
	bool create;                    /* make the bridge where it is missing */
	char device[ATTACH_NAME_BYTES]; /* of what we make for it: the TAP in a bridge, or our end of a pair */
	char alias
		[ATTACH_ALIAS_BYTES]; /* what a device that we make says of itself: ATTACH_ALIAS_MARK "LAB/PORT"; "": nothing */

	struct mac mac; /* ATTACH_NETNS: of the interface in the namespace; zeros: a derived one */

	/* what its network wants of it, which may change while it is open */
	uint32_t mtu_bytes;
	bool any_mtu;        /* a device's smaller one will do as well: a wire's ends know what they send */
	unsigned int passes; /* enum network_pass bits: frames to reserved addresses that have to come through */
	struct vlan_policy vlan;
};

#define ATTACH_FORMS_BYTES 128U

/* How labs may write it, such as "bridge:NAME or tap:NAME".  Return: @out */
const char *attach_forms(char out[ATTACH_FORMS_BYTES]);

/* The prefixes that labs may use, without their ':'.  Return: how many were written to @out */
size_t attach_prefixes(const char *out[ATTACH_KINDS_COUNT]);

/**
 * attach_parse() - read @text into @out, with no create, no device name and an MTU of 1500
 * @error:	filled only on failure
 *
 * Return: 0 or -EINVAL
 */
int attach_parse(const char *text, struct attach *out, struct error *error) __attribute__((warn_unused_result));

/* The text that attach_parse() reads @spec from.  Return: @out */
char *attach_format(const struct attach *spec, char out[ATTACH_TEXT_BYTES]);

/* Whether @name can name a network device: 1 to 15 bytes, printable, no space, '/', ':' or '%', and no special name */
bool attach_name_ok(const char *name);

#endif /* LAB_ATTACH_H */
