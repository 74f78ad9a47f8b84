import { createHmac } from 'node:crypto';
import { frame } from './framing.ts';

/** The number that an agent shows, and those that the page offers. Each is 10 … 99. */
export type MatchNumbers = { readonly answer: number; readonly choices: readonly number[] };

const offered = 3;

/**
 * The numbers of a session, computed like its tokens and stored nowhere: one that the agent tells the person, and three on
 * the page, in a fixed order, of which the person chooses that one.
 *
 * It makes a link that a stranger has sent stand out; it is no secret from who holds the link, who sees one in three.
 *
 * @param of.key the platform's token key, at least 32 bytes.
 * @param of.nonce the 32 bytes that the session's first event recorded.
 * @throws RangeError for a key under 32 bytes or a nonce of another length than 32.
 */
export const matchNumbers = (of: { readonly platform: string; readonly key: Uint8Array; readonly nonce: Uint8Array }): MatchNumbers => {
  if (of.key.byteLength < 32) throw new RangeError('a token key has at least 32 bytes');
  if (of.nonce.byteLength !== 32) throw new RangeError('a token nonce has 32 bytes');
  const bytes = createHmac('sha256', of.key)
    .update(frame('grantlog match number v1', of.platform, of.nonce))
    .digest();
  // Without replacement: each draw takes one of what is left, so that the choices differ.
  const left = Array.from({ length: 90 }, (_, index) => index + 10);
  const choices = Array.from({ length: offered }, (_, draw) => left.splice(bytes.readUInt32BE(draw * 4) % left.length, 1)[0] ?? 0);
  return { answer: choices[bytes.readUInt32BE(offered * 4) % offered] ?? 0, choices };
};
