import type {
  ClientRecord,
  ClientState,
  GrantCommand,
  GrantTerms,
  Issue,
  IssueRules,
  Narrowing,
  PlatformDocument,
  PresentedToken,
  Standing,
} from '@grantlog/domain';
import { grantDecider, keyRingStream, platformStream } from '@grantlog/domain';
import type { Loaded, Plan, StreamId } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import type { TokenResponse } from '@grantlog/protocol';
import { OAuthError, tokenResponse } from '@grantlog/protocol';
import { commitOn } from '@grantlog/provisioning';
import { authenticateClient } from '../access/authenticate-client.ts';
import { issueAsItStands, lacksContext } from '../contexts/standing-context.ts';
import type { Deps } from '../deps.ts';
import { takesClient } from '../metadata-documents/sites.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldClient, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { admitPoll } from '../sessions/throttles.ts';
import type { TokenSource } from '../tokens/issue-tokens.ts';
import { tokensOf } from '../tokens/issue-tokens.ts';
import { claimsInIdToken } from '../tokens/personal-claims.ts';
import { issueRulesOf, stillAllowed } from './issue-rules.ts';
import { grantOf, type Pending, proveShown, type Refused, refused, type Shown, streamsOf } from './prove-shown.ts';
import { refusalToError, slowDown, unsupportedGrantType } from './refusals.ts';
import type { TokenRequest } from './token-request.ts';

/** What a grant's command is built from: everything loaded and proved at one instant. */
export type ExchangeFacts = {
  readonly now: number;
  readonly client: StreamId;
  readonly standing: Standing;
  readonly presented: PresentedToken;
  readonly rules: IssueRules;
  readonly terms: GrantTerms;
  readonly allowed: NonNullable<Narrowing['allowed']>;
  readonly document: PlatformDocument;
};

type Exchanged =
  | Refused
  | Pending
  | {
      readonly kind: 'issued';
      readonly source: TokenSource;
      readonly issue: Issue;
      readonly client: ClientRecord;
      readonly nonce: string | null;
      readonly now: number;
    };

const unrecorded = (outcome: Refused | Pending): Plan<Exchanged> => ({ commit: null, outcome });

/**
 * The platform and the client of a token request, proved.
 *
 * @param known the client as it stands, where more is known of it than the log has.
 * @throws OAuthError
 */
export const proveClient = (
  deps: Pick<Deps, 'sealer'>,
  request: TokenRequest,
  loaded: Loaded,
  grantType: PlatformDocument['grantTypes'][number],
  known: ClientState = foldClient(loaded, request.names.client(request.credentials.clientId)),
): { readonly client: ClientRecord; readonly document: PlatformDocument } => {
  const { names, credentials } = request;
  const streamId = names.client(credentials.clientId);
  const platform = foldPlatform(loaded);
  if (platform.status === 'none') throw new OAuthError('server_error', { description: 'The platform is not configured' });
  const client = authenticateClient(deps.sealer, {
    platform: names.platform,
    credentials,
    state: known,
    stream: loaded.stream(streamId),
    now: loaded.now,
  });
  if (!platform.document.grantTypes.includes(grantType)) {
    throw unsupportedGrantType(platform.document);
  }
  if (!client.grantTypes.includes(grantType)) {
    throw new OAuthError('unauthorized_client', { description: 'The client is not registered for this grant type' });
  }
  if (!takesClient(platform.document, client))
    throw new OAuthError('unauthorized_client', { description: 'This platform takes no clients any more that are described at this site' });
  if (client.dpopRequired && request.proofKey === null) {
    // RFC 9449 §5.2
    throw new OAuthError('invalid_dpop_proof', { description: 'This client has to send a DPoP proof with every token request' });
  }
  return { client, document: platform.document };
};

/**
 * Exchanges a code, a device code or a refresh token: one load, one decision, one append. The decision sees the grant,
 * its client, its account and its platform at one instant, and is appended only while none of them has changed.
 */
export const exchangeToken = async (
  deps: Deps,
  request: TokenRequest,
  exchange: {
    readonly grantType: Exclude<PlatformDocument['grantTypes'][number], 'client_credentials'>;
    /** Null for what cannot be a token of this kind. An error is answered where platform and client have the grant type. */
    readonly shown: Shown | OAuthError | null;
    readonly command: (facts: ExchangeFacts) => GrantCommand;
  },
): Promise<TokenResponse> => {
  const { names, correlationId } = request;
  const { platform } = names;
  const shown = exchange.shown instanceof OAuthError ? null : exchange.shown;
  const clientStream = names.client(request.credentials.clientId);

  const { outcome } = await execute({
    log: deps.log,
    platform,
    requests: [...platformStreams, { streamId: clientStream, withSecrets: true }, ...(shown === null ? [] : streamsOf(shown))],
    decide: async (loaded): Promise<Plan<Exchanged>> => {
      const { client, document } = proveClient(deps, request, loaded, exchange.grantType);
      if (exchange.shown instanceof OAuthError) throw exchange.shown;
      if (shown === null) return unrecorded(refused('unknown_grant', `nothing that ${exchange.grantType} takes`));
      const keys = await deps.keys.of(platform, foldKeyRing(loaded));
      const issuer = issuerOf(document, deps.config.publicUrl);
      const proof = await proveShown(shown, { loaded, platform, client: clientStream, document, issuer, keys });
      if (proof.kind !== 'proved') return unrecorded(proof);
      const { grant, standing, along } = proof;
      const { terms } = grant;
      const command = exchange.command({
        now: loaded.now,
        client: clientStream,
        standing,
        presented: proof.presented,
        rules: issueRulesOf({ document, client, scopes: terms.scopes, tokenKeyId: keys.mintingTokenKeyId }),
        terms,
        allowed: stillAllowed({ document, client, issuer }, terms),
        document,
      });
      const { events, refusal } = grantDecider.decide(command, grant);
      const grantId = grantOf(shown);
      const commit = commitOn(
        loaded,
        { actor: { kind: 'client', id: clientStream }, correlationId },
        {
          // What a session comes to is recorded with its grant's redemption, and never without it.
          writes: [{ streamId: grantId, events }, ...(refusal === undefined ? along : [])],
          reads: [
            ...[platformStream, keyRingStream, clientStream, terms.client],
            ...(terms.account === null ? [] : [terms.account]),
            ...(terms.session === null ? [] : [terms.session]),
          ],
        },
      );
      if (refusal !== undefined) return { commit, outcome: refused(refusal, refusal === 'not_standing' ? standing : refusal) };
      const issued = events.find((event) => event.type === 'grant.code_redeemed' || event.type === 'grant.refreshed');
      const current = grant.status === 'active' ? grant.current : null;
      const issue = issued?.data.issue ?? current;
      if (issue === null) throw new Error(`an exchange was neither refused nor did it issue: grant ${grantId} is ${grant.status}`);
      const account = foldAccount(loaded, terms.account);
      const resource = issue.resource === null ? null : (terms.resources[issue.resource] ?? null);
      // What it would give is dead on arrival; the answer has its client ask the person anew, who may choose another.
      if (lacksContext({ document, issuer }, grant, { account, resource }))
        return unrecorded(refused('grant_ended', 'its context is not one of the account any more'));
      // A retry of what was made with a key that has been retired as compromised since: it would be dead on arrival.
      if (keys.tokenKey(issue.tokenKeyId) === null) return unrecorded(refused('grant_ended', 'its token key was retired'));
      const nonce = grant.status === 'authorized' ? grant.code.nonce : null;
      return {
        commit,
        outcome: {
          kind: 'issued',
          source: { platform, document, issuer, keys, grantId, terms },
          issue: issueAsItStands(document, issue, account),
          client,
          nonce,
          now: loaded.now,
        },
      };
    },
  });

  if (outcome.kind === 'refused') throw refusalToError(outcome.refusal, outcome.reason);
  if (outcome.kind === 'pending')
    throw (await admitPoll(deps, { platform, ...outcome })) ? refusalToError('authorization_pending') : slowDown(outcome.intervalSeconds);
  const { source, issue, client, nonce, now } = outcome;
  const claims = await claimsInIdToken(deps, { ...source, client });
  const tokens = await tokensOf(source, issue, { idTokenAlg: client.idTokenAlg ?? source.document.idTokenAlg, nonce, claims });
  return tokenResponse({ ...tokens, expiresIn: issue.accessExpiresAt - Math.floor(now / 1000) });
};
