import type { GrantCommand, GrantRefusal, IssueRules, RevocationReason, Standing } from '@grantlog/domain';
import { endOfUse, standing } from '@grantlog/domain';
import type { Actor, StreamId } from '@grantlog/eventsourcing';
import type { Random } from '../../recovery/log/random.ts';
import { operator } from './client-life.ts';
import { requestOf } from './recorder.ts';
import { type Client, type GrantStream, type Person, pause, type SessionStream, tokenKeyIdOf, type World } from './world.ts';

/** A grant and whom it belongs to. */
export type Granted = {
  readonly grant: GrantStream;
  readonly client: Client;
  readonly person: Person | null;
  readonly session: SessionStream | null;
  /** Whether its tokens and codes last for a second and not for an hour. */
  readonly isShort: boolean;
  /** Thumbprint of the key that its tokens are bound to. */
  readonly proofKey: string | null;
};

const day = 86_400;

export const rulesOf = (world: World, { isShort }: Pick<Granted, 'isShort'>): IssueRules => ({
  accessTokenSeconds: isShort ? 1 : 3_600,
  refreshTokenSeconds: isShort ? 2 : 90 * day,
  grantMaxSeconds: null,
  tokenKeyId: tokenKeyIdOf(world),
});

export const standingOf = (world: World, { grant, client, person, session }: Granted): Standing => {
  const state = grant.state();
  return standing({
    firstPosition: state.status === 'none' ? null : state.firstPosition,
    platform: world.own.state(),
    client: client.stream.state(),
    account: person?.stream.state() ?? null,
    session: session?.state() ?? null,
  });
};

export const partiesOf = (world: World, { client, person, session }: Granted) => [
  world.own,
  client.stream,
  ...(person === null ? [] : [person.stream]),
  ...(session === null ? [] : [session]),
];

/** Decides and records a command of somebody on a grant alone; what it was refused with, or null. */
export const act = async (
  world: World,
  granted: Granted,
  actor: Actor,
  toCommand: () => GrantCommand,
): Promise<GrantRefusal | 'not_standing' | null> => {
  let refused: GrantRefusal | null = null;
  await world.record(requestOf(actor), () => {
    const { write, refusal } = granted.grant.decide(toCommand());
    refused = refusal;
    return { writes: [write], reads: partiesOf(world, granted), refusal };
  });
  return refused;
};

const clientOf = ({ client }: Granted): Actor => ({ kind: 'client', id: client.id });

/** Presents the refresh token that came `back` issues before the present one. */
const refresh = (world: World, granted: Granted, random: Random, back: number) =>
  act(world, granted, clientOf(granted), () => {
    const state = granted.grant.state();
    const current = state.status === 'active' ? state.current : null;
    const narrows = back === 0 && state.status === 'active' && random.happens(0.1);
    const resource = state.status === 'active' && current?.resource != null ? (state.terms.resources[current.resource] ?? null) : null;
    const asked =
      back === 0 || state.status !== 'active' ? null : (current?.scopes.flatMap((index) => state.terms.scopes[index] ?? []) ?? null);
    return {
      type: 'refresh',
      now: Date.now(),
      client: granted.client.id,
      standing: standingOf(world, granted),
      presented: { sequence: (current?.sequence ?? 0) - back, expiresAt: current?.refreshExpiresAt ?? 0 },
      redirectUri: null,
      narrowing: { scopes: narrows ? state.terms.scopes.slice(0, 2) : asked, resource },
      rules: rulesOf(world, granted),
      retry: { retrySeconds: 60, retryLimit: 3 },
      proofKey: granted.proofKey,
    };
  });

const revokeAccess = (world: World, granted: Granted) =>
  act(world, granted, clientOf(granted), () => {
    const state = granted.grant.state();
    const { sequence, accessExpiresAt } = state.status === 'active' ? state.current : { sequence: 0, accessExpiresAt: 0 };
    return { type: 'revoke_access_token', now: Date.now(), client: granted.client.id, presented: { sequence, expiresAt: accessExpiresAt } };
  });

const choose = (world: World, granted: Granted, random: Random) =>
  act(world, granted, granted.person === null ? operator : { kind: 'account', id: granted.person.id }, () => ({
    type: 'select_context',
    context: random.pick(['record-1', 'record-2']),
    standing: standingOf(world, granted),
  }));

const revokeByToken = (world: World, granted: Granted) =>
  act(world, granted, clientOf(granted), () => {
    const state = granted.grant.state();
    const { sequence, accessExpiresAt } = state.status === 'active' ? state.current : { sequence: 0, accessExpiresAt: 0 };
    return { type: 'revoke_by_token', client: granted.client.id, presented: { sequence, expiresAt: accessExpiresAt } };
  });

const revoke = (world: World, granted: Granted, random: Random) => {
  const { person, client } = granted;
  const hands: readonly { readonly actor: Actor; readonly reason: RevocationReason; readonly by: StreamId | null }[] = [
    ...(person === null ? [] : [{ actor: { kind: 'account', id: person.id } as const, reason: 'by_account', by: person.id } as const]),
    { actor: { kind: 'client', id: client.id }, reason: 'by_client', by: client.id },
    { actor: operator, reason: 'by_operator', by: null },
  ];
  const { actor, reason, by } = random.pick(hands);
  return act(world, granted, actor, () => ({ type: 'revoke', reason, by }));
};

/** Ends what nothing can be done with any more, once it is so, as the worker does. */
export const expire = (world: World, granted: Granted): void =>
  world.beside(async () => {
    const state = granted.grant.state();
    if (state.status !== 'authorized' && state.status !== 'active') return;
    const ms = endOfUse(state) * 1_000 - Date.now();
    if (ms > 5_000) return;
    await pause(Math.max(0, ms) + 10);
    await act(world, granted, { kind: 'system', id: 'expire-grants' }, () => ({ type: 'expire', now: Date.now() }));
  });

/** How often a client comes back: mostly some times, now and then for ever. */
const turnsOf = (random: Random): number => (random.happens(0.006) ? 300 + random.below(400) : random.below(24));

/** One time that a client uses its grant, or somebody does something to it. */
const turn = (world: World, granted: Granted, random: Random, isTroubled: boolean) => {
  const state = granted.grant.state();
  const sequence = state.status === 'active' ? state.current.sequence : 0;
  const chance = random.below(1_000);
  if (sequence > 1 && (chance < 60 || (isTroubled && chance < 500))) return refresh(world, granted, random, 1);
  if (sequence > 2 && chance < 66) return refresh(world, granted, random, 2);
  if (chance < 100) return revokeAccess(world, granted);
  if (chance < 140) return choose(world, granted, random);
  if (chance < 145) return revokeByToken(world, granted);
  return refresh(world, granted, random, 0);
};

/** A grant in use, until it ends, its client stops coming back, or the history is over. */
export const useGrant = async (world: World, random: Random, granted: Granted): Promise<void> => {
  const isTroubled = random.happens(0.02);
  let waits = 0;
  for (let turns = turnsOf(random); turns > 0 && !world.isOver(); turns -= 1) {
    if (granted.grant.state().status !== 'active') return;
    const refused = await turn(world, granted, random, isTroubled);
    if (refused !== 'not_standing') continue;
    // Suspended may mean for a while: it asks again some times, and then no more.
    waits += 1;
    if (waits > 3) return;
    await pause(20);
  }
  if (granted.isShort) return expire(world, granted);
  if (random.happens(0.25) && !world.isOver()) await revoke(world, granted, random);
};
