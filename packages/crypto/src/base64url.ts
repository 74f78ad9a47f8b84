/**
 * Decodes base64url, or answers null for any spelling other than the one this process would write.
 *
 * Node's decoder skips foreign characters, accepts padding and ignores unused trailing bits; each would give one secret several spellings.
 */
export const decodeBase64Url = (text: string): Buffer | null => {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
};
