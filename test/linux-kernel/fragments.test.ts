import { FRAGMENTS } from "./situations/fragments.ts";
import { compareWithKernel } from "./table.ts";

compareWithKernel("sizes in the real kernel", FRAGMENTS);
