/** Longer than any event can be that came in over HTTP; a limit, because a line is held as a whole. */
export const longestLine = 64 * 1024 * 1024;

const newline = 0x0a;

/** Cuts bytes that come in pieces of any length into lines. */
export type LineSplitter = {
  /** The lines that end in this piece, without their newlines. */
  readonly take: (piece: Uint8Array) => readonly Uint8Array[];
  /** Bytes after the last newline. */
  readonly rest: () => number;
};

export const createLineSplitter = (): LineSplitter => {
  let begun: Uint8Array[] = [];
  let rest = 0;
  return {
    take: (piece) => {
      const lines: Uint8Array[] = [];
      let from = 0;
      for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
        const part = piece.subarray(from, end);
        lines.push(begun.length === 0 ? part : Buffer.concat([...begun, part]));
        begun = [];
        rest = 0;
        from = end + 1;
      }
      if (from < piece.byteLength) {
        begun.push(piece.subarray(from));
        rest += piece.byteLength - from;
      }
      return lines;
    },
    rest: () => rest,
  };
};
