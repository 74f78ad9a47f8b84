import * as oauth from 'oauth4webapi';
import { Problem } from '../problem.ts';

/** What an app asks for: the API that its token is for (RFC 8707), and no more scopes than it uses. */
export type Asked = { readonly resource: string; readonly scope: string };

/** About the person and the connection, not about any API. */
const aboutPeople = ['openid', 'profile', 'email', 'offline_access'];

const readsOnly = (scope: string): boolean => /(?:^|:)read$/.test(scope);

/**
 * What an app of somebody else would ask this platform for: to know whom it serves, to stay connected, and to read what the
 * platform's own API holds, as that API's metadata names it. The server's resources for people's security settings and
 * developers' apps come after the platform's, and nothing of theirs is asked for.
 *
 * @see RFC 9728 §2, §4
 */
export const whatToAsk = async (server: oauth.AuthorizationServer, insecure: oauth.HttpRequestOptions<'GET'>): Promise<Asked> => {
  const [resource] = server.protected_resources ?? [];
  if (resource === undefined) throw new Problem(`${server.issuer} names no protected resource`, 'Choose a platform that has one');
  const uri = new URL(resource);
  const metadata = await oauth.processResourceDiscoveryResponse(uri, await oauth.resourceDiscoveryRequest(uri, insecure));
  const offered = metadata.scopes_supported ?? [];
  const reading = offered.filter(readsOnly);
  const known = aboutPeople.filter((scope) => server.scopes_supported?.includes(scope) === true);
  return { resource, scope: [...known, ...(reading.length > 0 ? reading : offered)].join(' ') };
};
