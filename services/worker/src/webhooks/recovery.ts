import { staleAfter, testType, verificationType, wants } from '@grantlog/domain';
import {
  advanceRecovery,
  type Database,
  deliverAgain,
  type EndpointRoute,
  type HeardMessage,
  insertDeliveries,
  listRunningRecoveries,
  type RecoveryKey,
  readHeardMessages,
  readRoute,
  retryLane,
  supersedeDeliveries,
  takeRecovery,
  transaction,
} from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';

/** Messages looked at in one transaction, and transactions of one recovery before the next one has its turn. */
const chunk = 1_000;
const stepsAtOnce = 20;
const recoveriesAtOnce = 200;

/** What a recovery does with a message: `again` under the id that its receiver may know, `first` where it never was to hear of it. */
type Fate = 'again' | 'first' | 'nothing';

/** What becomes of a message that an endpoint may hear by its scope. */
const fateOf = (
  { type, subject, state, isUnwanted }: HeardMessage,
  of: { readonly route: EndpointRoute; readonly includeDelivered: boolean },
): Fate => {
  const { route, includeDelivered } = of;
  // Questions to a receiver are for that one alone, and for that time; and nobody is told of itself.
  if (isUnwanted || type === verificationType || type === testType || subject === route.endpoint || !wants(route.types, type))
    return 'nothing';
  switch (state) {
    case null:
      return 'first';
    case 'held':
    case 'pending':
      return 'nothing';
    case 'delivered':
      return includeDelivered ? 'again' : 'nothing';
    case 'superseded':
      return route.supersedes ? 'nothing' : 'again';
    case 'failed':
    case 'stopped':
    case 'abandoned':
      return 'again';
  }
};

/** What came of one step: `waits` until it may make more due, or its endpoint has proved its URL. */
type RecoveryStep = { readonly went: 'on' | 'waits' | 'ended'; readonly again: number };

/**
 * Takes a recovery one chunk further: what is made due and how far it has come stand or fall together, so whoever goes on
 * begins where this ended, and nothing is made due twice.
 */
export const stepRecovery = (pool: Database, key: RecoveryKey, limit = chunk): Promise<RecoveryStep> =>
  transaction(pool, async (client) => {
    const { platform, endpoint } = key;
    const recovery = await takeRecovery(client, key);
    if (recovery === null) return { went: 'waits', again: 0 };
    const { through, includeDelivered, tokens } = recovery;
    const route = await readRoute(client, { platform, endpoint });
    if (route?.status !== 'active') {
      await advanceRecovery(client, { ...recovery, state: 'cancelled', examined: 0, again: 0 });
      return { went: 'ended', again: 0 };
    }
    if (tokens < 1 || !route.proven) return { went: 'waits', again: 0 };

    const heard = await readHeardMessages(client, { platform, route, after: recovery, through, limit });
    const due: { readonly message: HeardMessage; readonly fate: Exclude<Fate, 'nothing'> }[] = [];
    const examined: HeardMessage[] = [];
    for (const message of heard) {
      const fate = fateOf(message, { route, includeDelivered });
      if (fate !== 'nothing') {
        if (due.length + 1 > tokens) break;
        due.push({ message, fate });
      }
      examined.push(message);
    }
    const isOrdered = route.ordered || route.supersedes;
    const lineOf = ({ subject }: HeardMessage) => (isOrdered ? subject : null);
    await deliverAgain(client, {
      platform,
      endpoint,
      deliveries: due.flatMap(({ message, fate }) => (fate === 'again' ? [{ id: message.id, line: lineOf(message) }] : [])),
    });
    await insertDeliveries(
      client,
      due.flatMap(({ message, fate }) => {
        const { id, position } = message;
        if (fate === 'again') return [];
        return [{ platform, endpoint, id, lane: retryLane, position, line: lineOf(message), proves: false, state: 'pending' } as const];
      }),
    );
    if (route.supersedes) {
      const supersessions = examined
        .filter(({ type }) => wants(route.types, type))
        .map(({ type, subject, position }) => ({ endpoint, subject, before: position, types: staleAfter(type) }))
        .filter(({ types }) => types.length > 0);
      await supersedeDeliveries(client, { platform, supersessions });
    }
    const isOver = heard.length < limit && examined.length === heard.length;
    const last = examined.at(-1) ?? recovery;
    await advanceRecovery(client, {
      ...key,
      state: isOver ? 'done' : 'running',
      position: isOver ? through : last.position,
      ordinal: last.ordinal,
      examined: examined.length,
      again: due.length,
      tokens: tokens - due.length,
    });
    const went = examined.length < heard.length ? 'waits' : 'on';
    return { went: isOver ? 'ended' : went, again: due.length };
  });

/** What came of all recoveries together: those that are not over, and the deliveries that they have just made due. */
export type Recovered = { readonly running: number; readonly again: number };

/** Takes one recovery as far as it may go now. */
const goOn = async (pool: Database, key: RecoveryKey): Promise<{ readonly isOver: boolean; readonly again: number }> => {
  let again = 0;
  for (let steps = 0; steps < stepsAtOnce; steps += 1) {
    const step = await stepRecovery(pool, key);
    again += step.again;
    if (step.went !== 'on') return { isOver: step.went === 'ended', again };
  }
  return { isOver: false, again };
};

/** Goes on with every recovery that runs, as far as each may go now. One that fails holds up no other. @throws what the first that failed did */
export const recover = async (context: { readonly pool: Database; readonly queue: Pick<DeliveryQueue, 'wake'> }): Promise<Recovered> => {
  const { pool, queue } = context;
  const keys = await listRunningRecoveries(pool, recoveriesAtOnce);
  let [running, all] = [keys.length, 0];
  const troubles: unknown[] = [];
  for (const key of keys) {
    try {
      const { isOver, again } = await goOn(pool, key);
      if (isOver) running -= 1;
      if (again > 0) await queue.wake([{ platform: key.platform, endpoint: key.endpoint, lane: retryLane }]);
      all += again;
    } catch (error) {
      troubles.push(error);
    }
  }
  if (troubles.length > 0) throw troubles[0];
  return { running, again: all };
};
