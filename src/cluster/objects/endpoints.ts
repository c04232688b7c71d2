/** Endpoints (v1). */
import { z } from "zod";
import { anyAddress, metadata, port, protocol } from "./field.ts";

const endpointAddress = z.looseObject({
  ip: anyAddress(),
  nodeName: z.string().optional(),
  hostname: z.string().optional(),
});

export const endpointsSchema = z.looseObject({
  metadata: metadata(),
  subsets: z
    .array(
      z.looseObject({
        addresses: z.array(endpointAddress).optional(),
        notReadyAddresses: z.array(endpointAddress).optional(),
        ports: z
          .array(
            z.looseObject({ name: z.string().optional(), port: port(), protocol: protocol().optional() }),
          )
          .optional(),
      }),
    )
    .optional(),
});
