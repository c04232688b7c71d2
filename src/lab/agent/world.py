"""Namespaces as a plan wants them: made, entered, taken down again. Nothing outside them is touched."""
import ctypes
import os
import subprocess
import time

import netlink
from flannel_udp import Proxy

CLONE_NEWNET = 0x40000000
NETNS_DIR = "/run/netns"
libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """A command that a plan needs has failed."""


def command(argv, text=None):
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class World:
    def __init__(self, plan):
        self.plan = plan
        self.spaces = {}
        self.proxies = []
        self.current = None

    def enter(self, name):
        if self.current == name:
            return
        if libc.setns(self.spaces[name], CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")
        self.current = name

    def run(self, name, argv, text=None):
        self.enter(name)
        try:
            return command(argv, text)
        except Refused as error:
            raise Refused(f"{name}: {error}") from None

    def batch(self, name, lines, tool="ip"):
        if lines:
            self.run(name, [tool, "-batch", "-"], "\n".join(lines) + "\n")

    def sysctl(self, name, key, value):
        """True when the setting is there and has that value now."""
        self.enter(name)
        # as sysctl(8) has it, a dot inside a device's name is written as a slash
        path = "/proc/sys/" + "/".join(part.replace("/", ".") for part in key.split("."))
        try:
            with open(path) as f:
                if f.read().split() == str(value).split():
                    return True
            with open(path, "w") as f:
                f.write(str(value))
            return True
        except OSError:
            return False

    def build(self):
        """Gives what was refused and is no reason to stop: sysctls that this kernel does not let one set."""
        spaces = self.plan["namespaces"]
        command(["ip", "-batch", "-"], "".join(f"netns add {one['real']}\n" for one in spaces))
        for one in spaces:
            self.spaces[one["name"]] = os.open(f"{NETNS_DIR}/{one['real']}", os.O_RDONLY)
        refused = []

        def settle(key):
            for one in spaces:
                for name, value in one[key]:
                    if not self.sysctl(one["name"], name, value):
                        refused.append(f"{one['name']}: {name} = {value}")

        settle("sysctl")
        for one in spaces:
            self.batch(one["name"], one["machine"])
        for one in spaces:
            self.enter(one["name"])
            for tun in one["tuns"]:
                self.proxies.append((one["name"], Proxy(tun["name"]), tun))
        for one in spaces:
            self.batch(one["name"], one["wires"])
        settle("deviceSysctl")
        for key in ("links", "fdb", "config"):
            for one in spaces:
                self.batch(one["name"], one[key], "bridge" if key == "fdb" else "ip")
        for name, proxy, tun in self.proxies:
            self.enter(name)
            proxy.start(tun)
        for one in spaces:
            for account in one["accounts"]:
                self.run(one["name"], ["nfacct", "add", account])
            if one["rules"]:
                self.run(one["name"], [f"{self.plan['iptables']}-restore"], one["rules"])
        self.wait_for_carrier()
        return refused

    def wait_for_carrier(self):
        """Ports of a bridge forward, and devices have queues, only once the kernel has seen their carriers."""
        deadline = time.monotonic() + 5
        for one in self.plan["namespaces"]:
            while time.monotonic() < deadline:
                links = self.run(one["name"], ["ip", "-o", "link"])
                ports = self.run(one["name"], ["bridge", "link"]) if "master" in links else ""
                down = [line for line in links.splitlines() if ",UP" in line and "state DOWN" in line]
                # a bridge without ports has no carrier, ever
                waiting = [line for line in down if "master" in line or line.split(":")[1].strip() not in one["bridges"]]
                if not waiting and "LOWERLAYERDOWN" not in links and "state disabled" not in ports:
                    break
                time.sleep(0.02)

    def forget_neighbours(self):
        """True when packets waited for one, which are complained of now."""
        asking = False
        for one in self.plan["namespaces"]:
            self.enter(one["name"])
            asking = netlink.flush_neighbours() or asking
        return asking

    def forget_connections(self):
        """And path MTUs."""
        for one in self.plan["namespaces"]:
            self.enter(one["name"])
            if one["rules"]:
                netlink.flush_conntrack()
            self.sysctl_write("/proc/sys/net/ipv4/route/flush", "1")

    def sysctl_write(self, path, text):
        with open(path, "w") as f:
            f.write(text)

    def counters(self, names):
        """`iptables-save -c` of each, run side by side."""
        running = []
        for name in names:
            self.enter(name)
            argv = [f"{self.plan['iptables']}-save", "-c"]
            running.append((name, subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
        return {name: process.communicate()[0] for name, process in running}

    def conntrack(self, names):
        found = {}
        for name in names:
            self.enter(name)
            found[name] = netlink.conntrack()
        return found
