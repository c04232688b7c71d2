"""Listens to every device of every namespace: what crossed it, in which direction, when.

Frames are copied into a ring the moment they pass (PACKET_RX_RING). A plain packet socket would keep clones instead:
their bytes still change with what the kernel does next, and a cloned packet is fragmented along another path.
"""
import base64
import mmap
import socket
import struct
import time

SOL_PACKET, PACKET_RX_RING, PACKET_VERSION, TPACKET_V2 = 263, 5, 10, 1
ETH_P_ALL = 3
PACKET_OUTGOING = 4
ARPHRD_NONE = 0xFFFE
ETH_P_IP, ETH_P_ARP = 0x0800, 0x0806
FRAME, FRAMES, BLOCK = 8192, 256, 65536
STATUS_KERNEL, STATUS_USER = 0, 1
ADDRESS_AT = 32


class Ring:
    """The packet socket of one namespace; made inside it, once its devices are there."""

    def __init__(self, netns):
        self.netns = netns
        self.names = {index: name for index, name in socket.if_nameindex()}
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        blocks = FRAME * FRAMES // BLOCK
        self.socket.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack("=IIII", BLOCK, blocks, FRAME, FRAMES))
        self.memory = mmap.mmap(self.socket.fileno(), FRAME * FRAMES)
        self.next = 0

    def read(self):
        while True:
            at = self.next * FRAME
            status, _, kept, mac = struct.unpack_from("=IIIH", self.memory, at)
            if status & STATUS_USER == 0:
                return
            seconds, nanoseconds = struct.unpack_from("=II", self.memory, at + 16)
            (protocol,) = struct.unpack_from("!H", self.memory, at + ADDRESS_AT + 2)
            index, hardware, kind = struct.unpack_from("=iHB", self.memory, at + ADDRESS_AT + 4)
            data = self.memory[at + mac:at + mac + kept]
            struct.pack_into("=I", self.memory, at, STATUS_KERNEL)
            self.next = (self.next + 1) % FRAMES
            if protocol in (ETH_P_IP, ETH_P_ARP):
                yield [self.netns, self.names.get(index, str(index)), "tx" if kind == PACKET_OUTGOING else "rx",
                       "raw" if hardware == ARPHRD_NONE else "ethernet", data, seconds + nanoseconds / 1e9]


class Sniffer:
    def __init__(self, loop):
        self.loop = loop
        self.frames = []
        self.last = 0.0
        self.rings = []

    def listen(self, netns):
        """Call it inside the namespace."""
        ring = Ring(netns)
        self.rings.append(ring)
        self.loop.watch(ring.socket, lambda: self.read(ring))

    def read(self, ring):
        before = len(self.frames)
        self.frames.extend(ring.read())
        if len(self.frames) > before:
            self.last = time.monotonic()

    def take(self, start):
        """What was seen since the last time, in its order; times in microseconds after `start` of the system's clock."""
        for ring in self.rings:
            self.read(ring)
        frames, self.frames = sorted(self.frames, key=lambda frame: frame[5]), []
        return [[netns, device, direction, link, base64.b64encode(data).decode(), round((at - start) * 1e6)]
                for netns, device, direction, link, data, at in frames]
