import type { PlainToken } from '@grantlog/crypto';
import { hashClaim, mintToken, signJwt } from '@grantlog/crypto';
import type { CodeTerms, GrantId, GrantTerms, Issue, PlatformDocument, SigningAlgorithm } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { TokenScheme } from '@grantlog/protocol';
import { actClaimOf } from '../delegation/act-claim.ts';
import { findResource } from '../platforms/own-resources.ts';
import type { PlatformKeys } from './key-store.ts';

/** A grant as tokens are computed from it. The same facts always give the same tokens (ES256 signatures aside). */
export type TokenSource = {
  readonly platform: PlatformId;
  readonly document: PlatformDocument;
  readonly issuer: string;
  readonly keys: PlatformKeys;
  readonly grantId: GrantId;
  readonly terms: GrantTerms;
};

export type IssuedTokens = {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  readonly scope: readonly string[];
  /** How the access token is shown: with a proof, where it is bound to a key (RFC 9449 §5). */
  readonly tokenType: TokenScheme;
};

const allOf = (list: readonly unknown[]): readonly number[] => list.map((_, index) => index);

const nonceOf = (terms: GrantTerms): Uint8Array => Uint8Array.fromBase64(terms.tokenNonce, { alphabet: 'base64url' });

const mint = (
  source: TokenSource,
  token: {
    readonly kind: 'code' | 'access' | 'refresh';
    readonly sequence: number;
    readonly expiresAt: number;
    readonly scopes: readonly number[];
    readonly resource: number | null;
    readonly keyId: number;
  },
): PlainToken => {
  const { kind, ...payload } = token;
  const key = source.keys.tokenKey(token.keyId);
  if (key === null) throw new Error(`token key ${token.keyId} of ${source.platform} is not on the ring`);
  return mintToken({
    prefix: source.document.tokens.prefix,
    kind,
    platform: source.platform,
    key,
    nonce: nonceOf(source.terms),
    payload: { streamId: source.grantId, ...payload },
  });
};

/** The authorization code of a grant that has been allowed and not yet redeemed. */
export const codeOf = (source: TokenSource, code: CodeTerms): PlainToken =>
  mint(source, {
    kind: 'code',
    sequence: 0,
    expiresAt: code.expiresAt,
    scopes: allOf(source.terms.scopes),
    resource: null,
    keyId: code.tokenKeyId,
  });

/** `jti` of a JWT access token: grant and sequence, so that introspection and revocation find their way (design §5.1). */
export const accessTokenId = (grantId: GrantId, sequence: number): string => `${grantId}.${sequence}`;

const accessToken = (source: TokenSource, issue: Issue): string | Promise<string> => {
  const { document, terms, grantId } = source;
  const uri = issue.resource === null ? undefined : terms.resources[issue.resource];
  const resource = uri === undefined ? undefined : findResource(document, source.issuer, uri)?.definition;
  if (uri === undefined || resource?.accessTokenFormat !== 'jwt') {
    return mint(source, {
      kind: 'access',
      sequence: issue.sequence,
      expiresAt: issue.accessExpiresAt,
      scopes: issue.scopes,
      resource: issue.resource,
      keyId: issue.tokenKeyId,
    });
  }
  // RFC 9068 §2.2
  return signJwt({
    key: source.keys.signingKey(resource.accessTokenAlg),
    typ: 'at+jwt',
    claims: {
      iss: source.issuer,
      sub: terms.account ?? terms.clientId,
      aud: uri,
      client_id: terms.clientId,
      iat: Math.floor(issue.issuedAt / 1000),
      exp: issue.accessExpiresAt,
      jti: accessTokenId(grantId, issue.sequence),
      scope: scopeOf(terms, issue).join(' '),
      ...(terms.authTime === null ? {} : { auth_time: terms.authTime }),
      ...(issue.context === undefined ? {} : { context: issue.context }),
      // RFC 9449 §6.1
      ...(issue.jkt === undefined ? {} : { cnf: { jkt: issue.jkt } }),
      ...(terms.delegation === undefined ? {} : { act: actClaimOf(terms) }),
    },
  });
};

const scopeOf = (terms: GrantTerms, issue: Issue): readonly string[] => issue.scopes.flatMap((index) => terms.scopes[index] ?? []);

/** Nobody signed in to the client by these, so there is nothing to tell it of a sign-in. */
const withoutIdToken: ReadonlySet<GrantTerms['flow']> = new Set(['token_exchange', 'jwt_bearer']);

const idToken = async (
  source: TokenSource,
  issue: Issue,
  bound: {
    readonly alg: SigningAlgorithm;
    readonly nonce: string | null;
    readonly accessToken: string;
    readonly claims: Readonly<Record<string, unknown>>;
  },
): Promise<string | undefined> => {
  const { terms } = source;
  if (terms.account === null || withoutIdToken.has(terms.flow) || !scopeOf(terms, issue).includes('openid')) return undefined;
  // OIDC Core §2, §3.1.3.6
  return signJwt({
    key: source.keys.signingKey(bound.alg),
    typ: 'JWT',
    claims: {
      ...bound.claims,
      iss: source.issuer,
      sub: terms.account,
      aud: terms.clientId,
      iat: Math.floor(issue.issuedAt / 1000),
      exp: issue.accessExpiresAt,
      at_hash: hashClaim(bound.alg, bound.accessToken),
      ...(terms.authTime === null ? {} : { auth_time: terms.authTime }),
      ...(terms.amr === undefined ? {} : { amr: terms.amr }),
      // OIDC Back-Channel Logout §2.1: the same value tells the client when this sign-in ends.
      ...(terms.signIn === null ? {} : { sid: terms.signIn }),
      ...(bound.nonce === null ? {} : { nonce: bound.nonce }),
    },
  });
};

/** The tokens of one issue: opaque ones byte-identical whenever they are computed, signed ones with the same claims. */
export const tokensOf = async (
  source: TokenSource,
  issue: Issue,
  client: {
    readonly idTokenAlg: SigningAlgorithm;
    readonly nonce: string | null;
    /** What the ID token says of the person besides; absent for nothing. */
    readonly claims?: Readonly<Record<string, unknown>>;
  },
): Promise<IssuedTokens> => {
  const access = await accessToken(source, issue);
  const { terms } = source;
  return {
    accessToken: access,
    refreshToken:
      issue.refreshExpiresAt === null
        ? undefined
        : mint(source, {
            kind: 'refresh',
            sequence: issue.sequence,
            expiresAt: issue.refreshExpiresAt,
            // The refresh token keeps what the grant allows, however narrow the access token beside it (RFC 6749 §6).
            scopes: allOf(terms.scopes),
            resource: null,
            keyId: issue.tokenKeyId,
          }),
    idToken: await idToken(source, issue, {
      alg: client.idTokenAlg,
      nonce: client.nonce,
      accessToken: access,
      claims: client.claims ?? {},
    }),
    scope: scopeOf(terms, issue),
    tokenType: issue.jkt === undefined ? 'Bearer' : 'DPoP',
  };
};
