import { NAT } from "./situations/nat.ts";
import { compareWithKernel } from "./table.ts";

compareWithKernel("address translation in the real kernel", NAT);
