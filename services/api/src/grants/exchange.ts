import type {
  ClientRecord,
  GrantCommand,
  GrantId,
  GrantRefusal,
  GrantTerms,
  Issue,
  IssueRules,
  Narrowing,
  PlatformDocument,
  Standing,
} from '@grantlog/domain';
import { grantDecider, keyRingStream, platformStream, standing } from '@grantlog/domain';
import type { Loaded, Plan, StreamId } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import type { TokenResponse } from '@grantlog/protocol';
import { OAuthError, tokenResponse } from '@grantlog/protocol';
import { commitOn } from '@grantlog/provisioning';
import { authenticateClient } from '../access/authenticate-client.ts';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { TokenSource } from '../tokens/issue-tokens.ts';
import { tokensOf } from '../tokens/issue-tokens.ts';
import type { ClaimedToken, ProvedToken } from '../tokens/read-token.ts';
import { proveToken } from '../tokens/read-token.ts';
import { issueRulesOf, stillAllowed } from './issue-rules.ts';
import { refusalToError, unsupportedGrantType } from './refusals.ts';
import type { TokenRequest } from './token-request.ts';

/** What a grant's command is built from: everything loaded and proved at one instant. */
export type ExchangeFacts = {
  readonly now: number;
  readonly client: StreamId;
  readonly standing: Standing;
  readonly presented: ProvedToken;
  readonly rules: IssueRules;
  readonly terms: GrantTerms;
  readonly allowed: NonNullable<Narrowing['allowed']>;
  readonly document: PlatformDocument;
};

type Exchanged =
  | { readonly kind: 'refused'; readonly refusal: GrantRefusal; readonly reason: string }
  | {
      readonly kind: 'issued';
      readonly source: TokenSource;
      readonly issue: Issue;
      readonly client: ClientRecord;
      readonly nonce: string | null;
      readonly now: number;
    };

const refused = (refusal: GrantRefusal, reason: string = refusal): Plan<Exchanged> => ({
  commit: null,
  outcome: { kind: 'refused', refusal, reason },
});

/** The platform and the client of a token request, proved. @throws OAuthError */
export const proveClient = (
  deps: Pick<Deps, 'sealer'>,
  request: TokenRequest,
  loaded: Loaded,
  grantType: PlatformDocument['grantTypes'][number],
): { readonly client: ClientRecord; readonly document: PlatformDocument } => {
  const { names, credentials } = request;
  const streamId = names.client(credentials.clientId);
  const platform = foldPlatform(loaded);
  if (platform.status === 'none') throw new OAuthError('server_error', { description: 'The platform is not configured' });
  const client = authenticateClient(deps.sealer, {
    platform: names.platform,
    credentials,
    state: foldClient(loaded, streamId),
    stream: loaded.stream(streamId),
    now: loaded.now,
  });
  if (!platform.document.grantTypes.includes(grantType)) {
    throw unsupportedGrantType(platform.document);
  }
  if (!client.grantTypes.includes(grantType)) {
    throw new OAuthError('unauthorized_client', { description: 'The client is not registered for this grant type' });
  }
  return { client, document: platform.document };
};

/**
 * Exchanges a code or a refresh token: one load, one decision, one append. The decision sees the grant, its client,
 * its account and its platform at one instant, and is appended only while none of them has changed.
 */
export const exchangeToken = async (
  deps: Deps,
  request: TokenRequest,
  exchange: {
    readonly grantType: 'authorization_code' | 'refresh_token';
    readonly kind: 'code' | 'refresh';
    readonly claimed: ClaimedToken | null;
    readonly command: (facts: ExchangeFacts) => GrantCommand;
  },
): Promise<TokenResponse> => {
  const { names, correlationId } = request;
  const { platform } = names;
  const clientStream = names.client(request.credentials.clientId);
  const grantId: GrantId | null = exchange.claimed?.grantId ?? null;

  const { outcome } = await execute({
    log: deps.log,
    platform,
    requests: [
      ...platformStreams,
      { streamId: clientStream, withSecrets: true },
      ...(grantId === null ? [] : [{ streamId: grantId, follow: true }]),
    ],
    decide: async (loaded): Promise<Plan<Exchanged>> => {
      const { client, document } = proveClient(deps, request, loaded, exchange.grantType);
      if (grantId === null || exchange.claimed === null) return refused('unknown_grant', `not a ${exchange.kind} token`);
      const state = foldGrant(loaded, grantId);
      if (state.status === 'none' || state.status === 'denied') return refused('unknown_grant', `the grant is ${state.status}`);
      const { terms } = state;
      const keys = await deps.keys.of(platform, foldKeyRing(loaded));
      const issuer = issuerOf(document, deps.config.publicUrl);
      const presented = await proveToken(exchange.claimed, { platform, issuer, document, keys, terms, now: loaded.now });
      if (presented === null || presented.kind !== exchange.kind)
        return refused('unknown_grant', `the token is no ${exchange.kind} of this grant`);

      const stands = standing({
        firstPosition: state.firstPosition,
        platform: foldPlatform(loaded),
        client: foldClient(loaded, terms.client),
        account: foldAccount(loaded, terms.account),
      });
      const command = exchange.command({
        now: loaded.now,
        client: clientStream,
        standing: stands,
        presented,
        rules: issueRulesOf({ document, client, scopes: terms.scopes, tokenKeyId: keys.mintingTokenKeyId }),
        terms,
        allowed: stillAllowed({ document, client, issuer }, terms),
        document,
      });
      const { events, refusal } = grantDecider.decide(command, state);
      const commit = commitOn(
        loaded,
        { actor: { kind: 'client', id: clientStream }, correlationId },
        {
          writes: [{ streamId: grantId, events }],
          reads: [platformStream, keyRingStream, clientStream, terms.client, ...(terms.account === null ? [] : [terms.account])],
        },
      );
      if (refusal !== undefined) {
        return { commit, outcome: { kind: 'refused', refusal, reason: refusal === 'not_standing' ? stands : refusal } };
      }
      const issued = events.find((event) => event.type === 'grant.code_redeemed' || event.type === 'grant.refreshed');
      const current = state.status === 'active' ? state.current : null;
      const issue = issued?.data.issue ?? current;
      if (issue === null) throw new Error(`an exchange was neither refused nor did it issue: grant ${grantId} is ${state.status}`);
      // A retry of what was made with a key that has been retired as compromised since: it would be dead on arrival.
      if (keys.tokenKey(issue.tokenKeyId) === null) return refused('grant_ended', 'its token key was retired');
      const nonce = state.status === 'authorized' ? state.code.nonce : null;
      return {
        commit,
        outcome: { kind: 'issued', source: { platform, document, issuer, keys, grantId, terms }, issue, client, nonce, now: loaded.now },
      };
    },
  });

  if (outcome.kind === 'refused') throw refusalToError(outcome.refusal, outcome.reason);
  const { source, issue, client, nonce, now } = outcome;
  const tokens = await tokensOf(source, issue, { idTokenAlg: client.idTokenAlg ?? source.document.idTokenAlg, nonce });
  return tokenResponse({ ...tokens, expiresIn: issue.accessExpiresAt - Math.floor(now / 1000) });
};
