import { randomToken, SealBroken, type Sealer, sha256 } from '@grantlog/crypto';
import type { ClientStreamId, NameId } from '@grantlog/domain';
import { nameDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertPushedRequest, type PushedRequest, readPushedRequest } from '@grantlog/postgres';
import { OAuthError, readParameters } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';

/** Seconds for which a pushed request can be opened. What was opened in time may take the person longer to decide. */
export const pushedRequestSeconds = 90;

const prefix = 'urn:ietf:params:oauth:request_uri:';

type Parameters = Readonly<Record<string, string | readonly string[]>>;
type Context = Pick<Deps, 'sealer' | 'provisioning'>;

const idOf = (reference: string): Buffer => Buffer.from(sha256(reference));
/** To what the seal is bound: a row that somebody moves to another client or platform does not open. */
const sealedFor = ({ platform, client, id }: Pick<PushedRequest, 'platform' | 'client' | 'id'>): string =>
  `pushed request ${platform} ${client} ${Buffer.from(id).toString('hex')}`;

/** Keeps what a client pushed, and answers its `request_uri`. @throws LogUnavailable */
export const keepPushedRequest = async (
  { sealer, provisioning }: Context,
  request: { readonly platform: PlatformId; readonly client: ClientStreamId; readonly parameters: Parameters; readonly now: number },
): Promise<string> => {
  const { platform, client, parameters, now } = request;
  const reference = randomToken(32);
  const id = idOf(reference);
  const sealed = sealer.seal(new TextEncoder().encode(JSON.stringify(parameters)), sealedFor({ platform, client, id }));
  await insertPushedRequest(provisioning.pool, { platform, id, client, sealed, expiresAt: now + pushedRequestSeconds * 1000 });
  return `${prefix}${reference}`;
};

/** What stands behind a `request_uri`: its parameters, when it runs out, and where the log says that it has been decided. */
export type OpenedRequest = { readonly parameters: Parameters; readonly expiresAt: number; readonly name: NameId };

const refuse = (description: string, reason: string): OAuthError => new OAuthError('invalid_request_uri', { description, reason });
const gone = (reason: string): OAuthError =>
  refuse("The request that the app prepared has run out, or is another app's. Go back to the app and begin again", reason);

const openParameters = (sealer: Sealer, kept: PushedRequest): Parameters => {
  try {
    // What opens was sealed by keepPushedRequest, for this client.
    return JSON.parse(new TextDecoder().decode(sealer.open(kept.sealed, sealedFor(kept)))) as Parameters;
  } catch (error) {
    if (error instanceof SealBroken) throw gone('the pushed request does not open');
    throw error;
  }
};

/**
 * The pushed request that an authorization request stands for; null where it stands for itself. Beside a `request_uri` only
 * `client_id` counts (RFC 9126 §4).
 *
 * @throws OAuthError `invalid_request_uri`, shown on a page: without the request nobody knows where else to tell it.
 * @throws LogUnavailable
 */
export const openPushedRequest = async (
  { sealer, provisioning }: Context,
  names: PlatformNames,
  source: unknown,
): Promise<OpenedRequest | null> => {
  const sent = readParameters(source, ['client_id', 'request_uri']);
  const requestUri = sent.get('request_uri');
  if (requestUri === undefined || !requestUri.startsWith(prefix)) return null;
  const { platform } = names;
  const id = idOf(requestUri.slice(prefix.length));
  const kept = await readPushedRequest(provisioning.pool, { platform, id, client: names.client(sent.require('client_id')) });
  if (kept === null) throw gone('no such pushed request of this client');
  return {
    parameters: openParameters(sealer, kept),
    expiresAt: kept.expiresAt,
    name: names.requestUri(id.toString('hex'), kept.expiresAt),
  };
};

/**
 * Refuses a pushed request that has run out or has been decided; opened again before that it is shown again, for people
 * reload pages (RFC 9126 §4).
 *
 * @param loaded with the stream of its name.
 * @throws OAuthError `invalid_request_uri`
 */
export const refuseUsedRequest = (loaded: Loaded, { expiresAt, name }: OpenedRequest): void => {
  if (loaded.now >= expiresAt) throw gone('the pushed request has expired');
  if (fold(nameDecider, loaded.stream(name)).status === 'claimed')
    throw refuse('This request has been decided already. Go back to the app and begin again', 'the pushed request has been decided');
};
