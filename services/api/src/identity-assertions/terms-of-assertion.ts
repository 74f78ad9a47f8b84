import type { AccountState, ClientRecord, GrantTerms, Narrowing, PlatformDocument } from '@grantlog/domain';
import { grantableScopes, stillGrantable } from '@grantlog/domain';
import { OAuthError, parseScope, sameResource } from '@grantlog/protocol';
import type { LinkedPerson } from '@grantlog/provisioning';
import { readNarrowing } from '../grants/issue-rules.ts';
import type { TokenRequest } from '../grants/token-request.ts';
import { type FoundResource, findResource } from '../platforms/own-resources.ts';
import { type ProvedAssertion, refuseAssertion } from './verify-assertion.ts';

type Party = { readonly document: PlatformDocument; readonly client: ClientRecord; readonly issuer: string };

// What opens a person's own settings here is theirs to allow, and nothing is refreshed: the provider is asked again.
const notTheirs: ReadonlySet<string> = new Set(['account', 'developer', 'offline_access']);

const nothingInCommon = (): OAuthError =>
  new OAuthError('invalid_scope', {
    description: 'Assertion, request and client have no scope of this platform in common that a provider may open',
  });

/**
 * What assertion, request, client and platform have in common; the platform's defaults where neither of the first two names a
 * scope.
 *
 * @throws OAuthError `invalid_scope`
 */
const scopesOfAssertion = (
  { document, client }: Party,
  { scope }: Pick<ProvedAssertion, 'scope'>,
  requested: readonly string[] | null,
): readonly string[] => {
  const asserted = scope === null ? null : parseScope(scope);
  const wanted = requested === null ? asserted : asserted === null ? requested : requested.filter((each) => asserted.includes(each));
  const allowed = wanted === null ? [] : stillGrantable({ document, client }, wanted);
  // An empty list would ask for the defaults.
  if (wanted !== null && allowed.length === 0) throw nothingInCommon();
  const decided = grantableScopes({ document, client, requested: allowed });
  switch (decided.outcome) {
    case 'granted': {
      const scopes = decided.scopes.filter((each) => !notTheirs.has(each));
      if (scopes.length === 0) throw nothingInCommon();
      return scopes;
    }
    case 'required_scope_missing':
      throw new OAuthError('invalid_scope', { description: `${decided.scope} is required, and assertion or request does not name it` });
    case 'invalid_scope':
      throw new OAuthError('invalid_scope', { description: 'Name the scopes asked for' });
  }
};

const invalidTarget = (description: string): OAuthError => new OAuthError('invalid_target', { description });

/** A resource that stands behind this server; what the server is itself is nothing that a provider may open. */
const findBehind = ({ document, issuer }: Party, uri: string): FoundResource | null => {
  const found = findResource(document, issuer, uri);
  return found !== null && document.resources.includes(found.definition) ? found : null;
};

/**
 * The one resource that the token is for: asked for, and within what the assertion names; its only one, or the platform's
 * only one, where the request is silent. Null on a platform without resources.
 *
 * @throws OAuthError `invalid_target`, `invalid_grant`
 */
const resourceOfAssertion = (
  party: Party,
  { resources }: Pick<ProvedAssertion, 'resources'>,
  { resource: requested }: Pick<Narrowing, 'resource'>,
): FoundResource | null => {
  if (requested !== null) {
    if (resources !== null && !resources.some((each) => sameResource(each, requested)))
      throw invalidTarget('resource is not among those of the assertion');
    const found = findBehind(party, requested);
    if (found === null) throw invalidTarget('resource is not one of this platform');
    return found;
  }
  if (resources !== null) {
    const found = resources.flatMap((each) => findBehind(party, each) ?? []);
    const [only, ...others] = found;
    if (only === undefined) throw refuseAssertion('resource of the assertion is not one of this platform');
    if (others.length > 0) throw invalidTarget('The assertion has several resources of this platform; name one in resource');
    return only;
  }
  const [only, ...others] = party.document.resources;
  if (others.length > 0) throw invalidTarget('This platform has several resources; name one in resource');
  return only === undefined ? null : { uri: only.uri, definition: only, context: null };
};

/**
 * The context that the grant is for: that of the resource, else the account's only one. Nobody is there to choose.
 *
 * @param account null for one that comes to be with this grant.
 * @throws OAuthError `invalid_target` where one is needed and none is to be had
 */
const contextOfAssertion = (
  { document }: Pick<Party, 'document'>,
  resource: FoundResource | null,
  account: AccountState | null,
): string | null => {
  if (document.contexts === null) return null;
  const { noun, required } = document.contexts;
  const ids = account !== null && 'contexts' in account ? account.contexts.ids : [];
  if (resource !== null && resource.context !== null) {
    if (!ids.includes(resource.context)) throw invalidTarget(`resource is of a ${noun} that the person does not have`);
    return resource.context;
  }
  const [only, ...others] = ids;
  if (only !== undefined && others.length === 0) return only;
  if (required)
    throw invalidTarget(only === undefined ? `The person has no ${noun} yet` : `The person has several; name the resource of one ${noun}`);
  return null;
};

/**
 * The terms of the grant that an assertion opens, and its context.
 *
 * @throws OAuthError `invalid_scope`, `invalid_target`, `invalid_grant`
 */
export const termsOfAssertion = (
  request: Pick<TokenRequest, 'names' | 'parameters'>,
  of: Party & { readonly assertion: ProvedAssertion; readonly person: LinkedPerson; readonly tokenNonce: string },
): { readonly terms: GrantTerms; readonly context: string | null } => {
  const { assertion, client, person } = of;
  const narrowing = readNarrowing(request);
  const resource = resourceOfAssertion(of, assertion, narrowing);
  return {
    context: contextOfAssertion(of, resource, person.state),
    terms: {
      flow: 'jwt_bearer',
      client: request.names.client(client.clientId),
      clientId: client.clientId,
      account: person.account,
      session: null,
      signIn: null,
      scopes: scopesOfAssertion(of, assertion, narrowing.scopes),
      resources: resource === null ? [] : [resource.uri],
      authTime: assertion.authTime,
      ...(assertion.amr === null ? {} : { amr: assertion.amr }),
      ...(resource !== null && resource.context !== null ? { contextPinned: true } : {}),
      tokenNonce: of.tokenNonce,
    },
  };
};
