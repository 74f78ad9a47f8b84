import type { ClientRecord } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';
import type { OwnSettings } from './own-settings.ts';

/** What the server alone says of a client. */
const serverMembers = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'] as const;

const refuse = (description: string): OAuthError => new OAuthError('invalid_client_metadata', { description });

/**
 * Holds the body of an update against what only the server may say.
 *
 * @param update.isSecret whether a text is a secret of the client.
 * @throws OAuthError `invalid_client_metadata` naming the member.
 * @see RFC 7592 §2.2
 */
export const checkUpdateBody = (
  json: unknown,
  update: { readonly client: ClientRecord; readonly clientId: string | null; readonly isSecret: (text: string) => boolean },
): void => {
  const members: Readonly<Record<string, unknown>> = typeof json === 'object' && json !== null ? { ...json } : {};
  const foreign = serverMembers.find((name) => Object.hasOwn(members, name));
  if (foreign !== undefined) throw refuse(`${foreign} is for the server to say: leave it out`);
  if (update.clientId === null) throw refuse('client_id is required, as the registration has it');
  if (update.clientId !== update.client.clientId) throw refuse('client_id is not that of this registration');
  const secret = members['client_secret'];
  if (secret !== undefined && !(typeof secret === 'string' && update.isSecret(secret)))
    throw refuse('client_secret is not the one that was issued: leave it out, for a client does not choose its own');
};

/**
 * A client stays public or confidential, and one without a secret gets none: what it authenticates by was decided when it
 * registered.
 *
 * @throws OAuthError `invalid_client_metadata`
 */
export const checkSameAuthentication = (client: ClientRecord, wished: OwnSettings): void => {
  const needsSecret = wished.authMethods.includes('client_secret_basic');
  if (wished.kind === client.kind && (!needsSecret || client.secrets.length > 0)) return;
  throw refuse(`token_endpoint_auth_method stays ${client.authMethods[0]}: a client that authenticates otherwise registers anew`);
};
