import { randomSituations } from "./situations/random.ts";
import { compareWithKernel } from "./table.ts";

/** Others with `KERNEL_SEED` and `KERNEL_COUNT`. */
const seed = Number(process.env.KERNEL_SEED ?? 1);
const count = Number(process.env.KERNEL_COUNT ?? 3);

compareWithKernel("random rules and packets in the real kernel", randomSituations(seed, count));
