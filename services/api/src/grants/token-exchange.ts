import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { ClientRecord, GrantId, Issue } from '@grantlog/domain';
import { delegate, grantDecider, tokenExchangeGrant as grantType, keyRingStream, platformStream, sourcesOf } from '@grantlog/domain';
import type { Plan } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { OAuthError, sameResource, tokenResponse } from '@grantlog/protocol';
import { commitOn } from '@grantlog/provisioning';
import { issueAsItStands, lacksContext } from '../contexts/standing-context.ts';
import { delegationError } from '../delegation/delegation-error.ts';
import { sourceRequests } from '../delegation/load-with-sources.ts';
import { proveActor, proveSubject, refuseElsewhere, standsOn } from '../delegation/prove-subject.ts';
import { namedGrants, readExchange } from '../delegation/read-exchange.ts';
import type { Deps } from '../deps.ts';
import { foldGrant, foldKeyRing, platformStreams } from '../platforms/load-parties.ts';
import type { TokenSource } from '../tokens/issue-tokens.ts';
import { tokensOf } from '../tokens/issue-tokens.ts';
import { proveClient } from './exchange.ts';
import { issueRulesOf, stillAllowed } from './issue-rules.ts';
import { refusalToError } from './refusals.ts';
import type { GrantHandler } from './token-request.ts';

type Issued = { readonly source: TokenSource; readonly issue: Issue; readonly client: ClientRecord; readonly now: number };

/**
 * `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): an access token by which the client acts for the
 * person behind another, as a grant of its own that is dead with any token it stands on. It widens nothing: no scope, no
 * resource, no context, no lifetime; and it cannot be refreshed.
 */
export const tokenExchangeGrant = (deps: Deps): GrantHandler => ({
  grantType,
  exchange: async (request) => {
    const { names, credentials, parameters, correlationId, proofKey } = request;
    const { platform } = names;
    const stream = names.client(credentials.clientId);
    const named = namedGrants(request);
    // Made before the first attempt, so that a conflict decides on the same stream anew.
    const grantId = uuidv7(Date.now()) as GrantId;
    const tokenNonce = randomToken(32);
    // What a grant stands on is in its first event and never changes, so it may be read beforehand.
    const sources =
      named.length === 0
        ? []
        : sourceRequests(
            await deps.log.load(
              platform,
              named.map((streamId) => ({ streamId })),
            ),
            named,
          );

    const { outcome } = await execute({
      log: deps.log,
      platform,
      requests: [
        ...platformStreams,
        { streamId: stream, withSecrets: true },
        { streamId: grantId },
        ...named.map((streamId) => ({ streamId, follow: true })),
        ...sources,
      ],
      decide: async (loaded): Promise<Plan<Issued>> => {
        const { client, document } = proveClient(deps, request, loaded, grantType);
        const asked = readExchange(parameters);
        const against = { names, loaded, exchanger: { stream, client, proofKey } };
        const subject = await proveSubject(deps, asked.subject, against);
        refuseElsewhere(subject, against.exchanger, asked.resources);
        if (asked.actor !== undefined) await proveActor(deps, asked.actor, against);
        const { grant, token, issuer } = subject;
        const { terms: granted } = grant;
        const subjectGrant = subject.grantId as GrantId;
        const decided = delegate({
          subject: {
            terms: granted,
            source: { grant: subjectGrant, sequence: token.sequence, expiresAt: token.expiresAt, key: token.key },
            scopes: token.scopes,
            resource: token.resource,
          },
          actor: { client: stream, clientId: client.clientId },
          document,
          allowed: stillAllowed({ document, client, issuer }, { ...granted, scopes: document.scopes.map(({ name }) => name) }),
          scopes: asked.scopes,
          resources: asked.resources.map((resource) => granted.resources.find((uri) => sameResource(uri, resource)) ?? resource),
          tokenNonce,
        });
        if (!decided.ok) throw delegationError(decided);
        const { terms } = decided;
        const { context } = grant;
        const resource = terms.resources[0] ?? null;
        if (lacksContext({ document, issuer }, { context, terms }, { account: subject.account, resource }))
          throw new OAuthError('invalid_target', {
            description: `The grant of the subject_token has no ${document.contexts?.noun ?? 'context'} that the resource could be used with`,
          });
        const keys = await deps.keys.of(platform, foldKeyRing(loaded));
        const rules = issueRulesOf({ document, client, scopes: terms.scopes, tokenKeyId: keys.mintingTokenKeyId });
        const { events, refusal } = grantDecider.decide(
          {
            type: 'issue_to_client',
            terms,
            now: loaded.now,
            rules: { ...rules, refreshTokenSeconds: null },
            narrowing: { scopes: null, resource },
            proofKey,
            context,
          },
          foldGrant(loaded, grantId),
        );
        if (refusal !== undefined) throw refusalToError(refusal);
        const issue = events[0]?.type === 'grant.authorized' ? events[0].data.issue : null;
        if (issue === null) throw new Error('a token exchange issued nothing');
        return {
          commit: commitOn(
            loaded,
            { actor: { kind: 'client', id: stream }, correlationId },
            {
              writes: [{ streamId: grantId, events }],
              reads: [platformStream, keyRingStream, stream, ...standsOn(loaded, sourcesOf(terms))],
            },
          ),
          outcome: {
            source: { platform, document, issuer, keys, grantId, terms },
            issue: issueAsItStands(document, issue, subject.account),
            client,
            now: loaded.now,
          },
        };
      },
    });
    const { source, issue, client, now } = outcome;
    const tokens = await tokensOf(source, issue, { idTokenAlg: client.idTokenAlg ?? source.document.idTokenAlg, nonce: null });
    return tokenResponse({
      ...tokens,
      expiresIn: issue.accessExpiresAt - Math.floor(now / 1000),
      tokenType: issue.jkt === undefined ? 'Bearer' : 'DPoP',
      issuedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
    });
  },
});
