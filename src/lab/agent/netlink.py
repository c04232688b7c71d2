"""The little of netlink that is needed often: connections and neighbours of the namespace one is in."""
import socket
import struct

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_DELETE = (1 << 8) | 1, (1 << 8) | 2
RTM_DELNEIGH, RTM_GETNEIGH = 29, 30
NUD_PERMANENT, NUD_NOARP, NUD_INCOMPLETE, NUD_PROBE = 0x80, 0x40, 0x01, 0x10
TCP_STATES = [
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
    "SYN_SENT2",
]
SCTP_STATES = [
    "NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
    "SHUTDOWN_ACK_SENT",
]


def request(family, kind, flags, payload):
    """Sends one message and gives the payloads that come back."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind((0, 0))
        s.send(struct.pack("=IHHII", 16 + len(payload), kind, flags | NLM_F_REQUEST, 1, 0) + payload)
        answers = []
        while True:
            data = s.recv(1 << 18)
            while data:
                length, kind, _, _, _ = struct.unpack_from("=IHHII", data)
                if kind == NLMSG_DONE:
                    return answers
                if kind == NLMSG_ERROR:
                    code = struct.unpack_from("=i", data, 16)[0]
                    if code != 0:
                        raise OSError(-code, "netlink")
                    return answers
                answers.append(data[16:length])
                data = data[(length + 3) & ~3:]


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def flush_conntrack():
    request(NETLINK_NETFILTER, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, struct.pack("=BBH", socket.AF_INET, 0, 0))


def tuple_of(data):
    parts = attributes(data)
    ip, proto = attributes(parts[1]), attributes(parts[2])
    number = proto[1][0]
    source, destination = socket.inet_ntoa(ip[1]), socket.inet_ntoa(ip[2])
    if 2 not in proto:
        return number, f"{source}>{destination}"
    sport, dport = struct.unpack(">H", proto[2])[0], struct.unpack(">H", proto[3])[0]
    return number, f"{source}:{sport}>{destination}:{dport}"


def conntrack():
    """The entries as `conntrack -L` lists them."""
    rows = []
    names = {1: "icmp", 6: "tcp", 17: "udp", 132: "sctp"}
    for answer in request(NETLINK_NETFILTER, IPCTNL_MSG_CT_GET, NLM_F_DUMP, struct.pack("=BBH", socket.AF_INET, 0, 0)):
        parts = attributes(answer[4:])
        number, original = tuple_of(parts[1])
        status = struct.unpack(">I", parts[3])[0]
        state = None
        if 4 in parts:
            info = attributes(parts[4])
            if 1 in info:
                state = TCP_STATES[attributes(info[1])[1][0]]
            elif 3 in info:
                state = SCTP_STATES[attributes(info[3])[1][0]]
        rows.append({
            "protocol": names.get(number, str(number)),
            "original": original,
            "reply": tuple_of(parts[2])[1],
            "state": state,
            "flags": ([] if status & 2 else ["UNREPLIED"]) + (["ASSURED"] if status & 4 else []),
            "mark": struct.unpack(">I", parts[8])[0] if 8 in parts else 0,
        })
    return rows


def flush_neighbours():
    """`ip neigh flush all`: everything that was learned. True when packets may have waited, which are complained of now."""
    asking = False
    head = struct.Struct("=BBHiHBB")
    for answer in request(NETLINK_ROUTE, RTM_GETNEIGH, NLM_F_DUMP, head.pack(socket.AF_INET, 0, 0, 0, 0, 0, 0)):
        family, _, _, index, state, _, _ = head.unpack_from(answer)
        if state & (NUD_PERMANENT | NUD_NOARP):
            continue
        asking = asking or bool(state & (NUD_INCOMPLETE | NUD_PROBE))
        address = attributes(answer[12:])[1]
        message = head.pack(family, 0, 0, index, 0, 0, 0) + struct.pack("=HH", 8, 1) + address
        try:
            request(NETLINK_ROUTE, RTM_DELNEIGH, NLM_F_ACK, message)
        except OSError:
            pass  # gone by itself meanwhile
    return asking
