import type { RevocationReason } from '@grantlog/domain';
import type { Actor, StreamId } from '@grantlog/eventsourcing';
import type { Random } from '../../recovery/log/random.ts';
import { operator } from './client-life.ts';
import { exchangeToken } from './exchange-life.ts';
import { act, expire, type Granted, rulesOf, standingOf } from './granted.ts';
import { pause, type World } from './world.ts';

const clientOf = ({ client }: Granted): Actor => ({ kind: 'client', id: client.id });

/** The state of a grant that its client uses. @throws where it is in no use: whoever acts has looked. */
const inUse = ({ grant }: Granted) => {
  const state = grant.state();
  if (state.status !== 'active') throw new Error(`grant ${grant.id} is ${state.status}`);
  return state;
};

/** Presents the refresh token that came `back` issues before the present one; an earlier one asks for what the present one got. */
const refresh = (world: World, granted: Granted, random: Random, back: number) => {
  const { terms, current } = inUse(granted);
  const narrowed = back === 0 && random.happens(0.1) ? terms.scopes.slice(0, 2) : null;
  const scopes = back === 0 ? narrowed : current.scopes.flatMap((index) => terms.scopes[index] ?? []);
  const resource = current.resource === null ? null : (terms.resources[current.resource] ?? null);
  return act(world, granted, clientOf(granted), () => ({
    type: 'refresh',
    now: Date.now(),
    client: granted.client.id,
    standing: standingOf(world, granted),
    presented: { sequence: current.sequence - back, expiresAt: current.refreshExpiresAt ?? 0 },
    redirectUri: null,
    narrowing: { scopes, resource },
    rules: rulesOf(world, granted),
    retry: { retrySeconds: 60, retryLimit: 3 },
    proofKey: granted.proofKey,
  }));
};

const presentedOf = (granted: Granted) => {
  const { sequence, accessExpiresAt: expiresAt } = inUse(granted).current;
  return { client: granted.client.id, presented: { sequence, expiresAt } };
};

const revokeAccess = (world: World, granted: Granted) => {
  const shown = presentedOf(granted);
  return act(world, granted, clientOf(granted), () => ({ type: 'revoke_access_token', now: Date.now(), ...shown }));
};

const revokeByToken = (world: World, granted: Granted) => {
  const shown = presentedOf(granted);
  return act(world, granted, clientOf(granted), () => ({ type: 'revoke_by_token', ...shown }));
};

const choose = (world: World, granted: Granted, random: Random) => {
  const context = random.pick(['record-1', 'record-2']);
  const actor: Actor = granted.person === null ? operator : { kind: 'account', id: granted.person.id };
  return act(world, granted, actor, () => ({ type: 'select_context', context, standing: standingOf(world, granted) }));
};

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

/** How often a client comes back: mostly some times, now and then for ever. */
const turnsOf = (random: Random): number => (random.happens(0.006) ? 300 + random.below(400) : random.below(24));

/** One time that a client uses its grant, or somebody does something to it. */
const turn = (world: World, granted: Granted, random: Random, isTroubled: boolean) => {
  const { sequence } = inUse(granted).current;
  const chance = random.below(1_000);
  if (sequence > 1 && (chance < 60 || (isTroubled && chance < 500))) return refresh(world, granted, random, 1);
  if (sequence > 2 && chance < 66) return refresh(world, granted, random, 2);
  if (chance < 100) return revokeAccess(world, granted);
  if (chance < 140) return choose(world, granted, random);
  if (chance < 145) return revokeByToken(world, granted);
  if (chance < 175 && granted.person !== null) return exchangeToken(world, random, granted).then(() => null);
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
