import { ROUTING } from "./situations/routing.ts";
import { compareWithKernel } from "./table.ts";

compareWithKernel("routing in the real kernel", ROUTING);
