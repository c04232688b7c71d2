"""Listens to every device of every namespace: what crossed it, in which direction, when."""
import base64
import socket
import struct
import time

SO_TIMESTAMPNS = 35
ETH_P_ALL = 3
PACKET_OUTGOING = 4
ARPHRD_NONE = 0xFFFE
ETH_P_IP, ETH_P_ARP = 0x0800, 0x0806


class Sniffer:
    def __init__(self, loop):
        self.loop = loop
        self.frames = []
        self.last = 0.0
        self.sockets = []

    def listen(self, netns):
        """Call it inside the namespace."""
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        s.setblocking(False)
        self.sockets.append((netns, s))
        self.loop.watch(s, lambda: self.read(netns, s))

    def read(self, netns, s):
        while True:
            try:
                data, ancillary, _, (device, ether_type, kind, hardware, _) = s.recvmsg(1 << 17, 64)
            except BlockingIOError:
                return
            except OSError:
                continue
            if ether_type not in (ETH_P_IP, ETH_P_ARP):
                continue
            self.last = time.monotonic()
            seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2][:16])
            self.frames.append([netns, device, "tx" if kind == PACKET_OUTGOING else "rx",
                                "raw" if hardware == ARPHRD_NONE else "ethernet", data,
                                seconds + nanoseconds / 1e9])

    def take(self, start):
        """What was seen since the last time, in its order; times in microseconds after `start` of the system's clock."""
        for netns, s in self.sockets:
            self.read(netns, s)
        frames, self.frames = sorted(self.frames, key=lambda frame: frame[5]), []
        return [[netns, device, direction, link, base64.b64encode(data).decode(), round((at - start) * 1e6)]
                for netns, device, direction, link, data, at in frames]
