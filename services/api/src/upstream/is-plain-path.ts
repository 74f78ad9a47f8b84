const isPlainSegment = (segment: string): boolean => {
  try {
    const plain = decodeURIComponent(segment);
    // Some servers read `..;x` as `..`: what follows the semicolon is a parameter to them.
    if (/[/\\\p{Cc}]/u.test(plain) || /^\.(?:;|$)/.test(plain)) return false;
    // The library that passes requests on takes two dots at either end of a segment for a way out, as `..x` is to few servers.
    return !/^\.\.|\.\.$/.test(plain);
  } catch {
    return false;
  }
};

/**
 * Whether a path means the same to everybody who reads it: no dot segments nor what looks like one, no escaped slashes, no
 * backslashes, no control characters, no broken escapes. Any of them could lead out of the path that a resource was given.
 */
export const isPlainPath = (path: string): boolean => path.split('/').every(isPlainSegment);
