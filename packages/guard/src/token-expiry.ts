import { parseToken } from '@grantlog/crypto';

const expiryOfJwt = (token: string): number | null => {
  const parts = token.split('.');
  if (parts.length !== 3) return null;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    const exp = typeof payload === 'object' && payload !== null && 'exp' in payload ? payload.exp : null;
    return typeof exp === 'number' && Number.isFinite(exp) ? exp : null;
  } catch {
    return null;
  }
};

/**
 * Whether a token says of itself that it has expired. Nothing of this is proved, so it may word a refusal and nothing else.
 *
 * @param nowMs milliseconds since the epoch.
 */
export const saysExpired = (token: string, nowMs: number): boolean => {
  const expiresAt = parseToken(token)?.payload.expiresAt ?? expiryOfJwt(token);
  return expiresAt !== null && expiresAt * 1000 <= nowMs;
};
