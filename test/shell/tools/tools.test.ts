import { describe, expect, it } from "vitest";
import { bareCluster, ok, sessionIn, tutorialSession, type } from "../session.ts";

/** Two nodes with a pod each, `a` on node1 (10.244.1.2) and `b` on node2 (10.244.2.2), both nginx. */
async function twoPods() {
  const session = sessionIn(bareCluster(2));
  await ok(
    session,
    "kubectl run a --image=nginx --restart=Never; kubectl run b --image=nginx --restart=Never; wait",
  );
  return session;
}

describe("curl", () => {
  it.each([
    ["curl http://10.0.0.1:81", 7, "curl: (7) Failed connect to 10.0.0.1:81; Connection refused\n"],
    ["curl http://10.0.0.77", 7, "curl: (7) Failed connect to 10.0.0.77:80; No route to host\n"],
    ["curl http://nowhere", 6, "curl: (6) Could not resolve host: nowhere; Unknown error\n"],
    ["curl http://x:99999", 3, "curl: (3) <url> malformed\n"],
    ["curl -s http://10.0.0.1:81", 7, ""],
    ["curl -s -o /dev/null -w '%{http_code}' http://10.244.1.2", 0, "200"],
    ["curl -sf http://10.244.1.2/nothing", 22, ""],
    ["curl -s http://10.244.1.2 | grep title", 0, "<title>Welcome to nginx!</title>\n"],
  ])("%s", async (command, code, text) => {
    expect(await type(await twoPods(), `ssh node1; ${command}`)).toEqual({ text, code });
  });

  it("waits no longer than it is told where packets disappear", async () => {
    const session = await twoPods();
    await ok(session, "ssh node2 iptables -I FORWARD -j DROP");
    const result = await type(session, "ssh node1 curl -m 3 http://10.244.2.2");
    expect(result).toEqual({ text: "curl: (28) Connection timed out after 3000 milliseconds\n", code: 28 });
  });

  it("leaves a line in the server's log, with the address that the server saw", async () => {
    const session = await twoPods();
    await ok(session, "kubectl exec a -- curl -s 10.244.2.2 > /dev/null");
    expect(await ok(session, "kubectl logs b")).toMatch(
      /^10\.244\.1\.0 - - \[06\/Nov\/2017.*"GET \/ HTTP\/1\.1" 200 612/,
    );
  });
});

describe("ping and traceroute", () => {
  it("say who answers, who does not, and why", async () => {
    const session = await twoPods();
    expect(await ok(session, "kubectl exec a -- ping -c 1 10.244.2.2")).toMatch(
      /^PING 10\.244\.2\.2 \(10\.244\.2\.2\) 56\(84\) bytes of data\.\n64 bytes from 10\.244\.2\.2: icmp_seq=1 ttl=60 time=/,
    );
    const far = await type(session, "kubectl exec a -- ping -c 1 -t 1 10.244.2.2");
    expect(far.text).toContain("From 10.244.1.1 icmp_seq=1 Time to live exceeded\n");
    const big = await type(session, "kubectl exec a -- ping -c 1 -M do -s 1472 10.244.2.2");
    expect(big.text).toContain("Frag needed and DF set (mtu = 1472)");
    const nobody = await type(session, "ssh node1 ping -c 1 10.0.0.77");
    expect(nobody.text).toContain("Destination Host Unreachable");
    expect(nobody.text).toContain("1 packets transmitted, 0 received");
  });

  it("name the routers on the way, and stars for the tunnel that says nothing", async () => {
    const printed = await ok(await twoPods(), "kubectl exec a -- traceroute -n -q 1 10.244.2.2");
    const hops = printed.split("\n").map((line) => line.replace(/ {2}[\d.]+ ms/, ""));
    expect(hops.slice(1, -1)).toEqual([
      " 1  10.244.1.1",
      " 2  *",
      " 3  *",
      " 4  10.244.2.0",
      " 5  10.244.2.2",
    ]);
  });
});

describe("what has crossed", () => {
  it("tcpdump shows a device's packets once, filtered", async () => {
    const session = await twoPods();
    await ok(session, "kubectl exec a -- curl -s 10.244.2.2 > /dev/null");
    const printed = await ok(session, "ssh node2 tcpdump -ni docker0 tcp port 80 2> /dev/null");
    const [first, second] = printed.split("\n");
    expect(first).toMatch(
      /^12:50:\d\d\.\d{6} IP 10\.244\.1\.0\.\d+ > 10\.244\.2\.2\.80: Flags \[S\], seq \d+, win 64240/,
    );
    expect(second).toMatch(/ IP 10\.244\.2\.2\.80 > 10\.244\.1\.0\.\d+: Flags \[S\.\], /);
    expect(await ok(session, "ssh node2 tcpdump -ni docker0 2> /dev/null")).toBe("");
    expect((await type(session, "ssh node2 tcpdump -i eth9")).text).toContain("eth9: No such device exists");
  });

  it("conntrack lists and deletes entries, counters of rules move", async () => {
    const session = await twoPods();
    await ok(
      session,
      "kubectl expose pod b --port=80 --type=NodePort --name=b; ssh client curl -s 10.0.0.1:30086 > /dev/null",
    );
    const entries = await ok(session, "ssh node1 conntrack -L -p tcp --dport 30086 2> /dev/null");
    expect(entries).toMatch(/^tcp +6 \d+ \w+ src=10\.0\.0\.100 dst=10\.0\.0\.1 .*src=10\.244\.2\.2 /);
    const counted = await ok(
      session,
      "ssh node1 iptables -nvxL KUBE-NODEPORTS -t nat | grep 'default/b' | tail -1",
    );
    expect(counted).toMatch(/^ +1 +60 KUBE-EXT/);
    await ok(session, "ssh node1 conntrack -D -p tcp 2> /dev/null");
    expect(await ok(session, "ssh node1 conntrack -L -p tcp 2> /dev/null")).toBe("");
  });

  it("trace goes from where one is", async () => {
    const session = await twoPods();
    const printed = await ok(session, "ssh node1 trace pod/b:80");
    expect(printed).toContain("tcp node/node1 → pod/default/b:80");
    expect(printed).toContain("delivered to node2/default/b");
  });
});

describe("docker", () => {
  it("knows containers by the beginning of their id; containers of a pod share its network", async () => {
    const session = await twoPods();
    await ok(session, "ssh node1");
    const id = (await ok(session, "docker ps -q | head -1")).trim();
    expect(await ok(session, `docker inspect ${id} | jq -r '.[].HostConfig.NetworkMode'`)).toMatch(
      /^container:[0-9a-f]{64}\n$/,
    );
    expect(await ok(session, `docker exec ${id} hostname`)).toBe("a\n");
    expect((await type(session, "docker inspect nope")).text).toBe(
      "Error: No such image, container or task: nope\n",
    );
    await ok(session, "ssh client");
    expect((await type(session, "docker ps")).code).toBe(1);
  });
});

describe("a shell in a pod", () => {
  it("stays there until exit, or until the pod has gone", async () => {
    const session = await twoPods();
    await ok(session, "kubectl exec -it a -- sh");
    expect(await ok(session, "hostname; ip -4 addr show dev eth0 | grep -o 'inet [0-9.]*'")).toBe(
      "a\ninet 10.244.1.2\n",
    );
    expect(await ok(session, "exit; hostname")).not.toBe("a\n");
    await ok(session, "kubectl exec -it a -- sh");
    session.plane.write({ put: [], remove: [session.plane.store.pods.get("default/a")!], events: [] });
    expect(await type(session, "hostname")).toEqual({
      text: "command terminated with exit code 137\n",
      code: 137,
    });
    expect(session.place.kind).not.toBe("pod");
  });
});

describe("jq", () => {
  it.each([
    ["echo '{\"a\": [1, 2]}' | jq -c '.a[]'", 0, "1\n2\n"],
    ["echo '{' | jq .", 2, /parse error/],
    ["echo '{}' | jq '.['", 3, /compile error|syntax error/],
    ["echo '1' | jq .a", 5, /Cannot index number/],
  ] as const)("%s", async (command, code, text) => {
    const result = await type(tutorialSession(), command);
    expect(result.text).toMatch(text);
    expect(result.code).toBe(code);
  });
});

describe("the machine's own tools", () => {
  it.each([
    ["ip addr show dev docker0 | grep -o 'inet [0-9./]*'", "inet 192.168.96.1/24\n"],
    ["ip route get 192.168.97.5 | head -1", "192.168.97.5 dev flannel0 src 192.168.96.0 \n"],
    ["ip -4 a | grep -c inet", "4\n"],
    ["bridge fdb show br docker0 | head -1", "01:00:5e:00:00:6a dev docker0 self permanent\n"],
  ])("%s", async (command, text) => {
    expect(await ok(tutorialSession(), `ssh srv-k8s-node2; ${command}`)).toBe(text);
  });

  it.each([
    ["printf 'x'", 127, "-bash: printf: command not found\n"],
    ["ip frob", 255, 'Object "frob" is unknown, try "ip help".\n'],
    ["ip addr show dev eth9", 1, 'Device "eth9" does not exist.\n'],
    ["ssh nowhere", 255, "ssh: Could not resolve hostname nowhere: Name or service not known\n"],
    ["iptables -L NOPE", 1, "iptables: No chain/target/match by that name.\n"],
    ["echo b a | tr | sort", 0, "-bash: tr: command not found\n"],
    ["sleep x", 1, "sleep: invalid time interval ‘x’\n"],
    ["cat a b", 1, "cat: a: No such file or directory\ncat: b: No such file or directory\n"],
    ["echo x > f; echo y >> f; cat f | sort -r | head -1", 0, "y\n"],
    ["X=$(echo a b); echo \"$X\" $X '$X'", 0, "a b a b $X\n"],
    ["echo a b | wc -w; false && echo no || echo yes", 0, "2\nyes\n"],
  ])("%s", async (command, code, text) => {
    expect(await type(tutorialSession(), command)).toEqual({ text, code });
  });
});
