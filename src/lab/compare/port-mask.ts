/**
 * Hides ports that were drawn at random on both sides: a port that belongs neither to the flow nor to anybody who
 * listens is shown as `*`, and must then be such a one in the other world too.
 */
export function portMask(known: ReadonlySet<string>): (text: string) => string {
  return (text) =>
    text.replace(/(\d+\.\d+\.\d+\.\d+):(\d+)/g, (whole, address: string, port: string) =>
      known.has(port) ? whole : `${address}:*`,
    );
}
