import type { GrantCommand, GrantRefusal, IssueRules, Standing } from '@grantlog/domain';
import { endOfUse, standing } from '@grantlog/domain';
import type { Actor } from '@grantlog/eventsourcing';
import { requestOf } from './recorder.ts';
import { useAssertion } from './use-assertion.ts';
import { type Client, type GrantStream, type Person, pause, type SessionStream, tokenKeyIdOf, type World } from './world.ts';

/** A grant and whom it belongs to. */
export type Granted = {
  readonly grant: GrantStream;
  readonly client: Client;
  readonly person: Person | null;
  readonly session: SessionStream | null;
  /** The grant whose token was exchanged for it; null for what was allowed directly. */
  readonly from: Granted | null;
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
export const act = async (world: World, granted: Granted, actor: Actor, toCommand: () => GrantCommand): Promise<GrantRefusal | null> => {
  let refused: GrantRefusal | null = null;
  const request = requestOf(actor);
  if (actor.id === granted.client.id) await useAssertion(world, granted.client, request);
  await world.record(request, () => {
    const { write, refusal } = granted.grant.decide(toCommand());
    refused = refusal;
    return { writes: [write], reads: partiesOf(world, granted), refusal };
  });
  return refused;
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
