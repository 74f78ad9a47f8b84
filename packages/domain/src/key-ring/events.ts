import type { DomainEvent, JsonObject } from '@grantlog/eventsourcing';
import type { SigningAlgorithm } from '../platform/document.ts';

/**
 * What a key is, without its secret half: that stays sealed in `credentialId`.
 * A token key is named by a number that fits the two bytes a token has for it; a signing key by its `kid`.
 */
export type KeyDescription =
  | {
      readonly use: 'sign';
      readonly keyId: string;
      readonly alg: SigningAlgorithm;
      readonly credentialId: string;
      readonly publicJwk: JsonObject;
    }
  | {
      readonly use: 'token';
      readonly keyId: number;
      readonly alg: 'HS256';
      readonly credentialId: string;
      readonly publicJwk: null;
    }
  /** What the ids of names are made with: made once with the platform, never superseded. */
  | {
      readonly use: 'name';
      readonly keyId: 'name';
      readonly alg: 'HS256';
      readonly credentialId: string;
      readonly publicJwk: null;
    }
  /** What the checkpoints of the log's tree are signed with; verifiers keep its public half, so it is made once and not superseded. */
  | {
      readonly use: 'log';
      readonly keyId: string;
      readonly alg: 'EdDSA';
      readonly credentialId: string;
      readonly publicJwk: JsonObject;
    };

export type KeyUse = KeyDescription['use'];
export type KeyId = KeyDescription['keyId'];
export type KeyAlgorithm = KeyDescription['alg'];

/** Why a key stops verifying: everything made with it is over, or somebody else may hold it. */
export type RetirementReason = 'routine' | 'compromised';

export type KeyRingEvent =
  | DomainEvent<'signing_key.created', KeyDescription>
  | DomainEvent<
      'signing_key.activated',
      {
        readonly keyId: KeyId;
        readonly use: KeyUse;
        readonly alg: KeyAlgorithm;
        /** Until when the key it supersedes must verify, in whole seconds since the epoch; null when it is the first. */
        readonly previousVerifiesUntil: number | null;
      }
    >
  | DomainEvent<'signing_key.retired', { readonly keyId: KeyId; readonly use: KeyUse; readonly reason: RetirementReason }>;
