import type { ParsedToken, TokenKind } from '@grantlog/crypto';
import { parseToken, verifyJwt, verifyToken } from '@grantlog/crypto';
import type { GrantId, GrantTerms, PlatformDocument, TokenMaker } from '@grantlog/domain';
import { parseStreamId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { PlatformKeys } from './key-store.ts';

/** A presented token as it reads without any I/O: where it claims to stand. Nothing is proved yet. */
export type ClaimedToken =
  | { readonly format: 'opaque'; readonly grantId: GrantId; readonly parsed: ParsedToken }
  | { readonly format: 'jwt'; readonly grantId: GrantId; readonly sequence: number; readonly jwt: string };

/** What a proved token says. */
export type ProvedToken = {
  readonly kind: Extract<TokenKind, 'code' | 'access' | 'refresh'>;
  readonly sequence: number;
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
  readonly resource: string | null;
  readonly key: TokenMaker;
};

const jwtForm = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

// Grants end, so their ids are UUIDv7; accounts, clients and keys are UUIDv8 and never what a token names.
const isGrantShaped = (id: string): boolean => id[14] === '7';

const readJwt = (text: string): ClaimedToken | null => {
  const payload = jwtForm.exec(text)?.[1];
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.fromBase64(payload, { alphabet: 'base64url' })),
    );
    const id = (claims as { readonly jti?: unknown } | null)?.jti;
    const [, grant = '', sequence = ''] = typeof id === 'string' ? (/^([0-9a-f-]{36})\.([1-9][0-9]{0,9})$/.exec(id) ?? []) : [];
    const grantId = parseStreamId(grant);
    return grantId === null || !isGrantShaped(grantId)
      ? null
      : { format: 'jwt', grantId: grantId as GrantId, sequence: Number(sequence), jwt: text };
  } catch {
    return null;
  }
};

/** Reads where a token claims to stand, or null for whatever cannot be one of ours. */
export const readToken = (text: string): ClaimedToken | null => {
  const parsed = parseToken(text);
  if (parsed === null) return readJwt(text);
  if (parsed.kind !== 'code' && parsed.kind !== 'access' && parsed.kind !== 'refresh') return null;
  return isGrantShaped(parsed.payload.streamId) ? { format: 'opaque', grantId: parsed.payload.streamId as GrantId, parsed } : null;
};

/**
 * Proves a claimed token against the terms of the grant that it names: by its MAC, or by the signature of a JWT.
 * Says nothing of expiry, sequence or revocation. Null means that this platform never issued it.
 */
export const proveToken = async (
  claimed: ClaimedToken,
  against: {
    readonly platform: PlatformId;
    readonly issuer: string;
    readonly document: PlatformDocument;
    readonly keys: PlatformKeys;
    readonly terms: GrantTerms;
    readonly now: number;
  },
): Promise<ProvedToken | null> => {
  const { terms, keys } = against;
  if (claimed.format === 'jwt') {
    const verified = await verifyJwt({
      jwt: claimed.jwt,
      keys: keys.publicJwks,
      typ: 'at+jwt',
      issuer: against.issuer,
      now: against.now,
      ignoreExpiry: true,
    });
    if (verified.outcome !== 'verified') return null;
    const { kid } = verified;
    const { scope, aud, exp } = verified.claims;
    if (typeof scope !== 'string' || typeof aud !== 'string' || typeof exp !== 'number' || kid === null) return null;
    return {
      kind: 'access',
      sequence: claimed.sequence,
      expiresAt: exp,
      scopes: scope.split(' ').filter((each) => each !== ''),
      resource: aud,
      key: { use: 'sign', keyId: kid },
    };
  }
  const { kind, payload } = claimed.parsed;
  if (kind !== 'code' && kind !== 'access' && kind !== 'refresh') return null;
  const key = keys.tokenKey(payload.keyId);
  // The MAC covers the prefix as presented, so tokens outlive a change of the platform's own.
  if (key === null) return null;
  const nonce = Uint8Array.fromBase64(terms.tokenNonce, { alphabet: 'base64url' });
  if (!verifyToken({ token: claimed.parsed, platform: against.platform, key, nonce })) return null;
  return {
    kind,
    sequence: payload.sequence,
    expiresAt: payload.expiresAt,
    scopes: payload.scopes.flatMap((index) => terms.scopes[index] ?? []),
    resource: payload.resource === null ? null : (terms.resources[payload.resource] ?? null),
    key: { use: 'token', keyId: payload.keyId },
  };
};
