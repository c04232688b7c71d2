import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runScript } from "../../src/shell/script/run-script.ts";
import { tutorialSession } from "../shell/session.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));

it("the tutorial's session prints what the tutorial shows", async () => {
  const session = tutorialSession({ folder });
  const text = readFileSync(`${folder}tutorial.txt`, "utf8");
  const result = await runScript(session, text, { out: () => {}, err: () => {} }, { expect: true });
  expect(result).toEqual({ fault: null, commands: 95 });
});
