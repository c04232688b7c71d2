import { missingRequirements } from "../../src/lab/requirements.ts";
import { sweepLabs } from "../../src/lab/stale.ts";

const missing = [...new Set([...missingRequirements("nft"), ...missingRequirements("legacy")])];

/** False, said in one line, where the kernel cannot be asked. */
export const kernelIsThere: boolean = missing.length === 0;
if (!kernelIsThere) process.stderr.write(`test/kernel is skipped: the lab needs ${missing.join(", ")}\n`);

/** Names of this process's labs begin so. */
export const LAB_NAME = `t${process.pid}`;

/** Takes away what labs of test processes have left that are no more. */
export const sweepStale = (): void => sweepLabs("t");
