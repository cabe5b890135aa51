/*
 * link_decode.h - one link out of the kernel's words, RTM_NEWLINK
 *
 * A pure codec, so that what this machine's kernel lacks is tested by what others' have said.  Neighbours: netlink.c, which asks
 * for one link; links.c, for all of them.
 */
#ifndef BASE_LINK_DECODE_H
#define BASE_LINK_DECODE_H

#include "base/netlink.h"

#include <linux/netlink.h>
#include <stdbool.h>

/**
 * link_decode() - read an RTM_NEWLINK of any family
 * @header:	whole, as long as it says; what it says otherwise is not trusted
 * @out:	zeros where the message does not say
 *
 * Return: false where it is none, or cut off
 */
bool link_decode(const struct nlmsghdr *header, struct netlink_link *out);

#endif /* BASE_LINK_DECODE_H */
