#!/usr/bin/env python3
"""Numbered, checksummed Ethernet frames between VMs: who lost, doubled, reordered or damaged one?

frames.py send --to MAC [--count N] [--rate PPS] [--size BYTES] [--stream ID] [--vlan VID] [--type ETHERTYPE]
    sends, then prints what it sent as JSON; SIGTERM ends it early
frames.py recv
    prints "ready", counts until SIGTERM, then prints one JSON object, by stream:
    received, highest (number seen), duplicates, corrupt, missing (below the highest), reordered, gap_ms (the longest time without a
    frame), first and last (seconds since 1970), vlan (the tags seen); and "overrun": frames that this receiver was
    too slow for, which would make "missing" no fault of the fabric.  --watch MAC counts any frames from MAC as "watched".

A frame's payload: magic 8 | stream 4 | number 8 | body, a slice of a fixed random table | CRC-32 of all before, 4.
"""
import argparse
import json
import random
import signal
import socket
import struct
import sys
import time
import zlib

MAGIC = b"weft-e2e"
HEADER = struct.Struct("!8sIQ")
CRC = struct.Struct("!I")
TABLE = random.Random(4754).randbytes(65536 + 9216)
ETH_P_ALL = 3
ETH_P_8021Q = 0x8100
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_AUXDATA = 8
TP_STATUS_VLAN_VALID = 0x10

stopping = False


def stop(_signal, _frame):
    global stopping
    stopping = True


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def send(options):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((options.device, 0))
    source = link.getsockname()[4]
    tag = struct.pack("!HH", ETH_P_8021Q, options.vlan) if options.vlan is not None else b""
    ethernet = mac(options.to) + source + tag + struct.pack("!H", options.type)
    body_bytes = options.size - len(ethernet) + len(tag) - HEADER.size - CRC.size
    if body_bytes < 0:
        sys.exit(f"frames.py: --size must be at least {options.size - body_bytes}")
    started = time.monotonic()
    sent = refused = 0
    while not stopping and (options.count == 0 or sent < options.count):
        ahead = sent / options.rate - (time.monotonic() - started)
        if ahead > 0:
            time.sleep(ahead)
        offset = sent * 7919 % 65536
        payload = HEADER.pack(MAGIC, options.stream, sent) + TABLE[offset : offset + body_bytes]
        try:
            link.send(ethernet + payload + CRC.pack(zlib.crc32(payload)))
        except OSError:  # the device is full or down: counted, since no one else will
            refused += 1
        sent += 1
    print(json.dumps({"sent": sent, "refused": refused, "seconds": round(time.monotonic() - started, 3)}))


class Stream:
    def __init__(self):
        self.seen = set()
        self.highest = -1
        self.duplicates = self.corrupt = self.reordered = 0
        self.first = self.last = self.longest_gap = 0.0
        self.vlans = set()

    def arrived(self, number, good, vlan, now):
        if not good:
            self.corrupt += 1
            return
        if number in self.seen:
            self.duplicates += 1
            return
        self.seen.add(number)
        if number < self.highest:
            self.reordered += 1
        self.highest = max(self.highest, number)
        self.vlans.add(vlan)
        if self.first:
            self.longest_gap = max(self.longest_gap, now - self.last)
        else:
            self.first = now
        self.last = now

    def report(self):
        return {
            "received": len(self.seen),
            "highest": self.highest,
            "duplicates": self.duplicates,
            "corrupt": self.corrupt,
            "missing": self.highest + 1 - len(self.seen),
            "reordered": self.reordered,
            "gap_ms": round(self.longest_gap * 1000),
            "first": round(self.first, 3),
            "last": round(self.last, 3),
            "vlan": sorted(self.vlans),
        }


def good_payload(payload, number):
    """Is this, padding of short frames aside, the very payload that was sent as `number`?"""
    offset = number * 7919 % 65536
    end = len(payload) - CRC.size
    body = payload[HEADER.size : end]
    return body == TABLE[offset : offset + len(body)] and CRC.unpack(payload[end:])[0] == zlib.crc32(payload[:end])


def vlan_of(auxiliary):
    for _level, _kind, data in auxiliary:
        status, _len, _snaplen, _mac, _net, tci = struct.unpack("=IIIHHH", data[:18])
        if status & TP_STATUS_VLAN_VALID:
            return tci & 0xFFF
    return 0


def recv(options):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    link.bind((options.device, ETH_P_ALL))
    # promiscuous, as a nested hypervisor's port is
    link.setsockopt(SOL_PACKET, 1, struct.pack("=iHH8s", socket.if_nametoindex(options.device), 1, 0, b""))
    link.settimeout(0.05)
    streams = {}
    watch, watched = mac(options.watch) if options.watch else None, 0
    print("ready", flush=True)
    while not stopping:
        try:
            frame, auxiliary, _flags, address = link.recvmsg(65536, 256)
        except TimeoutError:
            continue
        except OSError:
            continue
        watched += address[2] != socket.PACKET_OUTGOING and frame[6:12] == watch
        if address[2] == socket.PACKET_OUTGOING or frame[14:22] != MAGIC or len(frame) < 14 + HEADER.size + CRC.size:
            continue
        now = time.time()
        _magic, stream, number = HEADER.unpack_from(frame, 14)
        streams.setdefault(stream, Stream()).arrived(number, good_payload(frame[14:], number), vlan_of(auxiliary), now)
    _packets, overrun = struct.unpack("=II", link.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    report = {str(key): stream.report() for key, stream in sorted(streams.items())}
    print(json.dumps({"streams": report, "overrun": overrun, "watched": watched}), flush=True)


def main():
    parser = argparse.ArgumentParser(description="numbered, checksummed Ethernet frames")
    commands = parser.add_subparsers(dest="command", required=True)
    sender = commands.add_parser("send")
    sender.add_argument("--to", default="ff:ff:ff:ff:ff:ff")
    sender.add_argument("--count", type=int, default=100, help="0: until SIGTERM")
    sender.add_argument("--rate", type=float, default=1000.0, help="frames per second")
    sender.add_argument("--size", type=int, default=100, help="bytes of the frame without a tag")
    sender.add_argument("--stream", type=int, default=1)
    sender.add_argument("--vlan", type=int)
    sender.add_argument("--type", type=lambda text: int(text, 0), default=0x88B5)
    receiver = commands.add_parser("recv")
    receiver.add_argument("--watch", metavar="MAC")
    for command in (sender, receiver):
        command.add_argument("--device", default="eth0")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.command == "send":
        send(options)
    else:
        recv(options)


main()
