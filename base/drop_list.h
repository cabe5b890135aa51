/*
 * drop_list.h - weftd's own drops, and which modules have more: what becomes numbers, names and words elsewhere
 *
 * A drop is a row: of its module's list (PREFIX_DROPS in the module's header), or, where it is no module's alone, of OVERLAY_DROPS
 * here.  Two programs read the lists: weftd counts (overlay/peer/drops.h), weft explains (cli/drop_help.h).  That is why this list
 * stands here and not in overlay/.  cli/weft-drops.7 has the same words; `make drops-manual` writes it.
 */
#ifndef BASE_DROP_LIST_H
#define BASE_DROP_LIST_H

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define OVERLAY_DROPS(X)                                                                                                                     \
	X(SESSION_UNKNOWN, "session-unknown",                                                                                                \
		"A datagram of a session that this host does not have, or not any more. Ordinary for some "                                  \
		"seconds after a restart of either host and at each rekeying; steady, somebody sends old or "                                \
		"made-up datagrams.")                                                                                                        \
	X(SESSION_EXPIRED, "session-expired",                                                                                                \
		"A datagram or frame of a session past its last moment, while no new one is there. If it goes "                              \
		"on, handshakes do not get through: see the reason in weft status peers.")                                                   \
	X(LANE_UNKNOWN, "lane-unknown",                                                                                                      \
		"A datagram of a lane that its session has not. Run the same version of weft on all hosts; if "                              \
		"that is so already, please report it.")                                                                                     \
	X(LANE_FOREIGN, "lane-foreign",                                                                                                      \
		"A datagram that the kernel gave to another worker than the one that owns its lane: the "                                    \
		"steering program was not attached. Restart weftd; if it comes back, please report it with "                                 \
		"the kernel's version.")                                                                                                     \
	X(NOT_AUTHENTIC, "not-authentic",                                                                                                    \
		"A datagram that was damaged or forged on its way, and did not open. A few are bad hardware "                                \
		"in the underlay; many are somebody who sends them: see which address (tcpdump -n udp port "                                 \
		"4754).")                                                                                                                    \
	X(NETWORK_UNKNOWN, "network-unknown",                                                                                                \
		"A peer sent on a network that this host has no port on. For a moment after a change that is "                               \
		"ordinary; if it goes on, one of the two has an old topology: see weft get hosts.")                                          \
	X(FRAME_SHORT, "frame-short",                                                                                                        \
		"A frame that ends within its Ethernet or VLAN header. Find the guest that sends it (tcpdump "                               \
		"-e on its port).")                                                                                                          \
	X(FRAME_OVERSIZE, "frame-oversize",                                                                                                  \
		"A guest's frame over its network's MTU, from a bridge whose own MTU is larger. Set the guest's MTU to the "                 \
		"network's, or raise mtu in the lab; the guest was told, where it asked to be.")                                             \
	X(PROBE_MALFORMED, "probe-malformed",                                                                                                \
		"A probe of a peer that cannot be read. Run the same version of weft on all hosts; if that is "                              \
		"so already, please report it.")                                                                                             \
	X(PROBE_RATE, "probe-rate",                                                                                                          \
		"A peer answered more probes than were sent to it. Run the same version of weft on all hosts; "                              \
		"if that is so already, please report it.")                                                                                  \
	X(NO_SESSION, "no-session",                                                                                                          \
		"A frame for a peer that cannot be reached now. weft status peers says why and since when; "                                 \
		"weft doctor says what to do.")                                                                                              \
	X(LANE_EXHAUSTED, "lane-exhausted",                                                                                                  \
		"A session's last message was sent and its successor is not there: handshakes do not get "                                   \
		"through. See the reason in weft status peers.")                                                                             \
	X(SEAL_FAILED, "seal-failed",                                                                                                        \
		"A datagram could not be encrypted: the cryptographic library failed. See weftd's log "                                      \
		"(journalctl -u weftd).")                                                                                                    \
	X(UDP_FULL, "udp-full",                                                                                                              \
		"The UDP socket or the network card had no room for a datagram at that moment: guests send "                                 \
		"faster than the underlay takes. Ordinary while TCP looks for its speed; else use a faster "                                 \
		"link, or shape what guests send.")                                                                                          \
	X(UDP_TOO_BIG, "udp-too-big",                                                                                                        \
		"A datagram over the MTU of the interface that it leaves by: the path has shrunk. Ordinary "                                 \
		"for a moment, until the path's MTU is found anew; else see path_mtu in weft status peers "                                  \
		"--json.")                                                                                                                   \
	X(UDP_ERROR, "udp-error",                                                                                                            \
		"The kernel refused to send a datagram, as without a route or by a firewall's reject. See ip "                               \
		"route get ADDRESS for the peer, and the firewall's output rules.")                                                          \
	X(UDP_MISSED, "udp-missed",                                                                                                          \
		"The kernel dropped datagrams of the underlay before weftd read them: the socket's buffer was "                              \
		"full. Give weftd more CPU or more --workers (weft status shows how many there are).")                                       \
	X(PEER_GONE, "peer-gone",                                                                                                            \
		"A frame for a host that has left the topology meanwhile. Ordinary for a moment after a "                                    \
		"change.")                                                                                                                   \
	X(PEER_GOODBYE, "peer-goodbye",                                                                                                      \
		"A frame for a host whose weftd has stopped, and said so. They pass again once it is back, within a second or two: "         \
		"start weftd there, or take its ports out of the lab.")                                                                      \
	X(NOTIFY_MALFORMED, "notify-malformed",                                                                                              \
		"A peer's notice about itself could not be read. Run the same version of weft on all hosts; if that is so already, "         \
		"please report it.")                                                                                                         \
	X(NOTIFY_RATE, "notify-rate",                                                                                                        \
		"A peer said goodbye again and again. Run the same version of weft on all hosts; if that is so already, please "             \
		"report it.")                                                                                                                \
	X(UDP_TRUNCATED, "udp-truncated",                                                                                                    \
		"A message of the underlay was longer than anything that weft sends. A few come from scans of "                              \
		"the port; if it keeps growing, see which address sends them (tcpdump -n udp port 4754) and "                                \
		"block it.")                                                                                                                 \
	X(PORT_CLOSED, "port-closed",                                                                                                        \
		"A frame for or from a port that is on its way in or out. Ordinary for a moment after a "                                    \
		"change; if it goes on, weft status ports says what is wrong with it.")                                                      \
	X(PORT_MISSED, "port-missed",                                                                                                        \
		"Frames of guests that the kernel dropped before weftd read them: the port's queue was full. "                               \
		"Ordinary in short bursts without flow control; else give weftd more CPU or --workers (weft "                                \
		"status ports --json has it by port).")                                                                                      \
	X(PORT_KERNEL, "port-kernel",                                                                                                        \
		"Frames for guests that the kernel dropped behind our device (its rx_dropped): protocols that "                              \
		"nobody on this host listens to, or a device that is down. Ordinary on tap: attachments; else "                              \
		"see ip -s link show DEV.")                                                                                                  \
	X(HANDSHAKE_MAC, "handshake-mac",                                                                                                    \
		"A handshake meant for another key, or a scan. If a peer cannot get up, its topology has an "                                \
		"old key of this host: see weft get hosts. Else: see which address sends them (tcpdump -n udp "                              \
		"port 4754).")                                                                                                               \
	X(HANDSHAKE_COOKIE, "handshake-cookie",                                                                                              \
		"Under load, a handshake was answered with a cookie, to be sent again with it. Ordinary when "                               \
		"many hosts start at once; steady, it is a flood of handshakes.")                                                            \
	X(HANDSHAKE_RATE, "handshake-rate",                                                                                                  \
		"Handshakes of one peer or address came too often. Ordinary after restarts; if a peer does "                                 \
		"not get up, see that its clock does not jump and that no two machines have its identity.")                                  \
	X(HANDSHAKE_STRANGER, "handshake-stranger",                                                                                          \
		"An authentic handshake of a host that is no peer by this host's topology: revoked, in no lab "                              \
		"with this host, or yet to be told. Ordinary for a moment after a change.")                                                  \
	X(HANDSHAKE_REPLAY, "handshake-replay",                                                                                              \
		"A handshake older than one that came before. Networks duplicate a few; if a peer cannot get "                               \
		"up, its clock was set back: set it right (timedatectl set-ntp true on that host).")                                         \
	X(HANDSHAKE_ELSEWHERE, "handshake-elsewhere",                                                                                        \
		"A handshake as a host that answers at another address. One or two are ordinary after a host was restarted elsewhere; more " \
		"mean that two machines use one host's keys: weft status peers names them.")                                                 \
	X(HANDSHAKE_TWICE, "handshake-twice",                                                                                                \
		"The same handshake came by several of this host's addresses: the first was answered, the "                                  \
		"others need not be. Ordinary.")                                                                                             \
	X(HANDSHAKE_FULL, "handshake-full",                                                                                                  \
		"No session or memory was free for a handshake. See free memory, and restart weftd if it goes "                              \
		"on.")

/*
 * The modules that lose or refuse something: prefix of what is in the module's header (prefix_result) and of its list
 * (PREFIX_DROPS).  A module with a list is a row here.
 */
#define DROP_MODULES(M)       \
	M(gre, GRE)           \
	M(record, RECORD)     \
	M(replay, REPLAY)     \
	M(segment, SEGMENT)   \
	M(coalesce, COALESCE) \
	M(fragment, FRAGMENT) \
	M(fdb, FDB)           \
	M(switch, SWITCH)     \
	M(tap, TAP)           \
	M(handshake, HANDSHAKE)

#endif /* BASE_DROP_LIST_H */
