/*
 * vlan-tag.c - makes an interface one of VLAN 10, as `ip link add type vlan` would where the kernel has that module
 *
 * Two eBPF programs for offloads.sh's VMs: "out" tags what the interface sends, beside the frame as a NIC's driver sees
 * it, so that super-frames and partial checksums stay what they are; "in" takes the tag off, and frames without it away.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#define VLAN 10
#define ETHERTYPE_8021Q 0x8100

static long (*const push)(struct __sk_buff *, __u16, __u16) = (void *)BPF_FUNC_skb_vlan_push;
static long (*const pop)(struct __sk_buff *) = (void *)BPF_FUNC_skb_vlan_pop;

__attribute__((section("out"), used)) int tag(struct __sk_buff *frame)
{
	return push(frame, __builtin_bswap16(ETHERTYPE_8021Q), VLAN) ? TC_ACT_SHOT : TC_ACT_OK;
}

__attribute__((section("in"), used)) int untag(struct __sk_buff *frame)
{
	if (!frame->vlan_present || (frame->vlan_tci & 0xfff) != VLAN)
		return TC_ACT_SHOT;
	return pop(frame) ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] __attribute__((section("license"))) = "Apache-2.0"; /* the loader's name for it */
