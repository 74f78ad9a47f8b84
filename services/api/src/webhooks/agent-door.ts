import type { ClientStreamId, GrantId, PlatformDocument } from '@grantlog/domain';
import { bearerChallenge, bearerError, OAuthError, sameResource } from '@grantlog/protocol';
import type { PlatformNames, WebhookManager } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { LiveToken } from '../access/resolve-access.ts';
import { resolveShown } from '../access/resolve-shown.ts';
import { dpopOf, readShownToken } from '../access/shown-token.ts';
import type { Deps } from '../deps.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { admitSignUp } from '../sessions/throttles.ts';
import { webhookUrlProblem } from '../sessions/webhook-url-problem.ts';
import type { EndpointDoor, EndpointPassage } from './endpoint-door.ts';
import { endpointWords } from './endpoint-words.ts';
import { tooMany } from './too-many.ts';

// A token bound to another resource was given to that resource, which could bring it here (RFC 8707 §2). The MCP server is this server.
const isForHere = ({ token, issuer, document }: LiveToken): boolean => {
  const own = [issuer, ...(document.mcpServer === null ? [] : [document.mcpServer.resource])];
  const { resource } = token;
  return resource === null || own.some((each) => sameResource(each, resource));
};

// A grant without a person is the client's own; whoever holds the token of a person manages what is that grant's alone.
const managerOf = ({ grant, grantId }: LiveToken): WebhookManager & { readonly client: ClientStreamId } => {
  const { account, client } = grant.terms;
  // A live token's grant id is what its grant was loaded by.
  return account === null ? { kind: 'client', client } : { kind: 'grant', client, grant: grantId as GrantId };
};

/** Who shows a living access token for this server. @throws OAuthError 401 with a challenge */
export const identify = async (deps: Deps, names: PlatformNames, request: FastifyRequest): Promise<LiveToken> => {
  const realm = names.platform;
  const shown = readShownToken(deps, request);
  if (shown === null) {
    throw new OAuthError('invalid_request', {
      status: 401,
      description: 'An access token is required in the Authorization header',
      headers: { 'www-authenticate': bearerChallenge({ realm }) },
    });
  }
  const { live, refusal } = await resolveShown(deps, names, shown);
  if (live === null) throw bearerError({ ...refusal, realm });
  const refused = (description: string, reason: string): OAuthError =>
    bearerError({ code: 'invalid_token', description, reason, realm, dpop: dpopOf(shown) });
  if (live.kind !== 'access') throw refused('The access token is invalid, expired or revoked', 'it is a refresh token');
  if (!isForHere(live))
    throw refused(`The access token is for another resource: ask for one with resource=${live.issuer}`, 'it is for another resource');
  deps.traces.noteUse({ platform: names.platform, grant: live.grantId, client: live.grant.terms.clientId, request: request.id });
  return live;
};

/** Lets a URL be chosen: it has to be reachable, and nobody is flooded through us by those who name it. */
export const admitUrlOf =
  (
    deps: Deps,
    of: {
      readonly names: PlatformNames;
      readonly document: PlatformDocument;
      readonly address: string;
      /** What the URL is called in the body; default `url`. */
      readonly member?: string;
    },
  ) =>
  async (url: string): Promise<void> => {
    const { names, document, address, member = 'url' } = of;
    const webhookHost = URL.parse(url)?.hostname ?? null;
    const admission = await admitSignUp(deps, { platform: names.platform, address, webhookHost });
    if (admission.outcome === 'refused') {
      const { which, retryAfter } = admission;
      const detail =
        which === 'address' ? 'Too many webhooks were registered from this address' : 'Too many requests name the host of this url';
      throw tooMany({ detail, retryAfter });
    }
    const problem = await webhookUrlProblem(deps, document, url);
    if (problem === null) return;
    throw refusalProblem(endpointWords, 'url_unreachable', [
      { path: member, problem: problem.replaceAll('webhookUrl', member), fix: 'Name an https URL on a public address.' },
    ]);
  };

/** Where agents come in to the webhook endpoints of their client or grant: by an access token, before a body is read. */
export const agentDoor = (deps: Deps): EndpointDoor => {
  const passages = new WeakMap<FastifyRequest, EndpointPassage>();
  return {
    path: '/:platform/webhooks/endpoints',
    tags: ['Agents'],
    route: {
      config: { authentication: 'bearer', errors: 'problem' },
      onRequest: async (request) => {
        const names = await resolvePlatform(deps, request);
        const live = await identify(deps, names, request);
        const manager = managerOf(live);
        passages.set(request, {
          names,
          by: { actor: { kind: 'client', id: manager.client }, correlationId: request.traceparent },
          manager,
          admitUrl: admitUrlOf(deps, { names, document: live.document, address: request.ip }),
        });
      },
    },
    passed: (request) => {
      const passage = passages.get(request);
      if (passage === undefined) throw new Error('a route of webhook endpoints does not ask at its door');
      return Promise.resolve(passage);
    },
  };
};
