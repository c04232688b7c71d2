const COMMENT = /-m comment --comment (?:"((?:[^"\\]|\\.)*)"|(\S+)) ?/;
/** Modules whose name says nothing that their options do not say. */
const IMPLIED_MODULE = /(?<=^| )-m (?:tcp|udp|sctp|icmp|conntrack|statistic|mark|addrtype|recent|comment) /g;

/**
 * A rule as a reader wants it: conditions and target without the names of their modules, the comment at the end
 * between slashes as `iptables -L` shows it.
 */
export function shortRule(text: string): string {
  const [comment, quoted, bare] = COMMENT.exec(text) ?? [];
  const rest = (comment === undefined ? text : text.replace(comment, "")).replace(IMPLIED_MODULE, "").trim();
  const words = quoted ?? bare;
  return words === undefined ? rest : `${rest} /* ${words.replace(/\\(.)/g, "$1")} */`;
}
