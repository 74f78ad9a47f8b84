import type { ClientRecord, ClientStreamId, GrantId, GrantTerms } from '@grantlog/domain';
import type { Loaded, StreamId } from '@grantlog/eventsourcing';
import { OAuthError, sameResource } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import { judgeAccess, type LiveToken } from '../access/resolve-access.ts';
import type { Deps } from '../deps.ts';
import { refusalToError } from '../grants/refusals.ts';
import { foldGrant } from '../platforms/load-parties.ts';
import { servesResource } from '../platforms/own-resources.ts';
import type { ClaimedToken } from '../tokens/read-token.ts';

/** The client that exchanges: proved, and what it may prove besides. */
type Exchanger = {
  readonly stream: ClientStreamId;
  readonly client: ClientRecord;
  /** Thumbprint of the key whose possession the request has proved; null where it proves none. */
  readonly proofKey: string | null;
};

type Against = { readonly names: PlatformNames; readonly loaded: Loaded; readonly exchanger: Exchanger };

// RFC 8693 §2.2.2 has invalid_request for tokens that are invalid or unacceptable. Which of it, only the log is told.
const unacceptable = (name: 'subject_token' | 'actor_token', description: string, reason: string): OAuthError =>
  reason === 'platform_suspended'
    ? refusalToError('not_standing', reason)
    : new OAuthError('invalid_request', { description, reason: `${name}: ${reason}` });

const isHeldBy = ({ grant }: LiveToken, { stream }: Exchanger): boolean => grant.terms.client === stream;

/** A resource server was shown the token by whoever holds it, and proves itself: a public client would prove nothing. */
const wasShownTo = (live: LiveToken, { client }: Exchanger): boolean =>
  client.kind === 'confidential' && live.token.resource !== null && servesResource(live, client, live.token.resource);

/**
 * The access token that is to be exchanged, alive, and of whom it may come: of the client that it was issued to, or of a
 * confidential client that serves its resource. Nobody else, whatever they hold (RFC 8693 §2.1, §5).
 *
 * A token bound to a key needs the holder's proof where its own client comes, or a copy of it could be exchanged for one that
 * is bound to nothing. Who serves the resource cannot have the holder's key, and proves itself by its own authentication.
 *
 * @throws OAuthError `invalid_request`; `invalid_grant` for a key that is not the token's; 503 where the platform is suspended
 */
export const proveSubject = async (
  deps: Pick<Deps, 'keys' | 'config'>,
  claimed: ClaimedToken | null,
  { names, loaded, exchanger }: Against,
): Promise<LiveToken> => {
  const refuse = (reason: string): OAuthError =>
    unacceptable(
      'subject_token',
      'subject_token is no live access token that was issued to this client or for a resource that this client serves',
      reason,
    );
  const { live, reason } = await judgeAccess(deps, names, claimed, loaded);
  if (live === null) throw refuse(reason);
  if (live.kind !== 'access') throw refuse('it is a refresh token');
  const isOwn = isHeldBy(live, exchanger);
  if (!isOwn && !wasShownTo(live, exchanger)) throw refuse('it is neither of this client nor for a resource that it serves');
  const { jkt } = live.grant.current;
  if (isOwn && jkt !== undefined && jkt !== exchanger.proofKey) throw refusalToError('proof_key_mismatch');
  return live;
};

/**
 * That a token leads nowhere but to its own resource where it is all that was shown. Every server that it is for has it, too, and
 * could say that it is the public client (RFC 8707 §2): a token that is bound to its client's key, and so was shown with it, may
 * go on to the other resources of its grant.
 *
 * @throws OAuthError `invalid_target`
 */
export const refuseElsewhere = ({ token, grant }: LiveToken, { client }: Exchanger, resources: readonly string[]): void => {
  if (client.kind === 'confidential' || grant.current.jkt !== undefined) return;
  const { resource } = token;
  if (resources.every((asked) => resource !== null && sameResource(asked, resource))) return;
  throw new OAuthError('invalid_target', {
    description: 'A public client exchanges a token only for the resource of its token, unless the token is bound to a key that it proves',
  });
};

/**
 * That who will act is who asks: an `actor_token` can only be the client's own, got by itself, for the chain names clients
 * and the client has authenticated already. It proves nothing more, and what is issued does not stand on it.
 *
 * @throws OAuthError `invalid_request`
 */
export const proveActor = async (
  deps: Pick<Deps, 'keys' | 'config'>,
  claimed: ClaimedToken | null,
  { names, loaded, exchanger }: Against,
): Promise<void> => {
  const { live, reason } = await judgeAccess(deps, names, claimed, loaded);
  const isOwn = live?.kind === 'access' && isHeldBy(live, exchanger) && live.grant.terms.account === null;
  if (isOwn) return;
  throw unacceptable(
    'actor_token',
    'actor_token must be a live access token that this client got for itself, by client_credentials; it may be left out',
    live === null ? reason : 'it is another party than the client',
  );
};

const partiesOf = ({ client, account, session }: GrantTerms): readonly StreamId[] => [
  client,
  ...(account === null ? [] : [account]),
  ...(session === null ? [] : [session]),
];

/** Every stream on which these grants stand: what is issued on them is appended only while none has changed. */
export const standsOn = (loaded: Loaded, grants: readonly GrantId[]): readonly StreamId[] =>
  grants.flatMap((id) => {
    const grant = foldGrant(loaded, id);
    return grant.status === 'none' || grant.status === 'denied' ? [id] : [id, ...partiesOf(grant.terms)];
  });
