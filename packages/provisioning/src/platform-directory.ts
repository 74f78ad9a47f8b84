import type { Sealer } from '@grantlog/crypto';
import { addressDigest, expiringNameId, nameId, totpStepEnd } from '@grantlog/crypto';
import type { AccountId, ClientStreamId, EndpointId, GrantId, NameId, SessionId } from '@grantlog/domain';
import { activeKey, keyRingDecider, keyRingStream, standingKinds } from '@grantlog/domain';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { canonicalAddress } from './canonical-address.ts';
import { openCredential } from './sealed-credentials.ts';

/** The stream ids of one platform's names: a keyed hash of each, so that the log tells nobody what was asked. */
export type PlatformNames = {
  readonly platform: PlatformId;
  /** Where the client of this wire `client_id` stands, whether it exists or not. */
  readonly client: (clientId: string) => ClientStreamId;
  /** Where an email is claimed; case and surrounding white space do not make another email. */
  readonly email: (email: string) => NameId;
  /** Where the code of a time step is spent for an account: whoever claims it first has used it. Goes with its month. */
  readonly totpStep: (account: AccountId, step: number) => NameId;
  /** Where the code that a person types for a session is claimed. Goes with the month in which it runs out. */
  readonly userCode: (code: string, expiresAtMs: number) => NameId;
  /** Where a one-time assertion is used up. `of` says whose: a client's, or an issuer's. Goes with the month in which it runs out. */
  readonly jti: (of: string, jti: string, expiresAtMs: number) => NameId;
  /** Where a pushed authorization request is used up. */
  readonly requestUri: (id: string, expiresAtMs: number) => NameId;
  /** Where an account's consent to exactly this is remembered: its owner is the grant that was allowed. */
  readonly consent: (allowed: Consented) => NameId;
  /** Where a person of an identity provider is claimed by their account. */
  readonly externalSubject: (issuer: string, subject: string) => NameId;
  /** Where an endpoint takes one of the places that a client or a grant has for those that it registers, from 0. */
  readonly endpointSlot: (owner: ClientStreamId | GrantId, index: number) => NameId;
  /** The webhook of a session by the key that its agent gave it: one each, registered again is changed. */
  readonly sessionWebhook: (session: SessionId, sessionKey: string) => EndpointId;
  /** What the audit index keeps of an IP address: 16 bytes, however it is spelled. Null for what is no IP address. */
  readonly address: (address: string) => Uint8Array | null;
};

/** What a consent was about, all of it; in another order it is the same. */
type Consented = {
  readonly account: AccountId;
  readonly client: ClientStreamId;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly claims: readonly string[];
};

const consentName = ({ account, client, redirectUri, scopes, resources, claims }: Consented): string =>
  `consent ${JSON.stringify([account, client, redirectUri, scopes.toSorted(), resources.toSorted(), claims.toSorted()])}`;

export type PlatformDirectory = {
  /** The names of a platform, or null where no such platform is. Never changes once it is there. */
  readonly open: (platform: PlatformId) => Promise<PlatformNames | null>;
};

/** The form in which an email is claimed and compared. */
export const canonicalEmail = (email: string): string => email.normalize('NFC').trim().toLowerCase();

/**
 * Opens platforms' name keys from the log and keeps them: a name key is made once with its platform and never changes,
 * so what is kept cannot become stale. Platforms that are not there are looked up anew each time.
 */
export const createPlatformDirectory = (options: { readonly log: EventLog; readonly sealer: Sealer }): PlatformDirectory => {
  const known = new Map<PlatformId, PlatformNames>();

  const look = async (platform: PlatformId): Promise<PlatformNames | null> => {
    const loaded = await options.log.load(platform, [{ streamId: keyRingStream, withSecrets: true }]);
    const ring = loaded.stream(keyRingStream);
    const key = activeKey(fold(keyRingDecider, ring), { use: 'name', alg: 'HS256' });
    if (key === undefined) return null;
    const nameKey = openCredential(options.sealer, {
      platform,
      owner: keyRingStream,
      kind: 'name_key',
      id: key.credentialId,
      credentials: ring.credentials,
    });
    return {
      platform,
      client: (clientId) => nameId({ nameKey, kindCode: standingKinds.client, name: clientId }) as ClientStreamId,
      email: (email) => nameId({ nameKey, kindCode: standingKinds.name, name: `email ${canonicalEmail(email)}` }) as NameId,
      totpStep: (account, step) =>
        expiringNameId({ nameKey, kind: 'totp_step', name: `${account} ${step}`, expiresAtMs: totpStepEnd(step) }) as NameId,
      userCode: (code, expiresAtMs) => expiringNameId({ nameKey, kind: 'user_code', name: code, expiresAtMs }) as NameId,
      jti: (of, jti, expiresAtMs) => expiringNameId({ nameKey, kind: 'jti', name: JSON.stringify([of, jti]), expiresAtMs }) as NameId,
      requestUri: (id, expiresAtMs) => expiringNameId({ nameKey, kind: 'request_uri', name: id, expiresAtMs }) as NameId,
      consent: (allowed) => nameId({ nameKey, kindCode: standingKinds.name, name: consentName(allowed) }) as NameId,
      externalSubject: (issuer, subject) =>
        nameId({ nameKey, kindCode: standingKinds.name, name: `external ${JSON.stringify([issuer, subject])}` }) as NameId,
      endpointSlot: (owner, index) => nameId({ nameKey, kindCode: standingKinds.name, name: `endpoint_slot ${owner} ${index}` }) as NameId,
      sessionWebhook: (session, sessionKey) =>
        nameId({ nameKey, kindCode: standingKinds.webhookEndpoint, name: `session ${session} ${sessionKey}` }) as EndpointId,
      address: (address) => {
        const canonical = canonicalAddress(address);
        return canonical === null ? null : addressDigest({ nameKey, address: canonical });
      },
    };
  };

  return {
    open: async (platform) => {
      const found = known.get(platform) ?? (await look(platform));
      if (found !== null) known.set(platform, found);
      return found;
    },
  };
};
