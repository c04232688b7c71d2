import { BRIDGE } from "./situations/nat.ts";
import { compareWithKernel } from "./table.ts";

compareWithKernel("a bridge in the real kernel", BRIDGE);
