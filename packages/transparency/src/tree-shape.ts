/** The leaves from `from` up to, not including, `to`. */
export type Span = { readonly from: number; readonly to: number };

/** A complete subtree: the hash of 2^height leaves, the first of which is index · 2^height. */
export type Node = { readonly height: number; readonly index: number };

/** Half or more of a count above one: the greatest power of two below it (RFC 6962 §2.1). */
const splitOf = (count: number): number => {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
};

/** The fewest complete subtrees that the leaves of a span consist of, from left to right; the largest first where the span begins at 0. */
export const completeSubtrees = ({ from, to }: Span): readonly Node[] => {
  const nodes: Node[] = [];
  for (let at = from; at < to; ) {
    let height = 0;
    while (at % 2 ** (height + 1) === 0 && 2 ** (height + 1) <= to - at) height += 1;
    nodes.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return nodes;
};

/** The spans whose hashes prove a leaf, from its sibling up (RFC 6962 §2.1.1, PATH). */
export const inclusionSpans = ({ index, size }: { readonly index: number; readonly size: number }): readonly Span[] => {
  const spans: Span[] = [];
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      spans.push({ from: middle, to });
      to = middle;
    } else {
      spans.push({ from, to: middle });
      from = middle;
    }
  }
  return spans.reverse();
};

/** The spans whose hashes prove that a smaller tree is the beginning of a larger one (RFC 6962 §2.1.2, SUBPROOF). */
export const consistencySpans = ({ oldSize, newSize }: { readonly oldSize: number; readonly newSize: number }): readonly Span[] => {
  if (oldSize === 0 || oldSize === newSize) return [];
  const spans: Span[] = [];
  let from = 0;
  let to = newSize;
  while (oldSize !== to) {
    const middle = from + splitOf(to - from);
    if (oldSize <= middle) {
      spans.push({ from: middle, to });
      to = middle;
    } else {
      spans.push({ from, to: middle });
      from = middle;
    }
  }
  // From 0 on it is the old tree's root itself, which the verifier has.
  if (from !== 0) spans.push({ from, to });
  return spans.reverse();
};
