import type { InjectOptions } from 'fastify';
import type { ProofKey } from '../../../../../test/support/proof-key.ts';
import type { Json } from '../../management/support/world.ts';
import { type DpopWorld, origin, type Route, vault } from './dpop-world.ts';

/** How routes are called that take an access token, each with a token that is good there. */
export const createTokenRoutes = async (world: DpopWorld, key: ProofKey) => {
  const person = await world.account('system' as never, ['operator']);
  const operators = await world.register({ platform: 'system' as never, redirectUris: ['http://localhost:9999/back'] });
  const tokenFor = async (route: Route, jkt: string | undefined): Promise<string> => {
    const bound = jkt === undefined ? {} : { jkt };
    const own = (scope: string) => world.granted({ ...bound, scopes: [scope], resource: `${origin}/${vault}/${scope}` });
    switch (route.config.authentication) {
      case 'operator':
      case 'auditor': {
        const scopes = [route.config.authentication === 'auditor' ? 'audit' : 'manage'];
        const terms = { platform: 'system' as never, client: operators.stream, clientId: operators.clientId, account: person.id };
        return (await world.grant({ ...terms, scopes, ...bound })).accessToken;
      }
      case 'account':
        return (await own(route.url.includes('/developer') ? 'developer' : 'account')).accessToken;
      case 'tool':
      case 'agent':
        return (await world.granted({ ...bound, scopes: ['read'], resource: `${origin}/${vault}/mcp` })).accessToken;
      default:
        return (await world.granted(bound)).accessToken;
    }
  };

  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'check_account_status', arguments: {} } };
  const requestOf = (route: Route): InjectOptions & { readonly url: string } => ({
    method: route.method as 'GET',
    url: route.url.replace(':platform', vault).replaceAll(/:[A-Za-z]+/g, 'unknown'),
    ...(route.config.authentication === 'tool'
      ? { payload: call, headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' } }
      : {}),
  });

  return {
    /** Every route of ours that takes access tokens, and nobody without one. */
    routes: world.routes.filter(
      ({ method, url, config: { authentication = 'none' } }) =>
        ['bearer', 'operator', 'auditor', 'account', 'tool', 'agent', 'reader'].includes(authentication) &&
        method !== 'HEAD' &&
        method !== 'OPTIONS' &&
        // What a sessionId alone tells is told whatever token comes along.
        !/\/signup\/(?:status$|:sessionId)/.test(url),
    ),
    tokenFor,
    ask: async (route: Route, shown: { readonly scheme: string; readonly token: string; readonly proof?: Json | null }) => {
      const request = requestOf(route);
      const { scheme, token, proof = {} } = shown;
      const dpop = key.proof({ method: route.method, url: origin + request.url, token, claims: proof ?? {} });
      const headers = { ...request.headers, authorization: `${scheme} ${token}`, ...(proof === null ? {} : { dpop }) };
      return world.ask({ ...request, headers });
    },
  };
};
