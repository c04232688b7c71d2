const COMMENT = /-m comment --comment (?:"((?:[^"\\]|\\.)*)"|(\S+)) ?/;
/** Modules whose name says nothing that their options do not say. */
const IMPLIED_MODULE = /(?<=^| )-m (?:tcp|udp|sctp|icmp|conntrack|mark|addrtype|comment) /g;

/**
 * A rule as a reader wants it: conditions and target without the names of their modules, the comment at the end
 * between slashes as `iptables -L` shows it.
 */
export function shortRule(text: string): string {
  const [comment, quoted, bare] = COMMENT.exec(text) ?? [];
  const rest = (comment === undefined ? text : text.replace(comment, "")).replace(IMPLIED_MODULE, "").trim();
  const words = quoted ?? bare;
  if (words === undefined) return rest;
  // non-breaking next to the slashes, so that neither stands alone on a line
  return `${rest} /*\u00a0${words.replace(/\\(.)/g, "$1")}\u00a0*/`;
}
