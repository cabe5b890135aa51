#!/usr/bin/env python3
"""TCP and UDP flows whose every byte and whose order is known, and a look at every frame's checksum.

flows.py serve --port N                      takes one TCP connection to its end, prints its bytes and their SHA-256
flows.py send ADDRESS --port N --mib M       sends M MiB on one, prints the same
flows.py collect --port N                    counts datagrams until SIGTERM, prints received, reordered, corrupt, duplicates
flows.py scatter ADDRESS --port N            sends --count numbered datagrams of --size bytes at --rate a second; with --segments S
                                             the kernel is given S at once to cut (UDP_SEGMENT, as QUIC stacks do)
flows.py checksums --device eth0             looks at every TCP and UDP frame that comes in until SIGTERM, prints how many are
                                             whole, partial and wrong, the largest, one that is wrong, and
                                             which segment sizes (MSS) were announced
flows.py chunk ADDRESS                       sends an SCTP packet whose checksum is left to the device, as Linux' own SCTP does
flows.py chunks                              waits for one and prints whether its checksum is right

"serve", "collect", "checksums" and "chunks" first print "ready".  All reports are JSON.  A partial checksum is one that Linux itself
says is still to be completed (PACKET_VNET_HDR); it must hold the pseudo header's sum, or its completion will be wrong.
"""
import argparse
import hashlib
import json
import random
import signal
import socket
import struct
import sys
import time

TABLE = random.Random(4754).randbytes(1 << 20)
NUMBER = struct.Struct("!QI")  # of the datagram, and where in TABLE its body begins
ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, PACKET_STATISTICS, PACKET_VNET_HDR = 263, 1, 1, 6, 15
SO_RCVBUFFORCE = 33
SOL_UDP, UDP_SEGMENT = 17, 103
VNET = struct.Struct("=BBHHHH")
NEEDS_CSUM = 1
SYN = 2

stopping = False


def stop(_signal, _frame):
    global stopping
    stopping = True


def report(**fields):
    print(json.dumps(fields), flush=True)


# ---- TCP -----------------------------------------------------------------------------------------------------


def serve(options):
    with socket.create_server(("", options.port), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        listener.settimeout(30)
        print("ready", flush=True)
        flow, _peer = listener.accept()
    flow.settimeout(options.patience)
    digest, total = hashlib.sha256(), 0
    while part := flow.recv(1 << 18):
        digest.update(part)
        total += len(part)
    flow.sendall(b"done")
    report(bytes=total, sha256=digest.hexdigest())


def send(options):
    digest = hashlib.sha256()
    started = time.monotonic()
    with socket.create_connection((options.address, options.port), timeout=options.patience) as flow:
        for mebibyte in range(options.mib):
            turn = mebibyte * 7919 % len(TABLE)
            part = TABLE[turn:] + TABLE[:turn]
            digest.update(part)
            flow.sendall(part)
        flow.shutdown(socket.SHUT_WR)
        flow.recv(4)
    report(bytes=options.mib << 20, sha256=digest.hexdigest(), seconds=round(time.monotonic() - started, 2))


# ---- UDP -----------------------------------------------------------------------------------------------------


def datagram(number, size):
    offset = number * 7919 % (len(TABLE) - size)
    return NUMBER.pack(number, offset) + TABLE[offset : offset + size - NUMBER.size]


def collect(options):
    flow = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    flow.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    flow.bind(("::", options.port))
    flow.settimeout(0.05)
    seen, highest, reordered, corrupt, duplicates = set(), -1, 0, 0, 0
    print("ready", flush=True)
    while not stopping:
        try:
            got = flow.recv(65536)
        except TimeoutError:
            continue
        number = NUMBER.unpack_from(got)[0] if len(got) >= NUMBER.size else 0
        if len(got) < NUMBER.size or got != datagram(number, len(got)):
            corrupt += 1
            continue
        duplicates += number in seen
        seen.add(number)
        reordered += number < highest
        highest = max(highest, number)
    report(received=len(seen), reordered=reordered, corrupt=corrupt, duplicates=duplicates)


def scatter(options):
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    flow = socket.socket(family, socket.SOCK_DGRAM)
    if options.segments > 1:
        flow.setsockopt(SOL_UDP, UDP_SEGMENT, options.size)
    flow.connect((options.address, options.port))
    started, sent, refused = time.monotonic(), 0, 0
    while sent < options.count and not stopping:
        ahead = sent / options.rate - (time.monotonic() - started)
        if ahead > 0:
            time.sleep(ahead)
        batch = range(sent, min(sent + options.segments, options.count))
        try:
            flow.send(b"".join(datagram(number, options.size) for number in batch))
        except OSError:
            refused += len(batch)
        sent = batch.stop
    report(sent=sent, refused=refused)


# ---- checksums -----------------------------------------------------------------------------------------------


def ones_sum(data):
    """The ones' complement sum of 16-bit words, as a number modulo 0xffff"""
    return int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF


class Packet:
    """The TCP or UDP segment in a frame; `l4` is None where there is none, or only a fragment of one"""

    def __init__(self, frame):
        self.l4, self.header_good = None, True
        ethertype, at = int.from_bytes(frame[12:14], "big"), 14
        while ethertype in (0x8100, 0x88A8):
            ethertype, at = int.from_bytes(frame[at + 2 : at + 4], "big"), at + 4
        if ethertype == 0x0800 and len(frame) >= at + 20:
            header_bytes = (frame[at] & 15) * 4
            total = int.from_bytes(frame[at + 2 : at + 4], "big")
            self.header_good = ones_sum(frame[at : at + header_bytes]) == 0
            protocol, fragment = frame[at + 9], int.from_bytes(frame[at + 6 : at + 8], "big") & 0x3FFF
            addresses, l4 = frame[at + 12 : at + 20], frame[at + header_bytes : at + total]
        elif ethertype == 0x86DD and len(frame) >= at + 40:
            total = 40 + int.from_bytes(frame[at + 4 : at + 6], "big")
            protocol, fragment = frame[at + 6], 0
            addresses, l4 = frame[at + 8 : at + 40], frame[at + 40 : at + total]
        else:
            return
        if protocol not in (6, 17) or fragment or len(l4) < 8:
            return
        self.l4, self.protocol = l4, protocol
        self.field = int.from_bytes(l4[16:18] if protocol == 6 else l4[6:8], "big")
        self.pseudo = (ones_sum(addresses) + protocol + len(l4)) % 0xFFFF
        self.absent = protocol == 17 and ethertype == 0x0800 and self.field == 0

    def whole(self):
        return self.absent or (self.pseudo + ones_sum(self.l4)) % 0xFFFF == 0

    def announced(self):
        """The MSS of a SYN, 0 for none"""
        options = self.l4[20 : (self.l4[12] >> 4) * 4] if self.protocol == 6 and self.l4[13] & SYN else b""
        while options and options[0]:
            if options[0] == 2:
                return int.from_bytes(options[2:4], "big")
            options = options[1 if options[0] == 1 else max(options[1], 1) :]
        return 0

    def completable(self):
        return self.field % 0xFFFF == self.pseudo


def checksums(options):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 128 << 20)
    link.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    link.bind((options.device, ETH_P_ALL))
    promiscuous = struct.pack("=iHH8s", socket.if_nametoindex(options.device), PACKET_MR_PROMISC, 0, b"")
    link.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous)
    link.settimeout(0.05)
    counts, largest, example = {"whole": 0, "partial": 0, "wrong": 0}, 0, None
    announced = set()
    print("ready", flush=True)
    while not stopping:
        try:
            got, address = link.recvfrom(1 << 17)
        except TimeoutError:
            continue
        frame = got[VNET.size :]
        if address[2] == socket.PACKET_OUTGOING:
            continue
        packet = Packet(frame)
        if packet.l4 is None:
            continue
        largest = max(largest, len(frame))
        announced.add(packet.announced())
        if VNET.unpack_from(got)[0] & NEEDS_CSUM:
            kind = "partial" if packet.completable() else "wrong"
        else:
            kind = "whole" if packet.whole() else "wrong"
        if not packet.header_good:
            kind = "wrong"
        if kind == "wrong" and not example:
            example = got[: VNET.size].hex() + " " + frame[:90].hex()
        counts[kind] += 1
    _packets, overrun = struct.unpack("=II", link.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    report(**counts, largest=largest, overrun=overrun, example=example, mss=sorted(announced - {0}))


# ---- SCTP ----------------------------------------------------------------------------------------------------


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _bit in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack("<I", ~crc & 0xFFFFFFFF)


def sctp_link(device):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    link.bind((device, ETH_P_ALL))
    return link


def chunk(options):
    sctp = struct.pack("!HHII", 5000, 5000, 0, 0) + bytes([1, 0, 0, 20]) + bytes(16)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(sctp), 0, 0, 64, 132, 0, bytes(4), socket.inet_aton(options.address))
    ip = ip[:10] + struct.pack("!H", 0xFFFF - ones_sum(ip)) + ip[12:]
    vnet = VNET.pack(NEEDS_CSUM, 0, 0, 0, 34, 8)
    sctp_link(options.device).send(vnet + b"\xff" * 6 + b"\2\0\0\0\0\1" + b"\x08\0" + ip + sctp)


def chunks(options):
    link = sctp_link(options.device)
    link.settimeout(options.patience)
    print("ready", flush=True)
    while True:
        got = link.recv(1 << 17)
        frame = got[VNET.size :]
        if frame[12:14] == b"\x08\0" and frame[23] == 132:
            break
    sctp = frame[34 : 14 + int.from_bytes(frame[16:18], "big")]
    right = sctp[8:12] == crc32c(sctp[:8] + bytes(4) + sctp[12:]) and not VNET.unpack_from(got)[0] & NEEDS_CSUM
    report(right=int(right), wrong=int(not right))


def main():
    parser = argparse.ArgumentParser(description="flows whose every byte and whose order is known")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in (("serve", serve), ("send", send), ("collect", collect), ("scatter", scatter)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        if run in (send, scatter):
            command.add_argument("address")
        command.add_argument("--port", type=int, default=5001)
        command.add_argument("--patience", type=float, default=20, help="seconds without progress before giving up")
        command.add_argument("--mib", type=int, default=10)
        command.add_argument("--count", type=int, default=10000)
        command.add_argument("--size", type=int, default=1200)
        command.add_argument("--rate", type=float, default=10000)
        command.add_argument("--segments", type=int, default=1)
    for name, run in (("chunk", chunk), ("chunks", chunks)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--device", default="eth0")
        command.add_argument("--patience", type=float, default=20)
        if run is chunk:
            command.add_argument("address")
    command = commands.add_parser("checksums")
    command.set_defaults(run=checksums)
    command.add_argument("--device", default="eth0")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        options.run(options)
    except OSError as err:
        sys.exit(f"flows.py {options.command}: {err}")


main()
