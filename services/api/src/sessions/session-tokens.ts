import type { MatchNumbers, ParsedToken, PlainToken } from '@grantlog/crypto';
import { matchNumbers, mintToken, parseToken, verifyToken } from '@grantlog/crypto';
import type { PlatformDocument, SessionId, SessionTerms } from '@grantlog/domain';
import { parseStreamId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { PlatformKeys } from '../tokens/key-store.ts';

/**
 * `session` is the agent's (the wire's `sessionId`, a device code), `link` the person's, in `authUrl`. Neither is found
 * from the other: their MACs are over different kinds.
 */
export type SessionTokenKind = 'session' | 'link';

/** A session as its tokens and numbers are computed from it. */
export type SessionSource = {
  readonly platform: PlatformId;
  readonly keys: PlatformKeys;
  readonly session: SessionId;
  readonly terms: SessionTerms;
};

const nonceOf = ({ tokenNonce }: SessionTerms): Uint8Array => Uint8Array.fromBase64(tokenNonce, { alphabet: 'base64url' });

const keyOf = ({ platform, keys, terms }: SessionSource): Uint8Array => {
  const key = keys.tokenKey(terms.tokenKeyId);
  if (key === null) throw new Error(`token key ${terms.tokenKeyId} of ${platform} is not on the ring`);
  return key;
};

/**
 * Whether the key that a session's tokens were made with is on the ring. Retired as compromised it takes them along: its
 * agent could not redeem what a person would answer, and whoever has the key knows the number.
 */
export const canBeAnswered = ({ tokenKeyId }: SessionTerms, keys: PlatformKeys): boolean => keys.tokenKey(tokenKeyId) !== null;

/** The token of a session, the same bytes whenever it is computed. */
export const sessionTokenOf = (source: SessionSource, kind: SessionTokenKind, document: PlatformDocument): PlainToken =>
  mintToken({
    prefix: document.tokens.prefix,
    kind,
    platform: source.platform,
    key: keyOf(source),
    nonce: nonceOf(source.terms),
    payload: {
      streamId: source.session,
      sequence: 0,
      expiresAt: source.terms.expiresAt,
      keyId: source.terms.tokenKeyId,
      scopes: [],
      resource: null,
    },
  });

/** The number that the agent shows, and those of the page. */
export const numbersOf = (source: SessionSource): MatchNumbers =>
  matchNumbers({ platform: source.platform, key: keyOf(source), nonce: nonceOf(source.terms) });

/** A session that a presented token claims; nothing is proved yet. */
export type ClaimedSession = { readonly session: SessionId; readonly parsed: ParsedToken };

/** Reads which session a token claims, without any I/O; null for whatever is no such token. */
export const readSessionToken = (text: string, kind: SessionTokenKind): ClaimedSession | null => {
  const parsed = parseToken(text);
  if (parsed === null || parsed.kind !== kind) return null;
  const session = parseStreamId(parsed.payload.streamId);
  // Sessions end, so their ids are UUIDv7.
  return session === null || session[14] !== '7' ? null : { session: session as SessionId, parsed };
};

/** Whether this platform made the token for the session of these terms. Says nothing of its expiry or its end. */
export const provesSession = (
  { parsed }: ClaimedSession,
  against: { readonly platform: PlatformId; readonly keys: PlatformKeys; readonly terms: SessionTerms },
): boolean => {
  const key = against.keys.tokenKey(parsed.payload.keyId);
  return key !== null && verifyToken({ token: parsed, platform: against.platform, key, nonce: nonceOf(against.terms) });
};
