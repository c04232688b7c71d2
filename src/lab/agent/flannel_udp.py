"""flannel's udp proxy: a process between a TUN device and a UDP socket (backend/udp/proxy.c of flannel 0.9)."""
import fcntl
import os
import socket
import struct

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
IP_HLEN = 20
# sizeof(struct iphdr) + MAX_IPOPTLEN
HEADER_LIMIT = 60


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Proxy:
    """Made inside the node's namespace; `serve` it where its file descriptors become readable."""

    def __init__(self, name):
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN | IFF_NO_PI))
        self.sock = None

    def start(self, plan):
        """The node's address is on its NIC now: binds the socket and takes the leases over."""
        self.buffer = plan["mtu"]
        self.tun_address = socket.inet_aton(plan["tunAddress"])
        self.port = plan["port"]
        self.routes = []
        for subnet, length, next_hop in plan["leases"]:
            self.set_route(struct.unpack("!I", socket.inet_aton(subnet))[0], length, next_hop)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((plan["address"], self.port))

    def set_route(self, subnet, length, next_hop):
        mask = (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
        for entry in self.routes:
            if entry[0] == subnet and entry[1] == mask:
                entry[2] = next_hop
                return
        self.routes.append([subnet, mask, next_hop])

    def find_route(self, address):
        number = struct.unpack("!I", address)[0]
        for i, entry in enumerate(self.routes):
            if number & entry[1] == entry[0]:
                self.routes[0], self.routes[i] = self.routes[i], self.routes[0]
                return self.routes[0][2]
        return None

    def tun_to_udp(self):
        while True:
            try:
                packet = bytearray(os.read(self.tun, self.buffer))
            except BlockingIOError:
                return
            if len(packet) < IP_HLEN:
                continue
            next_hop = self.find_route(bytes(packet[16:20]))
            if next_hop is None:
                self.send_net_unreachable(packet)
            elif decrement_ttl(packet):
                try:
                    self.sock.sendto(packet, (next_hop, self.port))
                except OSError:
                    pass  # flannel logs it and goes on

    def udp_to_tun(self):
        while True:
            try:
                packet = bytearray(self.sock.recv(self.buffer))
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error: logged, no more
            if len(packet) >= IP_HLEN and decrement_ttl(packet):
                self.write(packet)

    def send_net_unreachable(self, offender):
        header = (offender[0] & 15) * 4
        fragment = struct.unpack_from("!H", offender, 6)[0] & 0x1FFF
        if header >= HEADER_LIMIT or offender[9] == socket.IPPROTO_ICMP or fragment != 0:
            return
        quoted = bytes(offender[:header + 8]).ljust(header + 8, b"\0")
        icmp = struct.pack("!BBHI", 3, 0, 0, 0) + quoted
        icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, IP_HLEN + len(icmp), 0, 0, 8, socket.IPPROTO_ICMP, 0,
                         self.tun_address, bytes(offender[12:16]))
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.write(ip + icmp)

    def write(self, packet):
        try:
            os.write(self.tun, packet)
        except OSError:
            pass  # the kernel refuses what is no IP packet; flannel logs it


def decrement_ttl(packet):
    packet[8] = (packet[8] - 1) & 0xFF
    if packet[8] == 0:
        return False
    total = struct.unpack_from("!H", packet, 10)[0] + 0x100
    struct.pack_into("!H", packet, 10, (total & 0xFFFF) + (total >> 16))
    return True
