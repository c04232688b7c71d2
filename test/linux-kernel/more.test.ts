import { MORE } from "./situations/more.ts";
import { compareWithKernel } from "./table.ts";

compareWithKernel("local packets, neighbours and late drops in the real kernel", MORE);
