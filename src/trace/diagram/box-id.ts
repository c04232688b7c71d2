/** How boxes are called. Names are unique within their kind, so these are unique in a diagram. */
export const segmentId = (segment: string): string => `segment:${segment}`;
export const netnsId = (netns: string): string => `netns:${netns}`;
export const deviceId = (netns: string, device: string): string => `device:${netns}:${device}`;
export const processId = (netns: string, process: string): string => `process:${netns}:${process}`;
