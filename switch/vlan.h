/*
 * vlan.h - what a port's VLAN policy does to a frame: admit it, and in which form it leaves
 *
 * In weft every frame has one VLAN inside its network, 0 for none.  Between hosts a frame travels in trunk form: VLAN
 * 0 untagged, any other tagged.  An access port's frames gain their tag on the way in and lose it on the way out.
 * A priority tag (VLAN 0, IEEE 802.1Q 9.5) counts as untagged.
 */
#ifndef SWITCH_VLAN_H
#define SWITCH_VLAN_H

#include "lab/vlan_policy.h"
#include "packet/packet.h"

#include <stdbool.h>
#include <stdint.h>

#define VLAN_TAG_BYTES 4U

enum vlan_action {
	VLAN_DENY,
	VLAN_KEEP,
	VLAN_PUSH, /* add a tag with the frame's VLAN */
	VLAN_POP,  /* remove the outer tag */
	VLAN_SET,  /* write the frame's VLAN into the outer tag, keep its priority */
};

/* A frame as it stands in memory */
struct vlan_form {
	bool tagged;
	uint16_t tci; /* of the outer tag; 0 where untagged */
};

static inline uint16_t vlan_form_id(struct vlan_form form)
{
	return form.tagged ? form.tci & 0xfff : 0;
}

/**
 * vlan_admit() - which VLAN a frame that comes in by a port is in
 * @vlan:	out: 0 to VLAN_MAX
 *
 * Return: false where the policy denies it
 */
bool vlan_admit(const struct vlan_policy *policy, struct vlan_form form, uint16_t *vlan)
	__attribute__((warn_unused_result));

/* What to do to a frame in @form, of VLAN @vlan, so that it may leave by a port with @policy */
enum vlan_action vlan_egress(const struct vlan_policy *policy, uint16_t vlan, struct vlan_form form)
	__attribute__((warn_unused_result));

/* The same for a frame that leaves to a peer, in trunk form.  Never VLAN_DENY, never VLAN_POP */
enum vlan_action vlan_egress_fabric(uint16_t vlan, struct vlan_form form) __attribute__((warn_unused_result));

/**
 * vlan_apply() - do it
 * @packet:	with its vlan set; the caller's alone
 *
 * Return: false where it is no frame any more
 */
bool vlan_apply(enum vlan_action action, struct packet *packet) __attribute__((warn_unused_result));

#endif /* SWITCH_VLAN_H */
