import { TCP } from "./situations/tcp.ts";
import { compareWithKernel } from "./table.ts";

compareWithKernel("TCP connections in the real kernel", TCP);
