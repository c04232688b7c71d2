"""Sends UDP datagrams as fast as one core can, from one network namespace into another, and counts what arrives.

One JSON object on the command line says what; one JSON object on standard output says what came of it. The sender is in
the namespace `from`, the receiver, a child, in `to`; neither ever has a socket outside them. `sendmmsg` takes a batch
at a time, so that what is measured is the kernel, not this program.
"""
import ctypes
import json
import os
import socket
import struct
import sys
import time
import traceback

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 64 << 20
IP_UDP_HEADER = 28
RECEIVER_NAP_S = 0.001
SETTLE_S = 0.05
libc = ctypes.CDLL(None, use_errno=True)


class Header(ctypes.Structure):
    """struct msghdr"""

    _fields_ = [
        ("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.c_void_p), ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int),
    ]


class Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = [("header", Header), ("length", ctypes.c_uint32)]


class Batch:
    """So many messages, each with its piece of one buffer."""

    def __init__(self, count, size):
        self.count = count
        self.buffer = bytearray(count * size)
        start = ctypes.addressof((ctypes.c_char * len(self.buffer)).from_buffer(self.buffer))
        self.pieces = (ctypes.c_size_t * (2 * count))(*(word for i in range(count) for word in (start + i * size, size)))
        pieces, piece = ctypes.addressof(self.pieces), 2 * ctypes.sizeof(ctypes.c_size_t)
        self.messages = (Message * count)()
        for i, message in enumerate(self.messages):
            message.header.iov, message.header.iovlen = pieces + i * piece, 1
        # found once: finding them costs as much as a system call
        self.address = ctypes.byref(self.messages)


def enter(path):
    if not path.startswith("/run/netns/"):
        raise SystemExit(f"{path} is no namespace made for this")
    fd = os.open(path, os.O_RDONLY)
    if os.path.samestat(os.fstat(fd), os.stat("/proc/self/ns/net")):
        raise SystemExit(f"{path} is the namespace that this was started in")
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns {path}")
    os.close(fd)


def receive(plan, ready, stop, counts):
    """Counts datagrams until `stop` is closed and no more come. Sleeps between, so that no arrival has to wake it."""
    os.sched_setaffinity(0, {plan["receiverCore"]})
    enter(plan["to"])
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    s.bind(("0.0.0.0", plan["targetPort"]))
    batch = Batch(1024, 64)
    os.set_blocking(stop, False)
    os.write(ready, b"r")
    count, stopping = 0, False
    while True:
        got = libc.recvmmsg(s.fileno(), batch.address, batch.count, socket.MSG_DONTWAIT, None)
        if got > 0:
            count += got
            continue
        if stopping:
            break
        time.sleep(RECEIVER_NAP_S)
        try:
            stopping = os.read(stop, 1) == b""
        except BlockingIOError:
            pass
    os.write(counts, str(count).encode())


def established(plan):
    """One flow: a connected socket. Its first datagram, sent here, is the one that is no established flow's yet."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", plan["firstPort"]))
    s.connect((plan["destination"], plan["port"]))
    s.send(bytes(plan["payload"]))
    batch = Batch(plan["batch"], plan["payload"])
    return s, batch, lambda first: None


def new(plan):
    """A flow a packet: a raw socket, and in each packet's UDP header the next source port."""
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    s.connect((plan["destination"], 0))
    size = IP_UDP_HEADER + plan["payload"]
    batch = Batch(plan["batch"], size)
    addresses = socket.inet_aton(s.getsockname()[0]) + socket.inet_aton(plan["destination"])
    # the kernel fills in the header's identification and checksum; no UDP checksum: 0
    header = struct.pack(">BBHHHBBH8s", 0x45, 0, size, 0, 0x4000, 64, socket.IPPROTO_UDP, 0, addresses)
    udp = struct.pack(">HHHH", 0, plan["port"], 8 + plan["payload"], 0)
    batch.buffer[:] = (header + udp + bytes(plan["payload"])) * batch.count
    ports = range(plan["firstPort"], plan["firstPort"] + plan["packets"] + batch.count)
    high, low = bytes(port >> 8 & 255 for port in ports), bytes(port & 255 for port in ports)

    def number(first):
        last = first + batch.count
        batch.buffer[20::size] = high[first:last]
        batch.buffer[21::size] = low[first:last]

    return s, batch, number


def send(plan):
    """Until so many packets are sent or the time is up; packets and seconds."""
    os.sched_setaffinity(0, {plan["senderCore"]})
    enter(plan["from"])
    s, batch, number = {"established": established, "new": new}[plan["kind"]](plan)
    fd, sendmmsg, now = s.fileno(), libc.sendmmsg, time.monotonic
    time.sleep(SETTLE_S)
    sent, start = 0, now()
    end = start + plan["seconds"]
    while sent + batch.count <= plan["packets"] and now() < end:
        number(sent)
        done = sendmmsg(fd, batch.address, batch.count, 0)
        if done != batch.count:
            raise OSError(ctypes.get_errno(), f"sendmmsg sent {done} of {batch.count}")
        sent += done
    return sent, now() - start


def main():
    plan = json.loads(sys.argv[1])
    ready, child_ready = os.pipe()
    child_stop, stop = os.pipe()
    counts, child_counts = os.pipe()
    if os.fork() == 0:
        os.close(stop)
        try:
            receive(plan, child_ready, child_stop, child_counts)
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    for fd in (child_ready, child_stop, child_counts):
        os.close(fd)
    if os.read(ready, 1) != b"r":
        raise SystemExit("the receiver did not start")
    sent, seconds = send(plan)
    os.close(stop)
    received = int(os.read(counts, 32))
    os.wait()
    first = 1 if plan["kind"] == "established" else 0
    print(json.dumps({"sent": sent, "seconds": seconds, "received": received - first}))


main()
