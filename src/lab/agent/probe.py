"""Sends one flow and tells what the sending process saw."""
import errno
import select
import socket
import struct
import time

IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_RECVTTL = 2, 10, 11, 12
DISCOVERY = {"dont": 0, "want": 1, "do": 2}
SO_EE_ORIGIN_ICMP = 2


class Probe:
    """One flow from the namespace that one is in. `done` when its process needs to wait no longer."""

    def __init__(self, flow):
        self.flow = flow
        self.seen = {"errno": None, "connected": False, "replies": [], "errors": []}
        self.done = False
        try:
            self.socket = {"tcp": self.tcp, "udp": self.udp, "icmp": self.icmp}[flow["protocol"]]()
        except OSError as error:
            self.failed(error.errno)

    def open(self, kind, protocol=0):
        flow = self.flow
        s = self.socket = socket.socket(socket.AF_INET, kind, protocol)
        s.setblocking(False)
        if kind == socket.SOCK_STREAM:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
            s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DISCOVERY[flow["discovery"]])
        if flow.get("ttl") is not None:
            s.setsockopt(socket.IPPROTO_IP, IP_TTL, flow["ttl"])
        s.bind((flow.get("bind") or "0.0.0.0", flow["sourcePort"]))
        return s

    def tcp(self):
        s = self.open(socket.SOCK_STREAM)
        code = s.connect_ex((self.flow["destination"], self.flow["port"]))
        if code not in (0, errno.EINPROGRESS):
            self.failed(code)
        return s

    def udp(self):
        s = self.open(socket.SOCK_DGRAM)
        s.sendto(bytes(self.flow["size"]), (self.flow["destination"], self.flow["port"]))
        return s

    def icmp(self):
        s = self.open(socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
        s.sendto(struct.pack("!BBHHH", 8, 0, 0, 0, 1) + bytes(self.flow["size"]), (self.flow["destination"], 0))
        return s

    def failed(self, code):
        self.seen["errno"] = errno.errorcode.get(code, str(code))
        self.done = True

    def look(self):
        """Takes what has come since the last look."""
        if self.socket is None or self.socket.fileno() < 0:
            return
        if self.flow["protocol"] == "tcp":
            self.look_tcp()
        else:
            self.look_errors()
            self.look_datagrams()

    def look_tcp(self):
        if self.seen["connected"]:
            self.look_stream()
            return
        if self.done:
            return
        poll = select.poll()
        poll.register(self.socket, select.POLLOUT)
        if not poll.poll(0):
            return
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code != 0:
            self.failed(code)
            return
        self.seen["connected"] = True
        if self.flow["size"] > 0:
            self.socket.send(bytes(self.flow["size"]))
        else:
            self.done = True

    def look_stream(self):
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            self.failed(error.errno)
            return
        if data:
            self.seen["replies"].append({"from": None, "ttl": None, "bytes": len(data)})
        self.done = True

    def look_datagrams(self):
        while True:
            try:
                data, ancillary, _, peer = self.socket.recvmsg(65535, 256)
            except BlockingIOError:
                return
            except OSError as error:
                if self.seen["errno"] is None:
                    self.seen["errno"] = errno.errorcode.get(error.errno, str(error.errno))
                continue
            ttl = next((struct.unpack("=i", d[:4])[0] for _, t, d in ancillary if t == IP_TTL), None)
            self.seen["replies"].append({"from": f"{peer[0]}:{peer[1]}", "ttl": ttl, "bytes": len(data)})
            self.done = True

    def look_errors(self):
        while True:
            try:
                _, ancillary, _, _ = self.socket.recvmsg(65535, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            for _, kind, info in ancillary:
                if kind != IP_RECVERR:
                    continue
                code, origin, icmp_type, icmp_code, _, mtu, _ = struct.unpack_from("=IBBBBII", info)
                if origin != SO_EE_ORIGIN_ICMP:
                    continue
                offender = socket.inet_ntoa(info[20:24])
                self.seen["errors"].append({"errno": errno.errorcode.get(code, str(code)), "type": icmp_type,
                                            "code": icmp_code, "from": offender, "mtu": mtu or None})
                self.done = True

    def close(self):
        """Lets go at once: a connection ends with a reset. What has been let go of stays so."""
        if self.socket is None or self.socket.fileno() < 0:
            return
        if self.flow["protocol"] == "tcp":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        self.socket.close()

    socket = None


def wait(probe, loop, sniffer, timeout, quiet):
    """Until the process has what it waits for, or its patience ends, and then until nothing moves any more."""
    end = time.monotonic() + timeout
    while not probe.done and (left := end - time.monotonic()) > 0:
        loop.once(min(left, 0.002))
        probe.look()
    finished = probe.done
    settle(loop, sniffer, quiet)
    probe.look()
    return finished


def settle(loop, sniffer, quiet):
    """Until nothing has moved for a while; two seconds at most."""
    patience = time.monotonic() + 2
    sniffer.last = max(sniffer.last, time.monotonic())
    while time.monotonic() < min(sniffer.last + quiet, patience):
        loop.once(0.002)
