import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { ClientRecord, GrantId, Issue } from '@grantlog/domain';
import {
  grantDecider,
  jwtBearerGrant as grantType,
  keyRingStream,
  nameDecider,
  platformStream,
  sameJson,
  standing,
} from '@grantlog/domain';
import type { Loaded, Plan } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import type { TokenResponse } from '@grantlog/protocol';
import { OAuthError, tokenResponse } from '@grantlog/protocol';
import { commitOn, type ExternalRefusal, prepareExternalPerson } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { clientOfAssertion } from '../identity-assertions/client-of-assertion.ts';
import { type Proved, proveAssertion } from '../identity-assertions/prove-assertion.ts';
import { termsOfAssertion } from '../identity-assertions/terms-of-assertion.ts';
import { emailSpokenFor, trustedIssuerOf } from '../identity-assertions/trusted-issuer.ts';
import { refuseAssertion } from '../identity-assertions/verify-assertion.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { TokenSource } from '../tokens/issue-tokens.ts';
import { tokensOf } from '../tokens/issue-tokens.ts';
import { proveClient } from './exchange.ts';
import { issueRulesOf } from './issue-rules.ts';
import { refusalToError } from './refusals.ts';
import type { GrantHandler, TokenRequest } from './token-request.ts';

type Issued = { readonly source: TokenSource; readonly issue: Issue; readonly client: ClientRecord; readonly now: number };

const words = {
  no_account: 'The person of the assertion has no account here, and their identity provider may not make one',
  no_email: 'The person of the assertion has no account yet, and it has no email that its issuer speaks for',
  email_unverified: 'The account with the email of the assertion has never shown that the mailbox is its own; it cannot be linked',
  integration_account: 'The email of the assertion is that of a program, not of a person',
  too_many_subjects: 'The account with the email of the assertion is linked to too many people',
  issuer_linked: 'The account with the email of the assertion is somebody else of the same identity provider; ask an operator to look',
} as const satisfies Record<Exclude<ExternalRefusal, 'changed_meanwhile'>, string>;

/** One commit: the use of the assertion, the link of its person, and the grant. Null where the person's account changed meanwhile. */
const issue = async (deps: Deps, request: TokenRequest, { claimed, trusted, assertion }: Proved): Promise<Issued | null> => {
  const { names, credentials, correlationId, proofKey } = request;
  const { platform } = names;
  const stream = names.client(credentials.clientId);
  // Made before the first attempt, so that a conflict decides on the same stream anew.
  const grantId = uuidv7(Date.now()) as GrantId;
  const tokenNonce = randomToken(32);
  const use = names.jti(`issuer ${trusted.issuer}`, claimed.jti, claimed.expiresAtMs);
  const prepared = await prepareExternalPerson(deps.provisioning, names, {
    issuer: trusted.issuer,
    subject: claimed.subject,
    email: emailSpokenFor(trusted, claimed),
    displayName: claimed.displayName,
    mayCreate: trusted.createAccounts,
  });

  const decide = async (loaded: Loaded): Promise<Plan<Issued | null>> => {
    const owner = foldPlatform(loaded);
    if (owner.status === 'none') throw new Error(`the platform ${platform} has names and no document`);
    const { document } = owner;
    const { state, news } = await clientOfAssertion(deps, request, { document, logged: foldClient(loaded, stream), now: loaded.now });
    const { client } = proveClient(deps, request, loaded, grantType, state);
    // What the operator has taken away since the signature was verified is gone.
    if (!sameJson(trustedIssuerOf(document, claimed), trusted))
      throw refuseAssertion('This platform has changed what it takes of that issuer; ask it for another assertion');
    const used = nameDecider.decide({ type: 'claim', kind: 'jti', owner: grantId }, fold(nameDecider, loaded.stream(use)));
    if (used.refusal !== undefined) throw refuseAssertion('assertion was used before: ask the identity provider for another', 'replayed');
    const person = prepared.decide(loaded);
    if ('refusal' in person) {
      if (person.refusal === 'changed_meanwhile') return { commit: null, outcome: null };
      throw refuseAssertion(words[person.refusal], person.refusal);
    }
    if (assertion.audienceSubject !== null && assertion.audienceSubject !== person.account)
      throw refuseAssertion('aud_sub of the assertion is not the account that its person has here');
    const stands = standing({
      firstPosition: null,
      platform: owner,
      client: state,
      account: person.state,
    });
    if (stands !== 'good') throw refusalToError('not_standing', stands);
    const issuer = issuerOf(document, deps.config.publicUrl);
    const { terms, context } = termsOfAssertion(request, { assertion, document, client, issuer, person, tokenNonce });
    const keys = await deps.keys.of(platform, foldKeyRing(loaded));
    const rules = issueRulesOf({ document, client, scopes: terms.scopes, tokenKeyId: keys.mintingTokenKeyId });
    const narrowing = { scopes: null, resource: terms.resources[0] ?? null };
    const { events, refusal } = grantDecider.decide(
      // The provider is asked again instead of refreshing: what it takes away is gone with the access token.
      { type: 'issue_to_client', terms, now: loaded.now, rules: { ...rules, refreshTokenSeconds: null }, narrowing, proofKey, context },
      foldGrant(loaded, grantId),
    );
    if (refusal !== undefined) throw refusalToError(refusal);
    const issued = events[0]?.type === 'grant.authorized' ? events[0].data.issue : null;
    if (issued === null) throw new Error('an identity assertion issued nothing');
    return {
      commit: commitOn(
        loaded,
        { actor: { kind: 'client', id: stream }, correlationId },
        {
          writes: [
            { streamId: use, events: used.events },
            { streamId: grantId, events },
            ...person.writes,
            // What the log does not know yet of a client that is described by a document.
            { streamId: stream, events: news },
          ],
          reads: [platformStream, keyRingStream, stream, ...person.reads],
        },
      ),
      outcome: { source: { platform, document, issuer, keys, grantId, terms }, issue: issued, client, now: loaded.now },
    };
  };

  const { outcome } = await execute({
    log: deps.log,
    platform,
    requests: [...platformStreams, { streamId: stream, withSecrets: true }, { streamId: grantId }, { streamId: use }, ...prepared.requests],
    decide,
  });
  return outcome;
};

/**
 * `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 §2.1) with an ID-JAG: the access token of a person whom an
 * identity provider of the platform's trust names. One assertion gives one token, and none that can be refreshed.
 *
 * @see draft-ietf-oauth-identity-assertion-authz-grant; MCP enterprise-managed authorization (SEP-990)
 */
export const jwtBearerGrant = (deps: Deps): GrantHandler => ({
  grantType,
  exchange: async (request): Promise<TokenResponse> => {
    const proved = await proveAssertion(deps, request);
    // A second try finds whoever was faster; a third would mean that somebody links and erases the same person all the time.
    const issued = (await issue(deps, request, proved)) ?? (await issue(deps, request, proved));
    if (issued === null) throw new OAuthError('temporarily_unavailable', { description: 'Try again in a moment with the same assertion' });
    const { source, client, now } = issued;
    const tokens = await tokensOf(source, issued.issue, { idTokenAlg: client.idTokenAlg ?? source.document.idTokenAlg, nonce: null });
    return tokenResponse({
      ...tokens,
      expiresIn: issued.issue.accessExpiresAt - Math.floor(now / 1000),
      tokenType: issued.issue.jkt === undefined ? 'Bearer' : 'DPoP',
    });
  },
});
