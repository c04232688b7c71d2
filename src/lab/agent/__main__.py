"""The lab's hands: reads requests, one JSON object a line, from standard input, and answers each with one line.

`serve` ends, and takes its namespaces with it, when standard input ends; `stay` goes on serving the daemons and
listeners of its namespaces until it gets SIGTERM.
"""
import json
import os
import signal
import subprocess
import sys
import time

from loop import Loop
from probe import Probe, settle, wait
from servers import Server
from sniffer import Sniffer
from world import NETNS_DIR, Refused, World, command


class Lab:
    def __init__(self):
        self.loop = Loop()
        self.sniffer = Sniffer(self.loop)
        self.world = None
        self.built = False
        self.servers = []
        self.receivers = []
        self.probe = None
        self.start = self.epoch = 0.0

    def build(self, request):
        plan = request["plan"]
        self.world = World(plan)
        refused = self.world.build()
        for name, proxy, _ in self.world.proxies:
            self.loop.watch(proxy.tun, proxy.tun_to_udp)
            self.loop.watch(proxy.sock, proxy.udp_to_tun)
        for one in plan["namespaces"]:
            self.world.enter(one["name"])
            if request["capture"] and one["capture"]:
                self.sniffer.listen(one["name"])
            for listener in one["listen"]:
                try:
                    self.servers.append(Server(one["name"], listener, self.loop, self.receivers.append))
                except OSError as error:
                    refused.append(f"{one['name']}: listen on {listener['protocol']} {listener['port']}: {error}")
        self.loop.run(0.02)
        self.sniffer.take(0)
        self.start, self.epoch = time.monotonic(), time.time()
        self.built = True
        return {"refused": refused}

    def now(self):
        return round((time.monotonic() - self.start) * 1e6)

    def flow(self, request):
        """One flow from beginning to end; what was seen of it everywhere."""
        closed = self.now()
        self.end_of_last()
        if request["forget"]:
            if self.world.forget_neighbours():
                settle(self.loop, self.sniffer, request["quietMs"] / 1000)
                self.world.forget_neighbours()
            self.world.forget_connections()
        self.loop.run(0.001)
        self.sniffer.take(0)
        self.receivers.clear()
        began = self.now()
        self.world.enter(request["from"])
        self.probe = Probe(request)
        self.probe.look()
        finished = wait(self.probe, self.loop, self.sniffer, request["timeoutMs"] / 1000, request["quietMs"] / 1000)
        if request["protocol"] == "tcp" and not self.probe.seen["connected"]:
            # or its next SYN would go out between flows, and choose an endpoint that nobody hears of
            self.probe.close()
        frames = self.sniffer.take(self.epoch)
        inspect = self.plan_names(lambda one: bool(one["rules"]))
        return {
            "closedUs": closed,
            "startUs": began,
            "finished": finished,
            "frames": frames,
            "sender": self.probe.seen,
            "receivers": list(self.receivers),
            "conntrack": self.world.conntrack(inspect),
            "counters": self.world.counters(inspect),
        }

    def plan_names(self, wanted):
        return [one["name"] for one in self.world.plan["namespaces"] if wanted(one)]

    def end_of_last(self):
        if self.probe is None:
            return
        self.probe.close()
        if self.probe.flow["protocol"] == "tcp":
            # the reset has a long way, through daemons of this very process
            settle(self.loop, self.sniffer, self.probe.flow["quietMs"] / 1000)
        self.probe = None
        for server in self.servers:
            server.reset()

    def counters(self, _):
        return {"counters": self.world.counters(self.plan_names(lambda one: bool(one["rules"])))}

    def change(self, request):
        """Settings and commands that alter the built namespaces: sysctls, `ip` and `bridge` lines, rules, listeners."""
        self.end_of_last()
        name = request["netns"]
        for key, value in request.get("sysctl", []):
            if not self.world.sysctl(name, key, value):
                raise Refused(f"{name}: cannot set {key}")
        self.world.batch(name, request.get("ip", []))
        self.world.batch(name, request.get("bridge", []), "bridge")
        if request.get("rules") is not None:
            self.world.run(name, [f"{self.world.plan['iptables']}-restore"], request["rules"])
        return {"nowUs": self.now()}

    def read(self, request):
        return {"output": self.world.run(request["netns"], request["argv"])}


def take_down(prefix):
    """Ends what still runs inside, then takes every namespace of that prefix away."""
    names = [name for name in (os.listdir(NETNS_DIR) if os.path.isdir(NETNS_DIR) else []) if name.startswith(prefix)]
    if names:
        command(["ip", "-batch", "-"], "".join(f"netns delete {name}\n" for name in sorted(names)))
    return sorted(names)


class Requests:
    """Lines of standard input, answered as they come while everything else goes on being served."""

    def __init__(self, lab, mode):
        self.lab, self.mode = lab, mode
        self.prefix = None
        self.ended = False
        self.rest = b""
        lab.loop.watch(0, self.read)

    def read(self):
        data = os.read(0, 1 << 20)
        if not data:
            self.lab.loop.forget(0)
            self.ended = True
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        # an answer's own waiting must not read the next request
        self.lab.loop.forget(0)
        for line in lines:
            self.answer(json.loads(line))
        self.lab.loop.watch(0, self.read)

    def answer(self, request):
        if request["do"] == "build":
            self.prefix = request["plan"]["prefix"]
        try:
            answer = {"ok": True, **getattr(self.lab, request["do"])(request)}
        except (Refused, OSError, subprocess.SubprocessError) as error:
            answer = {"ok": False, "error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def main():
    lab = Lab()
    requests = Requests(lab, sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        while not requests.ended or (requests.mode == "stay" and lab.built):
            lab.loop.once(3600)
    finally:
        if requests.prefix is not None:
            take_down(requests.prefix)


main()
