import { expect, it } from "vitest";
import { parseIpv4 } from "../../../src/packet/address.ts";
import { buildLab } from "../lab.ts";

it("two servers never talk for ever: an answer is not answered", () => {
  const lab = buildLab({
    namespaces: {
      s: { addresses: { eth0: ["10.0.0.1/24"] } },
      r: { addresses: { eth0: ["10.0.0.2/24"] } },
    },
    veths: [["s:eth0", "r:eth0"]],
  });
  const [s, r] = [lab.ns("s"), lab.ns("r")];
  for (const { sockets } of [s, r]) sockets.listen({ protocol: "udp", port: 53, address: 0, owner: "dns" });
  s.sockets.udp.send({
    destination: parseIpv4("10.0.0.2"),
    destinationPort: 53,
    sourcePort: 53,
    payloadLength: 1,
  });
  lab.network.settle();
  const datagrams = lab.events.flatMap((e) => (e.type === "deliver" ? [`${e.netns} ${e.owner}`] : []));
  expect(datagrams).toEqual(["r dns", "s dns"]);
});
