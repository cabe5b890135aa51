/*
 * tunnel.c - puts an interface's TCP packets into a tunnel, and takes them out, where the kernel has no such device
 *
 * Two eBPF programs for tunnels.sh's VMs.  "out" grows the packet as the kernel's own tunnels do, so that a super-frame stays whole
 * and becomes what the interface's driver sees of a guest's tunnel; "in" takes the headers off.  TUNNEL says which one it is.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#define TUNNEL_IPIP 1
#define TUNNEL_SIT 2
#define TUNNEL_GRE 3
#define TUNNEL_GRETAP 4

#if TUNNEL == TUNNEL_IPIP
#define PROTOCOL 4
#define FLAGS BPF_F_ADJ_ROOM_ENCAP_L3_IPV4
#define MIDDLE
#elif TUNNEL == TUNNEL_SIT
#define PROTOCOL 41
#define FLAGS BPF_F_ADJ_ROOM_ENCAP_L3_IPV4
#define MIDDLE
#elif TUNNEL == TUNNEL_GRE
#define PROTOCOL 47
#define FLAGS (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_GRE)
#define MIDDLE 0, 0, 0x08, 0x00
#elif TUNNEL == TUNNEL_GRETAP
#define PROTOCOL 47
#define FLAGS                                                                                       \
	(BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | \
		BPF_F_ADJ_ROOM_ENCAP_L2(14))
#define MIDDLE 0, 0, 0x65, 0x58, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00
#endif

#define DECAP_L3_IPV6 (1ULL << 8) /* Linux 6.3; older ones need no help, they have the devices */
#define INNER (TUNNEL == TUNNEL_SIT ? ETH_P_IPV6 : ETH_P_IP)
#define NETWORK16(x) __builtin_bswap16(x)

struct headers {
	struct iphdr ip;
	__u8 middle[sizeof((__u8[]){ MIDDLE })];
} __attribute__((packed));

static long (*const adjust_room)(struct __sk_buff *, __s32, __u32, __u64) = (void *)BPF_FUNC_skb_adjust_room;
static long (*const load)(const struct __sk_buff *, __u32, void *, __u32) = (void *)BPF_FUNC_skb_load_bytes;
static long (*const store)(struct __sk_buff *, __u32, const void *, __u32, __u64) = (void *)BPF_FUNC_skb_store_bytes;

static __attribute__((always_inline)) int set_ethertype(struct __sk_buff *frame, __u16 ethertype)
{
	ethertype = NETWORK16(ethertype);
	return store(frame, offsetof(struct ethhdr, h_proto), &ethertype, sizeof(ethertype), 0) ? TC_ACT_SHOT
												: TC_ACT_OK;
}

static __attribute__((always_inline)) void fill(struct headers *headers, __u32 bytes)
{
	const __u8 middle[] = { MIDDLE };
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = NETWORK16(bytes),
		.frag_off = NETWORK16(0x4000),
		.ttl = 64,
		.protocol = PROTOCOL,
		.saddr = 0x0100070a,
		.daddr = 0x0200070a,
	};
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += ((__u16 *)&ip)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip.check = ~(__u16)((sum & 0xffff) + (sum >> 16));
	headers->ip = ip;
#pragma unroll
	for (unsigned int i = 0; i < sizeof(middle); i++)
		headers->middle[i] = middle[i];
}

__attribute__((section("out"), used)) int wrap(struct __sk_buff *frame)
{
	struct headers headers;
	__u8 protocol = 0;

	if (frame->protocol != NETWORK16(INNER) ||
		load(frame, ETH_HLEN + (TUNNEL == TUNNEL_SIT ? 6 : 9), &protocol, 1) || protocol != IPPROTO_TCP)
		return TC_ACT_OK;
	if (adjust_room(frame, sizeof(headers), BPF_ADJ_ROOM_MAC, FLAGS))
		return TC_ACT_SHOT;
	fill(&headers, frame->len - ETH_HLEN);
	if (store(frame, ETH_HLEN, &headers, sizeof(headers), 0))
		return TC_ACT_SHOT;
	return set_ethertype(frame, ETH_P_IP);
}

__attribute__((section("in"), used)) int unwrap(struct __sk_buff *frame)
{
	__u8 protocol = 0;

	if (frame->protocol != NETWORK16(ETH_P_IP) || load(frame, ETH_HLEN + 9, &protocol, 1) || protocol != PROTOCOL)
		return TC_ACT_OK;
	if (adjust_room(frame, -(__s32)sizeof(struct headers), BPF_ADJ_ROOM_MAC,
		    TUNNEL == TUNNEL_SIT ? DECAP_L3_IPV6 : 0))
		return TC_ACT_SHOT;
	return set_ethertype(frame, INNER);
}

char _license[] __attribute__((section("license"))) = "Apache-2.0"; /* the loader's name for it */
