import { quoteArgument } from "../arguments.ts";
import { refuse } from "../error.ts";
import { type MatchExtension, required } from "./extension.ts";

/** `-m comment`: matches every packet. At most 255 bytes (include/uapi/linux/netfilter/xt_comment.h). */
export const comment: MatchExtension<{ readonly text: string }> = {
  name: "comment",
  options: { comment: 1 },
  parse(options) {
    const text = required(options, "comment", "comment").values[0]!;
    if (new TextEncoder().encode(text).length > 255) {
      refuse('comment: bad value for option "--comment", or out of range (0-255 characters)');
    }
    return { text };
  },
  print: (m) => ` --comment ${quoteArgument(m.text)}`,
  evaluate: () => true,
  newState: null,
  pure: true,
};
