const isPlainSegment = (segment: string): boolean => {
  try {
    const plain = decodeURIComponent(segment);
    // Some servers read `..;x` as `..`: what follows the semicolon is a parameter to them.
    return !/[/\\\p{Cc}]/u.test(plain) && !/^\.{1,2}(?:;|$)/.test(plain);
  } catch {
    return false;
  }
};

/**
 * Whether a path means the same to everybody who reads it: no dot segments, no escaped slashes, no backslashes, no control
 * characters, no broken escapes. Any of them could lead out of the path that a resource was given.
 */
export const isPlainPath = (path: string): boolean => path.split('/').every(isPlainSegment);
