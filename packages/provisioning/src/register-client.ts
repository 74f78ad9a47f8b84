import type { PlainSecret } from '@grantlog/crypto';
import { createClientSecret, digestSecret, randomToken } from '@grantlog/crypto';
import type {
  AccountId,
  ClientAuthMethod,
  ClientExtras,
  ClientId,
  ClientKind,
  ClientOrigin,
  ClientRefusal,
  ClientSettings,
  ClientStreamId,
} from '@grantlog/domain';
import { clientDecider, platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change } from './change.ts';
import { type UnknownToPlatform, unknownToPlatform } from './check-client-settings.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

export type NewClient = Omit<ClientSettings, 'authMethods' | keyof ClientExtras> & {
  readonly platform: PlatformId;
  /** Null to have one made: 22 characters of `[A-Za-z0-9_-]`. */
  readonly clientId: string | null;
  readonly kind: ClientKind;
  readonly how: ClientOrigin;
  /** Null for what fits the kind. */
  readonly authMethods: readonly ClientAuthMethod[] | null;
  readonly approval: 'pending' | 'approved';
  /** The secret of a confidential client that must have a known one; null to have one made. */
  readonly secret: PlainSecret | null;
  /** The developer's account; default: nobody's, as an operator's are. */
  readonly owner?: AccountId;
  /** What differs from {@link extraDefaults}. */
  readonly extras?: Partial<ClientExtras>;
};

export type ClientRegistered =
  | {
      readonly kind: 'registered';
      readonly clientId: ClientId;
      readonly stream: ClientStreamId;
      /** Shown once, here; what is kept is a sealed digest. Null for a client that shows none. */
      readonly secret: PlainSecret | null;
      readonly position: number;
    }
  | { readonly kind: 'refused'; readonly refusal: 'unknown_platform' | UnknownToPlatform | ClientRefusal };

const methodsOf = (kind: ClientKind): readonly ClientAuthMethod[] =>
  kind === 'public' ? ['none'] : ['client_secret_basic', 'client_secret_post'];

/** Registers a client; a confidential one gets a secret. Redirect URIs have been parsed by the caller's edge. */
export const registerClient = async (context: Provisioning, by: By, client: NewClient): Promise<ClientRegistered> => {
  const { platform, clientId: wishedId, authMethods, secret: wishedSecret, ...settings } = client;
  const names = await context.directory.open(platform);
  if (names === null) return { kind: 'refused', refusal: 'unknown_platform' };
  const clientId = (wishedId ?? randomToken(16)) as ClientId;
  const stream = names.client(clientId);
  const methods = authMethods ?? methodsOf(client.kind);
  // A client that shows keys has no use for a secret.
  const showsSecret = methods.includes('client_secret_basic') || methods.includes('client_secret_post');
  const secret = showsSecret ? (wishedSecret ?? createClientSecret()) : null;
  const credential =
    secret === null
      ? null
      : sealCredential(context.sealer, { platform, owner: stream, kind: 'client_secret_digest', bytes: digestSecret(secret) });
  if (credential !== null) await insertCredentials(context.pool, [credential]);
  const tokenNonce = randomToken(32);

  const changed = await change<'unknown_platform' | UnknownToPlatform | ClientRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: stream }],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      const unknown = unknownToPlatform(owner.document, settings);
      if (unknown !== null) return { refusal: unknown };
      const { events, refusal } = clientDecider.decide(
        {
          type: 'register',
          ...settings.extras,
          name: settings.name,
          redirectUris: settings.redirectUris,
          grantTypes: settings.grantTypes,
          scopes: settings.scopes,
          idTokenAlg: settings.idTokenAlg,
          serves: settings.serves,
          roles: settings.roles,
          kind: settings.kind,
          how: settings.how,
          owner: settings.owner ?? null,
          approval: settings.approval,
          authMethods: methods,
          clientId,
          secretCredential: credential?.id ?? null,
          tokenNonce,
        },
        fold(clientDecider, loaded.stream(stream)),
      );
      if (refusal !== undefined) return { refusal };
      return { writes: [{ streamId: stream, events }], reads: [platformStream] };
    },
  });
  if ('refusal' in changed) return { kind: 'refused', refusal: changed.refusal };
  return { kind: 'registered', clientId, stream, secret, position: changed.position };
};
