import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { ClientRecord, GrantId, GrantTerms, Issue } from '@grantlog/domain';
import { grantableScopes, grantDecider, keyRingStream, platformStream, standing } from '@grantlog/domain';
import type { Plan } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { OAuthError, parseScope, sameResource, tokenResponse } from '@grantlog/protocol';
import { commitOn } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { TokenSource } from '../tokens/issue-tokens.ts';
import { tokensOf } from '../tokens/issue-tokens.ts';
import { proveClient } from './exchange.ts';
import { issueRulesOf, readNarrowing } from './issue-rules.ts';
import { refusalToError } from './refusals.ts';
import type { GrantHandler } from './token-request.ts';

type Issued = { readonly source: TokenSource; readonly issue: Issue; readonly client: ClientRecord; readonly now: number };

// These belong to a person (OIDC Core §3.1.2.1, §11; our own resources); nobody stands behind a client that asks for itself.
const personal = new Set(['openid', 'profile', 'email', 'offline_access', 'account', 'developer']);

/** `grant_type=client_credentials` (RFC 6749 §4.4): a grant of the client to itself, with one access token and no refresh. */
export const clientCredentialsGrant = (deps: Deps): GrantHandler => ({
  grantType: 'client_credentials',
  exchange: async (request) => {
    const { names, credentials, correlationId } = request;
    const { platform } = names;
    const requested = parseScope(request.parameters.get('scope'));
    const { resource } = readNarrowing(request);
    const streamId = names.client(credentials.clientId);
    // Made before the first attempt, so that a conflict decides on the same stream anew.
    const grantId = uuidv7(Date.now()) as GrantId;
    const tokenNonce = randomToken(32);

    const { outcome } = await execute({
      log: deps.log,
      platform,
      requests: [...platformStreams, { streamId, withSecrets: true }, { streamId: grantId }],
      decide: async (loaded): Promise<Plan<Issued>> => {
        const { client, document } = proveClient(deps, request, loaded, 'client_credentials');
        // RFC 6749 §4.4: for confidential clients only. Told after the proof, so that it tells nobody who is registered.
        if (client.kind === 'public')
          throw new OAuthError('unauthorized_client', { description: 'client_credentials is for clients with a secret' });
        const stands = standing({
          firstPosition: null,
          platform: foldPlatform(loaded),
          client: foldClient(loaded, streamId),
          account: null,
        });
        if (stands !== 'good') throw refusalToError('not_standing', stands);
        const impersonal = requested.find((scope) => personal.has(scope));
        if (impersonal !== undefined)
          throw new OAuthError('invalid_scope', { description: `${impersonal} needs a person; a client alone cannot have it` });
        // Required scopes are those of people, too.
        const vocabulary = { scopes: document.scopes.map((scope) => ({ ...scope, required: false })) };
        const decided = grantableScopes({ document: vocabulary, client, requested });
        if (decided.outcome !== 'granted') {
          throw new OAuthError('invalid_scope', {
            description: decided.scope === null ? 'Name the scopes asked for' : `${decided.scope} cannot be granted to this client`,
          });
        }
        const known = resource === null ? [] : document.resources.filter((each) => sameResource(each.uri, resource));
        if (resource !== null && known.length === 0)
          throw new OAuthError('invalid_target', { description: 'resource is not one of this platform' });
        const keys = await deps.keys.of(platform, foldKeyRing(loaded));
        const terms: GrantTerms = {
          flow: 'client_credentials',
          client: streamId,
          clientId: client.clientId,
          account: null,
          session: null,
          signIn: null,
          scopes: decided.scopes.filter((scope) => !personal.has(scope)),
          resources: known.map((each) => each.uri),
          authTime: null,
          tokenNonce,
        };
        const rules = {
          ...issueRulesOf({ document, client, scopes: terms.scopes, tokenKeyId: keys.mintingTokenKeyId }),
          refreshTokenSeconds: null,
        };
        const { events, refusal } = grantDecider.decide(
          {
            type: 'issue_to_client',
            terms,
            now: loaded.now,
            rules,
            narrowing: { scopes: null, resource: null },
            proofKey: request.proofKey,
            context: null,
          },
          foldGrant(loaded, grantId),
        );
        if (refusal !== undefined) throw refusalToError(refusal);
        const issue = events[0]?.type === 'grant.authorized' ? events[0].data.issue : null;
        if (issue === null) throw new Error('a grant to a client issued nothing');
        return {
          commit: commitOn(
            loaded,
            { actor: { kind: 'client', id: streamId }, correlationId },
            { writes: [{ streamId: grantId, events }], reads: [platformStream, keyRingStream, streamId] },
          ),
          outcome: {
            source: { platform, document, issuer: issuerOf(document, deps.config.publicUrl), keys, grantId, terms },
            issue,
            client,
            now: loaded.now,
          },
        };
      },
    });
    const { source, issue, client, now } = outcome;
    const tokens = await tokensOf(source, issue, { idTokenAlg: client.idTokenAlg ?? source.document.idTokenAlg, nonce: null });
    return tokenResponse({ ...tokens, expiresIn: issue.accessExpiresAt - Math.floor(now / 1000) });
  },
});
