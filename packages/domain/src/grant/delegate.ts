import type { ClientStreamId, GrantId } from '../ids.ts';
import type { PlatformDocument } from '../platform/document.ts';
import { impliedScopes } from '../scopes.ts';
import type { Narrowing } from './commands.ts';
import type { DelegationSource, GrantTerms } from './events.ts';

/** Clients that may act one after another on what one person allowed. */
export const delegationLimit = 8;

/** Why a token is not passed on. `scope` is the one at fault. */
export type DelegationRefusal =
  | { readonly refusal: 'nobody_behind_it' | 'chain_too_long' | 'resource_not_granted' | 'no_scope_left' }
  | { readonly refusal: 'scope_not_held' | 'scope_not_delegable'; readonly scope: string };

export type DelegationRequest = {
  /** The token that is shown, proved and alive, and the grant it belongs to. */
  readonly subject: {
    readonly terms: GrantTerms;
    readonly source: DelegationSource;
    readonly scopes: readonly string[];
    readonly resource: string | null;
  };
  /** Who will act. */
  readonly actor: { readonly client: ClientStreamId; readonly clientId: string };
  readonly document: Pick<PlatformDocument, 'scopes'>;
  /** What the platform, and the actor's own registration, still allow. */
  readonly allowed: NonNullable<Narrowing['allowed']>;
  /** Null for whatever may be passed on. */
  readonly scopes: readonly string[] | null;
  /** In the spelling of the subject's grant; empty for the resource of its token. */
  readonly resources: readonly string[];
  readonly tokenNonce: string;
};

export type Delegated = { readonly ok: true; readonly terms: GrantTerms } | ({ readonly ok: false } & DelegationRefusal);

/** An exchange gives nothing that outlives its source, and so no refresh token. */
const neverPassedOn: ReadonlySet<string> = new Set(['offline_access']);
/** What opens a person's own settings here stays with the client that they allowed it to. */
const keptByTheClient: ReadonlySet<string> = new Set(['account', 'developer']);

const refuse = (why: DelegationRefusal): Delegated => ({ ok: false, ...why });

/** What the token opens and may be passed on, implied scopes included: less may be handed on than is held. */
const scopesToPassOn = ({ subject, actor, document, allowed }: DelegationRequest): ReadonlySet<string> => {
  const isOwn = subject.terms.client === actor.client;
  const held = [...subject.scopes, ...impliedScopes(subject.scopes, document)];
  return new Set(
    held.filter((scope) => allowed.scopes.includes(scope) && !neverPassedOn.has(scope) && (isOwn || !keptByTheClient.has(scope))),
  );
};

/**
 * The terms on which `actor` may go on with what another was allowed, or why not: never more scopes, other resources, another
 * context or a longer life than the subject token has, and only for a person.
 *
 * Its first resource is that of the token; to the others it may be exchanged further, and nowhere else.
 *
 * @see RFC 8693 §1.1, §4.1
 */
export const delegate = (request: DelegationRequest): Delegated => {
  const { subject, actor, allowed } = request;
  const { terms, source } = subject;
  if (terms.account === null) return refuse({ refusal: 'nobody_behind_it' });
  const actors = [actor.clientId, ...(terms.delegation?.actors ?? [])];
  if (actors.length > delegationLimit) return refuse({ refusal: 'chain_too_long' });

  const passable = scopesToPassOn(request);
  const held = new Set([...subject.scopes, ...impliedScopes(subject.scopes, request.document)]);
  const denied = request.scopes?.find((scope) => !passable.has(scope));
  if (denied !== undefined) return refuse({ refusal: held.has(denied) ? 'scope_not_delegable' : 'scope_not_held', scope: denied });
  const scopes = request.scopes ?? subject.scopes.filter((scope) => passable.has(scope));
  if (scopes.length === 0) return refuse({ refusal: 'no_scope_left' });

  const wanted = request.resources.length > 0 ? request.resources : subject.resource === null ? [] : [subject.resource];
  if (!wanted.every((uri) => terms.resources.includes(uri) && allowed.resources.includes(uri)))
    return refuse({ refusal: 'resource_not_granted' });

  return {
    ok: true,
    terms: {
      flow: 'token_exchange',
      client: actor.client,
      clientId: actor.clientId,
      account: terms.account,
      // Session and sign-in are the subject's; they end its token, and that ends this.
      session: null,
      signIn: null,
      scopes: [...new Set(scopes)],
      resources: [...new Set(wanted)],
      authTime: terms.authTime,
      ...(terms.amr === undefined ? {} : { amr: terms.amr }),
      contextPinned: true,
      delegation: { actors, sources: [source, ...(terms.delegation?.sources ?? [])] },
      tokenNonce: request.tokenNonce,
    },
  };
};

/** The streams of the tokens that terms stand on; empty for what a person or a client was given directly. */
export const sourcesOf = ({ delegation }: Pick<GrantTerms, 'delegation'>): readonly GrantId[] => [
  ...new Set((delegation?.sources ?? []).map(({ grant }) => grant)),
];
