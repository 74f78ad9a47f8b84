import { nameDecider, parseStreamId, standingKinds } from '@grantlog/domain';
import { type CommitId, fold, type JsonObject, type StreamId } from '@grantlog/eventsourcing';
import { longestClientId } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { AuditFilter } from '@grantlog/read-models';
import Type, { type Static } from 'typebox';
import type { Deps } from '../deps.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { standingIdOf } from '../management/standing-id.ts';
import { foldAccount } from '../platforms/load-parties.ts';
import { dateTime } from './moment.ts';
import { auditWords } from './words.ts';

const id = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 36, description }));
const time = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 40, description: `${description}; RFC 3339 with its zone` }));
const position = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));

/** What events may be asked for by; everything that is given has to hold. */
export const eventFilter = {
  account: id('The account that they concern'),
  email: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The same, by its email. Of somebody who was erased it finds nothing' }),
  ),
  clientId: Type.Optional(Type.String({ minLength: 1, maxLength: longestClientId, description: 'The client that they concern' })),
  grant: id('The grant that they concern'),
  session: id('The sign-up session that they concern'),
  stream: id('The stream that they stand in'),
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Who caused them' })),
  actorKind: Type.Optional(Type.Enum(['account', 'client', 'operator', 'system'])),
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'Types, parted by commas; grant.* is all of a kind' })),
  trace: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'The trace id of the request that caused them' })),
  commit: id('The commit that they came in'),
  cause: id('The commit that led to them'),
  ip: Type.Optional(Type.String({ minLength: 1, maxLength: 60, description: 'The address that they came from, however it is spelled' })),
  from: position('The first position'),
  to: position('The last position'),
  since: time('The first time'),
  until: time('The last time'),
};

const asked = Type.Object(eventFilter);
export type AskedEvents = Static<typeof asked>;

/** What was asked for as the index takes it, and as the record of the reading has it: no email and no address in it. */
export type ReadFilter = { readonly filter: AuditFilter; readonly about: JsonObject };

const stream = (text: string): StreamId => {
  const found = parseStreamId(text);
  if (found === null) throw refusalProblem(auditWords, 'unreadable_id');
  return found;
};
const commitOf = (text: string): CommitId => {
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)) throw refusalProblem(auditWords, 'unreadable_id');
  return text as CommitId;
};
const instantOf = (text: string): number => {
  const found = dateTime.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(found)) throw refusalProblem(auditWords, 'unreadable_moment');
  return found;
};
const addressOf = (names: PlatformNames, text: string): Uint8Array => {
  const found = names.address(text);
  if (found === null) throw refusalProblem(auditWords, 'unreadable_address');
  return found;
};

/** The account that an email belongs to; null where it belongs to none, or to one that was erased. */
const accountOf = async ({ log }: Pick<Deps, 'log'>, names: PlatformNames, email: string): Promise<StreamId | null> => {
  const name = names.email(email);
  const loaded = await log.load(names.platform, [{ streamId: name, follow: true }]);
  const state = fold(nameDecider, loaded.stream(name));
  if (state.status !== 'claimed') return null;
  const account = foldAccount(await log.load(names.platform, [{ streamId: state.owner }]), state.owner);
  return account?.status === 'active' || account?.status === 'disabled' ? state.owner : null;
};

/**
 * Reads what is asked for. Null where it can be about nobody.
 *
 * @throws ProblemError 422 for an id, a time or an address that is none
 */
export const readFilter = async (deps: Pick<Deps, 'log'>, names: PlatformNames, query: AskedEvents): Promise<ReadFilter | null> => {
  const {
    account,
    email,
    clientId,
    grant,
    session,
    stream: within,
    actor,
    actorKind,
    type,
    trace,
    commit,
    cause,
    ip,
    from,
    to,
    since,
    until,
  } = query;
  const named = email === undefined ? undefined : await accountOf(deps, names, email);
  const given = account === undefined ? undefined : standingIdOf(standingKinds.account, account);
  if (named === null || given === null || (named !== undefined && given !== undefined && named !== given)) return null;
  if (actorKind !== undefined && actor === undefined) throw refusalProblem(auditWords, 'actor_missing');
  const address = ip === undefined ? undefined : addressOf(names, ip);
  const filter: AuditFilter = {
    ...((named ?? given) === undefined ? {} : { account: (named ?? given) as StreamId }),
    ...(clientId === undefined ? {} : { client: names.client(clientId) }),
    ...(grant === undefined ? {} : { grant: stream(grant) }),
    ...(session === undefined ? {} : { session: stream(session) }),
    ...(within === undefined ? {} : { stream: stream(within) }),
    ...(actor === undefined ? {} : { actor: { id: actor, ...(actorKind === undefined ? {} : { kind: actorKind }) } }),
    ...(type === undefined ? {} : { types: type.split(',').map((each) => each.trim()) }),
    ...(trace === undefined ? {} : { trace }),
    ...(commit === undefined ? {} : { commit: commitOf(commit) }),
    ...(cause === undefined ? {} : { cause: commitOf(cause) }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(since === undefined ? {} : { since: instantOf(since) }),
    ...(until === undefined ? {} : { until: instantOf(until) }),
  };
  const { actor: by, types, ip: _, ...ids } = filter;
  const about: JsonObject = {
    ...ids,
    ...(by === undefined ? {} : { actor: by }),
    ...(types === undefined ? {} : { types: [...types] }),
    ...(address === undefined ? {} : { ip: address.toBase64({ alphabet: 'base64url', omitPadding: true }) }),
  };
  return { filter: address === undefined ? filter : { ...filter, ip: address }, about };
};
