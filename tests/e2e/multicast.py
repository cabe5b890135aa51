#!/usr/bin/env python3
"""One datagram to mDNS's group, 224.0.0.251:5353: multicast.py send TEXT, or multicast.py recv FILE

recv creates FILE once it has joined the group and writes the first datagram that it gets into it."""
import socket
import struct
import sys

GROUP, PORT = "224.0.0.251", 5353

link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
membership = struct.pack("=4s4si", socket.inet_aton(GROUP), bytes(4), socket.if_nametoindex("eth0"))
if sys.argv[1] == "send":
    link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, membership)
    link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    link.sendto(sys.argv[2].encode(), (GROUP, PORT))
else:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind((GROUP, PORT))
    link.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    with open(sys.argv[2], "wb") as out:
        out.flush()
        out.write(link.recv(9000))
