import { createHmac } from 'node:crypto';
import { decodeBase64Url } from './base64url.ts';
import { constantTimeEqualBytes } from './constant-time.ts';
import { frame } from './framing.ts';
import { tokenChecksum } from './token-checksum.ts';
import { decodePayload, encodePayload, payloadLength, type TokenPayload } from './token-payload.ts';

declare const plainToken: unique symbol;

/** A token as its bearer holds it: a secret. Its type is for the eye of whoever would log, record or queue it. */
export type PlainToken = string & { readonly [plainToken]: true };

export type TokenKind = 'code' | 'access' | 'refresh' | 'registration_access' | 'session' | 'link';

/** What a well-formed token claims. It is only a claim until {@link verifyToken} says true. */
export type ParsedToken = {
  readonly prefix: string;
  readonly kind: TokenKind;
  readonly payload: TokenPayload;
  readonly mac: Uint8Array;
};

const kindLetters = {
  code: 'c',
  access: 'a',
  refresh: 'r',
  registration_access: 'g',
  session: 's',
  link: 'l',
} as const satisfies Record<TokenKind, string>;

const kindOfLetter = new Map<string, TokenKind>(
  // Object.entries widens the keys; they are exactly those of the literal above.
  (Object.entries(kindLetters) as [TokenKind, string][]).map(([kind, letter]) => [letter, kind]),
);

const macLength = 16;
const prefixForm = /^[a-z][a-z0-9]{1,9}$/;
// 53 bytes of payload and MAC are 71 characters, so a token has at most 10 + 1 + 1 + 71 + 6 = 89.
const tokenForm = /^([a-z][a-z0-9]{1,9})_([cargsl])([A-Za-z0-9_-]{71})([0-9A-Za-z]{6})$/;

const computeMac = (token: {
  readonly prefix: string;
  readonly kind: TokenKind;
  readonly platform: string;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly payload: TokenPayload;
}): Buffer => {
  if (token.key.byteLength < 32) throw new RangeError('a token key has at least 32 bytes');
  if (token.nonce.byteLength !== 32) throw new RangeError('a token nonce has 32 bytes');
  // The prefix is covered too, so that an accepted token has exactly one spelling.
  const message = frame('grantlog token v1', token.platform, token.prefix, token.kind, token.nonce, encodePayload(token.payload));
  return createHmac('sha256', token.key).update(message).digest().subarray(0, macLength);
};

/**
 * The token of a payload: `<prefix>_<kind><base64url(payload ‖ MAC)><checksum>`. The same input gives the same token,
 * which is how a lost response is answered again without being kept.
 *
 * @param token.key the platform's token key of id `payload.keyId`, at least 32 bytes.
 * @param token.nonce the 32 bytes that the stream's first event recorded.
 * @throws RangeError for a prefix not of `[a-z][a-z0-9]{1,9}`, or a value that the layout cannot hold.
 */
export const mintToken = (token: {
  readonly prefix: string;
  readonly kind: TokenKind;
  readonly platform: string;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly payload: TokenPayload;
}): PlainToken => {
  if (!prefixForm.test(token.prefix)) throw new RangeError(`"${token.prefix}" is not a token prefix`);
  const body = Buffer.concat([encodePayload(token.payload), computeMac(token)]).toString('base64url');
  const text = `${token.prefix}_${kindLetters[token.kind]}${body}`;
  // The only place, with a parse, where a text becomes a token.
  return `${text}${tokenChecksum(text)}` as PlainToken;
};

/**
 * Reads a token without any I/O, or answers null for whatever is not the exact spelling of one.
 *
 * Nothing in the answer is proved: look up the stream and the key it names, then call {@link verifyToken}.
 */
export const parseToken = (text: string): ParsedToken | null => {
  const match = tokenForm.exec(text);
  if (match === null) return null;
  const [, prefix = '', letter = '', body = '', checksum] = match;
  if (tokenChecksum(text.slice(0, -6)) !== checksum) return null;
  const kind = kindOfLetter.get(letter);
  const bytes = decodeBase64Url(body);
  if (kind === undefined || bytes === null) return null;
  const payload = decodePayload(bytes.subarray(0, payloadLength));
  return payload === null ? null : { prefix, kind, payload, mac: bytes.subarray(payloadLength) };
};

/**
 * Whether the platform minted this token for the stream of this nonce. Constant time in the MAC.
 *
 * It says nothing of expiry, sequence or revocation. The MAC is computed from `token.payload` as the caller reads it.
 *
 * @throws RangeError for a key under 32 bytes or a nonce of another length than 32.
 */
export const verifyToken = (check: {
  readonly token: ParsedToken;
  readonly platform: string;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}): boolean =>
  constantTimeEqualBytes(computeMac({ ...check.token, platform: check.platform, key: check.key, nonce: check.nonce }), check.token.mac);

/** A token's first characters, for people: prefix, kind, three of the payload's. They hold no part of the MAC. */
export const shorten = (token: PlainToken): string => `${token.slice(0, token.indexOf('_') + 5)}…`;
