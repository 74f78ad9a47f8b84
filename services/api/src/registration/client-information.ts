import type { PlainSecret, PlainToken } from '@grantlog/crypto';
import type { ClientRecord } from '@grantlog/domain';
import { formatScope } from '@grantlog/protocol';

/** An answer to a client about itself. */
export type ClientInformation = Readonly<Record<string, unknown>>;

/** Clients validate what is there: a null, an empty text or an empty list of a member that nobody set breaks them. */
const present = (members: ClientInformation): ClientInformation =>
  Object.fromEntries(
    Object.entries(members).filter(
      ([, value]) => value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
    ),
  );

/**
 * The client information response: everything that is registered, with what this server has made of it.
 *
 * @param answer.secret where it was just made; later nobody knows it, and the answer has none.
 * @param answer.scopes all that the client may ask for.
 * @see RFC 7591 §3.2.1; RFC 7592 §3
 */
export const clientInformation = (
  client: ClientRecord,
  answer: {
    readonly issuer: string;
    readonly token: PlainToken;
    readonly secret: PlainSecret | null;
    readonly scopes: readonly string[];
  },
): ClientInformation => {
  const { about, backchannelLogout } = client;
  return present({
    client_id: client.clientId,
    client_id_issued_at: Math.floor(client.registeredAt / 1000),
    client_secret: answer.secret,
    // Required beside a secret, and 0 for one that does not expire: some clients read neither without the other.
    client_secret_expires_at: answer.secret === null ? null : 0,
    registration_client_uri: `${answer.issuer}/oauth/register/${client.clientId}`,
    registration_access_token: answer.token,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    grant_types: client.grantTypes,
    response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: client.authMethods[0],
    token_endpoint_auth_signing_alg: client.assertionAlg,
    application_type: client.applicationType,
    scope: formatScope(answer.scopes),
    client_uri: about.clientUri,
    logo_uri: about.logoUri,
    tos_uri: about.tosUri,
    policy_uri: about.policyUri,
    software_id: about.softwareId,
    software_version: about.softwareVersion,
    jwks: client.jwks,
    jwks_uri: client.jwksUri,
    id_token_signed_response_alg: client.idTokenAlg,
    post_logout_redirect_uris: client.postLogoutRedirectUris,
    backchannel_logout_uri: backchannelLogout?.uri,
    backchannel_logout_session_required: backchannelLogout?.sessionRequired,
    // Said only where it is so: what is absent is false (RFC 9449 §5.2, RFC 9126 §6).
    dpop_bound_access_tokens: client.dpopRequired ? true : null,
    require_pushed_authorization_requests: client.parRequired ? true : null,
  });
};
