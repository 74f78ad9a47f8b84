import type { ClientState, PlatformDocument } from '@grantlog/domain';
import { OAuthError, parseClientId } from '@grantlog/protocol';
import type { Deps } from '../deps.ts';
import type { TokenRequest } from '../grants/token-request.ts';
import { type ResolvedClient, resolveClient } from '../platforms/resolve-client.ts';

/** Whether a document at its `client_id` says what the client is, and not the log alone. */
export const isDescribed = (clientId: string, logged: ClientState): boolean =>
  logged.status === 'none' ? parseClientId(clientId).kind === 'url' : logged.status === 'active' && logged.how === 'metadata_document';

/**
 * The client that shows an assertion, at an instant. One that is described by a document need not be known here: its
 * provider has signed for it, and that is asked first, so nobody else can have a document fetched or a client written. A
 * site that does not answer, or that the platform takes no clients of any more, opens nothing new.
 *
 * @throws OAuthError `invalid_client`
 * @throws LogUnavailable
 */
export const clientOfAssertion = async (
  deps: Deps,
  { names, credentials, address }: Pick<TokenRequest, 'names' | 'credentials' | 'address'>,
  at: { readonly document: PlatformDocument; readonly logged: ClientState; readonly now: number },
): Promise<ResolvedClient> => {
  const { clientId } = credentials;
  if (!isDescribed(clientId, at.logged)) return { state: at.logged, news: [] };
  try {
    return await resolveClient(deps, { ...at, names, clientId, address });
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    throw new OAuthError('invalid_client', { description: error.description, reason: error.reason });
  }
};
