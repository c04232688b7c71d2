"""Does a situation in network namespaces of the real kernel and tells what could be seen.

Reads one situation as JSON from standard input and writes one JSON document. Every namespace is anonymous: it is
held by a file descriptor of this process and gone with it, however it ends. Nothing leads out of them.
"""
import ctypes, errno, json, mmap, os, select, socket, struct, subprocess, sys, time

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
situation = json.load(sys.stdin)
plan = situation["plan"]
spaces = {}


def check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def enter(name):
    check(libc.setns(spaces[name], CLONE_NEWNET))


def run(name, argv, text=None):
    enter(name)
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {' '.join(argv)}: {done.stderr}")
    return done.stdout


def sysctl(name, key, value):
    enter(name)
    parts = key.split(".")
    with open("/proc/sys/" + "/".join(parts), "w") as f:
        f.write(str(value))


DEFAULTS = {
    "net.ipv4.ip_forward": 0,
    **{f"net.ipv4.conf.{who}.{key}": value for who in ("all", "default") for key, value in {
        "rp_filter": 0, "route_localnet": 0, "accept_local": 0, "send_redirects": 1, "accept_redirects": 1,
        "shared_media": 1, "arp_ignore": 0, "arp_announce": 0}.items()},
    "net.ipv6.conf.all.disable_ipv6": 1,
    "net.ipv6.conf.default.disable_ipv6": 1,
}


def batch(name, lines):
    if lines:
        run(name, ["ip", "-batch", "-"], "\n".join(lines) + "\n")


def build():
    for name in plan["namespaces"]:
        check(libc.unshare(CLONE_NEWNET))
        spaces[name] = os.open("/proc/self/ns/net", os.O_RDONLY)
        for key, value in DEFAULTS.items():
            if os.path.exists("/proc/sys/" + key.replace(".", "/")):
                sysctl(name, key, value)
    macs = situation["macs"]
    for a, b in plan["veths"]:
        (na, da), (nb, db) = a.split(":"), b.split(":")
        peer = f"/proc/{os.getpid()}/fd/{spaces[nb]}"
        batch(na, [f"link add name {da} address {macs[a]} type veth peer name {db} address {macs[b]} netns {peer}"])
    for name, part in plan["namespaces"].items():
        lines = []
        for bridge, ports in part.get("bridges", {}).items():
            lines.append(f"link add name {bridge} address {macs[name + ':' + bridge]} type bridge mcast_snooping 0")
            lines += [f"link set {port} master {bridge}" for port in ports]
        lines += [f"link set {port} type bridge_slave hairpin on" for port in part.get("hairpin", [])]
        lines += [f"link set {dev} mtu {mtu}" for dev, mtu in part.get("mtu", {}).items()]
        batch(name, lines)
    for name, part in plan["namespaces"].items():
        for key, value in part.get("sysctl", {}).items():
            sysctl(name, key, value)
        devices = ["lo"] + [end.split(":")[1] for pair in plan["veths"] for end in pair if end.startswith(name + ":")]
        devices += list(part.get("bridges", {}))
        batch(name, [f"link set dev {dev} up" for dev in devices])
        batch(name, [f"addr add {a} dev {dev}" for dev, all_ in part.get("addresses", {}).items() for a in all_])
    for name, part in plan["namespaces"].items():
        batch(name, part.get("ip", []))
        text = situation["rules"][name]
        if text:
            run(name, ["iptables-legacy-restore"], text)


def wait_for_carrier():
    """The ports of a bridge forward, and devices have queues, only once linkwatch has seen their carriers."""
    deadline = time.time() + 3
    for name, part in plan["namespaces"].items():
        while time.time() < deadline:
            down = "state DOWN" in (out := run(name, ["ip", "-o", "link"])) or "LOWERLAYERDOWN" in out
            states = run(name, ["bridge", "link"]) if part.get("bridges") else ""
            if not down and "state disabled" not in states:
                break
            time.sleep(0.02)


sniffers, servers = [], {}


SOL_PACKET, PACKET_RX_RING, PACKET_VERSION, TPACKET_V2 = 263, 5, 10, 1
FRAME, FRAMES = 4096, 1024


class Sniffer:
    """Sees every frame of a namespace as it is when it crosses the tap: the ring's copies are made at once, whereas
    what recvfrom gives later shares its bytes with the packet on its way, which may have been rewritten by then."""

    def __init__(self, name):
        enter(name)
        self.name = name
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        request = struct.pack("=IIII", FRAME * FRAMES // 64, 64, FRAME, FRAMES)
        self.socket.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        self.ring = mmap.mmap(self.socket.fileno(), FRAME * FRAMES, mmap.MAP_SHARED)
        self.devices = dict(socket.if_nameindex())
        self.next = 0
        self.socket.bind(("lo", 0))
        libc.bind(self.socket.fileno(), struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(3), 0, 0, 0, 0, b""), 20)

    def fileno(self):
        return self.socket.fileno()

    def frames(self):
        while True:
            at = self.next * FRAME
            status, _, length, mac = struct.unpack_from("=IIIH", self.ring, at)
            if status & 1 == 0:
                return
            _, _, index, _, kind = struct.unpack_from("=HHiHB", self.ring, at + 32)
            data = self.ring[at + mac:at + mac + length]
            struct.pack_into("=I", self.ring, at, 0)
            self.next = (self.next + 1) % FRAMES
            yield f"{self.name}:{self.devices[index]}", "tx" if kind == 4 else "rx", data.hex()


def listen_in():
    for name in spaces:
        sniffers.append(Sniffer(name))


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


keep = []
IP_MTU_DISCOVER = 10
DISCOVERY = {"dont": 0, "want": 1, "do": 2}


def do(step):
    """Does one step; gives the errno of a send."""
    what = step["do"]
    if what == "wait":
        return None
    enter(step["in"] if "in" in step else step["at"].split(":")[0])
    try:
        if what == "send":
            data = bytes.fromhex(step["packet"])
            s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(socket.SOL_SOCKET, 32, 1 << 24)  # SO_SNDBUFFORCE
            for _ in range(step.get("times", 1)):
                s.sendto(data, (socket.inet_ntoa(data[16:20]), 0))
        elif what == "inject":
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            s.bind((step["at"].split(":")[1], 0))
            s.send(bytes.fromhex(step["packet"]))
        elif what == "udp":
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if "discovery" in step:
                s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DISCOVERY[step["discovery"]])
            if "from" in step:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(address(step["from"]))
            keep.append(s)
            s.sendto(bytes(step["bytes"]), address(step["to"]))
        elif what == "connect":
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(address(step["from"]))
            s.setblocking(False)
            result = s.connect_ex(address(step["to"]))
            keep.append(s)
            if result == errno.EINPROGRESS:
                return s
            if result:
                return errno.errorcode[result]
        elif what == "serve":
            kind = socket.SOCK_DGRAM if step["protocol"] == "udp" else socket.SOCK_STREAM
            s = socket.socket(socket.AF_INET, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if kind == socket.SOCK_DGRAM:
                s.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: answer from the address that was asked
            s.bind(address(step["at"]))
            s.setblocking(False)
            if kind == socket.SOCK_STREAM:
                s.listen(16)
            servers[s] = step
        elif what == "ip":
            run(step["in"], ["ip"] + step["words"].split())
        elif what == "sysctl":
            sysctl(step["in"], step["key"], step["value"])
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
    return None


def answer(s):
    step = servers[s]
    if step["protocol"] == "tcp":
        keep.append(s.accept()[0])
        return
    data, ancillary, _, peer = s.recvmsg(65535, 128)
    for level, kind, info in ancillary:
        if kind == 8:
            spec_dst = info[4:8]
            try:
                s.sendmsg([bytes(step.get("bytes", len(data)))],
                          [(socket.IPPROTO_IP, 8, struct.pack("=i4s4s", 0, spec_dst, b"\0" * 4))], 0, peer)
            except OSError:
                pass


def watch(ms, connecting):
    """Gathers what is seen for at least so long; the result of a connection if it comes."""
    frames, result = [], None
    end = time.monotonic() + ms / 1000
    while True:
        left = end - time.monotonic()
        waiting = [connecting] if connecting is not None and result is None else []
        ready, writable, _ = select.select(sniffers + list(servers), waiting, [], max(left, 0))
        if not ready and not writable and left <= 0:
            return frames, result
        for s in writable:
            try:
                s.getpeername()
                result = "connected"  # whatever SO_ERROR says of later, soft errors
            except OSError:
                result = errno.errorcode.get(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "ENOTCONN")
        for s in ready:
            if s in servers:
                answer(s)
                continue
            frames.extend(s.frames())


def main():
    build()
    wait_for_carrier()
    listen_in()
    seen = {"steps": [], "conntrack": {}, "counters": {}}
    watch(20, None)
    for step in situation["steps"]:
        result = do(step)
        connecting = result if isinstance(result, socket.socket) else None
        frames, connected = watch(step.get("ms", 0 if step["do"] == "serve" else situation["stepMs"]), connecting)
        if connecting is not None and connected is None:
            keep.remove(connecting)
            connecting.close()  # or it would go on sending SYNs for minutes
        outcome = connected if connecting is not None else result
        lines = []
        if situation["follow"]:
            for name in situation["inspect"]:
                lines += run(name, ["conntrack", "-L"]).splitlines()
        seen["steps"].append({"frames": frames, "errno": outcome, "connections": lines})
    for name in situation["inspect"]:
        seen["conntrack"][name] = run(name, ["conntrack", "-L"]).splitlines()
        seen["counters"][name] = run(name, ["iptables-legacy-save", "-c"]).splitlines()
    json.dump(seen, sys.stdout)


main()
