"""Processes that listen: each answers what it gets with so many bytes and tells who asked."""
import socket
import struct

IP_PKTINFO, IP_TTL, IP_RECVTTL = 8, 2, 12
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "sctp": socket.SOCK_STREAM}


class Server:
    """One listener. `loop` watches its sockets, `saw` is called with what a receiver saw."""

    def __init__(self, netns, plan, loop, saw):
        self.netns, self.loop, self.saw = netns, loop, saw
        self.protocol, self.owner, self.bytes = plan["protocol"], plan["owner"], plan["bytes"]
        number = socket.IPPROTO_SCTP if self.protocol == "sctp" else 0
        s = socket.socket(socket.AF_INET, KINDS[self.protocol], number)
        s.setblocking(False)
        if self.protocol == "udp":
            s.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        else:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((plan["address"], plan["port"]))
        if self.protocol != "udp":
            s.listen(64)
        self.port = plan["port"]
        self.socket = s
        self.accepted = set()
        loop.watch(s, self.datagram if self.protocol == "udp" else self.accept)

    def told(self, source, destination, ttl, size):
        self.saw({"netns": self.netns, "owner": self.owner, "protocol": self.protocol, "source": source,
                  "destination": destination, "ttl": ttl, "bytes": size})

    def datagram(self):
        while True:
            try:
                data, ancillary, _, peer = self.socket.recvmsg(65535, 256)
            except BlockingIOError:
                return
            except OSError:
                continue
            local, answer_from, ttl = "0.0.0.0", b"\0" * 4, None
            for level, kind, info in ancillary:
                if kind == IP_PKTINFO:
                    answer_from, local = info[4:8], socket.inet_ntoa(info[8:12])
                elif kind == IP_TTL:
                    ttl = struct.unpack("=i", info[:4])[0]
            self.told(f"{peer[0]}:{peer[1]}", f"{local}:{self.port}", ttl, len(data))
            if self.bytes == 0:
                continue
            info = struct.pack("=i4s4s", 0, answer_from, b"\0" * 4)
            try:
                self.socket.sendmsg([bytes(self.bytes)], [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0, peer)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                s, peer = self.socket.accept()
            except OSError:
                return
            s.setblocking(False)
            local = s.getsockname()
            self.told(f"{peer[0]}:{peer[1]}", f"{local[0]}:{local[1]}", None, 0)
            self.accepted.add(s)
            self.loop.watch(s, lambda: self.stream(s))

    def stream(self, s):
        try:
            data = s.recv(1 << 18)
            if data and self.bytes > 0:
                s.send(bytes(self.bytes))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(s)

    def drop(self, s):
        self.loop.forget(s)
        self.accepted.discard(s)
        s.close()

    def reset(self):
        for s in list(self.accepted):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
            self.drop(s)

    def close(self):
        self.reset()
        self.loop.forget(self.socket)
        self.socket.close()
