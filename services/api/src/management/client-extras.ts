import type { ClientExtras, ClientSelfDescription } from '@grantlog/domain';
import type { JsonObject } from '@grantlog/eventsourcing';
import Type, { type Static } from 'typebox';
import { exactly, nullable } from '../json-api/schemas.ts';

const url = (description: string) => nullable(Type.String({ minLength: 1, maxLength: 2048, description }));
const word = (description: string) => nullable(Type.String({ minLength: 1, maxLength: 100, description }));

/** A JWK set, whose keys are read one by one where they are checked. */
const keySet = Type.Unsafe<JsonObject | null>(
  nullable(
    Type.Object(
      { keys: Type.Array(Type.Object({}), { minItems: 1, maxItems: 20 }) },
      { description: 'Public keys by value (RFC 7517), to verify the assertions of private_key_jwt; never beside jwksUri' },
    ),
  ),
);

/** The settings of a client that came after the first clients, as operators and developers send and read them. */
export const clientExtras = {
  applicationType: Type.Enum(['web', 'native']),
  jwks: keySet,
  jwksUri: url('Where the public keys are; fetched anew where an assertion names a key that is not known'),
  assertionAlg: nullable(
    Type.Enum(['RS256', 'PS256', 'ES256', 'EdDSA'], { description: 'The one algorithm of its assertions; null for any of these' }),
  ),
  postLogoutRedirectUris: Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 50 }),
  backchannelLogout: nullable(
    exactly({
      uri: Type.String({ maxLength: 2048, description: 'Where it hears that a sign-in has ended (OIDC Back-Channel Logout)' }),
      sessionRequired: Type.Boolean(),
    }),
  ),
  dpopRequired: Type.Boolean({ description: 'Whether its token requests have to prove possession of a key (RFC 9449)' }),
  parRequired: Type.Boolean({ description: 'Whether its authorization requests have to be pushed (RFC 9126)' }),
  about: exactly({
    clientUri: Type.Optional(url('Its home page')),
    logoUri: Type.Optional(url('Its logo')),
    tosUri: Type.Optional(url('Its terms of service')),
    policyUri: Type.Optional(url('Its privacy policy')),
    softwareId: Type.Optional(word('Which software it is')),
    softwareVersion: Type.Optional(word('And which version')),
  }),
};

/** What is shown of these settings; of a change, those that it changes. */
export type ShownExtras<Given extends Partial<ClientExtras>> = {
  -readonly [Name in keyof Given & keyof ClientExtras]: Static<(typeof clientExtras)[Name]>;
};

const shown: { readonly [Name in keyof ClientExtras]: (value: ClientExtras[Name]) => Static<(typeof clientExtras)[Name]> } = {
  applicationType: (value) => value,
  jwks: (value) => value,
  jwksUri: (value) => value,
  assertionAlg: (value) => value,
  postLogoutRedirectUris: (value) => [...value],
  backchannelLogout: (value) => value,
  dpopRequired: (value) => value,
  parRequired: (value) => value,
  about: (value) => value,
};

export const extraNames = Object.keys(shown) as readonly (keyof ClientExtras)[];

/** These settings of a client, or those of them that a change has. */
export const extrasOf = <Given extends Partial<ClientExtras>>(given: Given): ShownExtras<Given> =>
  // Each member through the function of its own name.
  Object.fromEntries(
    extraNames.flatMap((name) => (given[name] === undefined ? [] : [[name, (shown[name] as (value: unknown) => unknown)(given[name])]])),
  ) as ShownExtras<Given>;

/** As they are sent: a change of `about` leaves the members as they are that it does not name. */
export type SentExtras = Partial<Omit<ClientExtras, 'about'>> & {
  readonly about?: { readonly [Name in keyof ClientSelfDescription]?: ClientSelfDescription[Name] };
};
