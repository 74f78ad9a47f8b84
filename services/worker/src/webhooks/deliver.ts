import type { Sealer } from '@grantlog/crypto';
import type { EventLog } from '@grantlog/eventsourcing';
import {
  type AttemptRecord,
  abandonDeliveries,
  type ClaimedDelivery,
  claimDeliveries,
  type Database,
  type EndpointLane,
  lanes,
  type RecordedHealth,
  readCircuit,
  recordAttempts,
  releaseClaims,
} from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';
import { disableEndpoint } from './disable-endpoint.ts';
import { insist } from './insist.ts';
import { openReceiver, type Receiver } from './receiver.ts';
import { type SendContext, sendDelivery } from './send.ts';
import { sendBatch } from './send-batch.ts';
import { verification } from './told-events.ts';
import { verifyEndpoint } from './verify-endpoint.ts';

const day = 86_400_000;

/** The numbers of the delivery; milliseconds. */
export type DeliveryRules = {
  /** How long a claim stands: a killed worker delays its claims by this much. */
  readonly claimMs: number;
  /** The longest that an attempt and the recording of it may take; none is begun later than this before its claim ends. */
  readonly attemptMs: number;
  /** After this long a job makes way and queues up again, so that one endpoint's backlog does not hold a slot. */
  readonly turnMs: number;
  /** Claims for each request that the endpoint takes at once. */
  readonly claimsPerSlot: number;
  /** Consecutive failures that open the circuit, and for how long: doubling from `base` up to `most`. */
  readonly circuit: { readonly openAfter: number; readonly base: number; readonly most: number };
  /** An endpoint that has only failed for this long is disabled, and one day before that its operator is warned. */
  readonly failingMs: number;
  /** But not before so many attempts: a single event five days ago proves little. */
  readonly failingAttempts: number;
};

export const deliveryRules: DeliveryRules = {
  claimMs: 20_000,
  attemptMs: 12_000,
  turnMs: 20_000,
  claimsPerSlot: 16,
  circuit: { openAfter: 5, base: 15_000, most: 300_000 },
  failingMs: 5 * day,
  failingAttempts: 10,
};

export type DeliveryContext = SendContext & {
  readonly pool: Database;
  readonly log: EventLog;
  readonly sealer: Sealer;
  readonly queue: Pick<DeliveryQueue, 'wake'>;
  readonly rules: DeliveryRules;
  /** Whether the process is ending: finish what is begun and begin nothing. */
  readonly stopping: () => boolean;
  readonly onAttempt: (attempt: AttemptRecord, lane: EndpointLane['lane']) => void;
  /** `warned`: the endpoint will be disabled within a day unless it answers. */
  readonly onEndpoint: (fate: { readonly fate: 'warned' | 'disabled' } & Omit<EndpointLane, 'lane'>) => void;
  readonly onWakeFailed: (error: unknown) => void;
};

type Turn = 'done' | 'more';

const record = (
  context: DeliveryContext,
  { platform, endpoint }: EndpointLane,
  attempts: readonly AttemptRecord[],
): Promise<RecordedHealth> => {
  const lastSuccess = attempts.findLastIndex(({ outcome }) => outcome === 'delivered');
  const { openAfter, ...openForMs } = context.rules.circuit;
  const health = { anySuccess: lastSuccess >= 0, failures: attempts.length - 1 - lastSuccess, openAfter, openForMs };
  // Fenced, so asking again is safe; without it a short outage of the database would send all of these a second time.
  return insist(() => recordAttempts(context.pool, { platform, endpoint, attempts, health }), { forMs: context.rules.attemptMs });
};

const follow = async (
  context: DeliveryContext,
  lane: EndpointLane,
  attempts: readonly AttemptRecord[],
  health: RecordedHealth,
): Promise<void> => {
  const { platform, endpoint } = lane;
  const { failingMs, failingAttempts } = context.rules;
  const failingFor = health.consecutiveFailures >= failingAttempts ? (health.failingForMs ?? 0) : 0;
  const gone = attempts.some(({ outcome }) => outcome === 'gone');
  if (gone || failingFor >= failingMs) {
    const disabled = await disableEndpoint(context.log, { platform, endpoint, reason: gone ? 'gone' : 'failing' });
    if (disabled) context.onEndpoint({ fate: 'disabled', platform, endpoint });
  } else if (failingFor >= failingMs - day) context.onEndpoint({ fate: 'warned', platform, endpoint });
};

/** Before the outcomes are recorded: after a crash between the two the question is asked again, and the answer kept. */
const noteVerified = async (
  context: DeliveryContext,
  { platform, endpoint }: EndpointLane,
  sent: { readonly url: string; readonly deliveries: readonly ClaimedDelivery[]; readonly attempts: readonly AttemptRecord[] },
): Promise<void> => {
  const asked = new Set(sent.deliveries.filter(({ type }) => type === verification).map(({ id }) => id));
  if (!sent.attempts.some(({ id, outcome }) => asked.has(id) && outcome === 'delivered')) return;
  await insist(() => verifyEndpoint(context.log, { platform, endpoint, url: sent.url }), { forMs: context.rules.attemptMs });
};

const takeTurn = async (context: DeliveryContext, lane: EndpointLane, receiver: Receiver): Promise<Turn> => {
  const { rules, pool } = context;
  const circuit = await readCircuit(pool, lane);
  if (circuit === 'open') return 'done';
  // By this process's own clock and from before the claim: earlier than the database's in any case.
  const beginBefore = performance.now() + rules.claimMs - rules.attemptMs;
  const deliveries = await claimDeliveries(pool, {
    ...lane,
    ordered: receiver.ordered,
    limit: circuit === 'probe' ? 1 : Math.min(256, receiver.concurrency * rules.claimsPerSlot),
    claimMs: rules.claimMs,
  });
  if (deliveries.length === 0) return 'done';
  const { attempts, unsent } = await sendBatch({
    deliveries,
    concurrency: receiver.concurrency,
    // A receiver that has gone, or fails and fails, is spared the rest of the batch.
    mayBegin: (ended) =>
      performance.now() < beginBefore &&
      !context.stopping() &&
      !ended.some(({ outcome }) => outcome === 'gone') &&
      !(ended.length >= rules.circuit.openAfter && ended.slice(-rules.circuit.openAfter).every(({ outcome }) => outcome !== 'delivered')),
    send: async (delivery) => {
      const attempt = await sendDelivery(context, receiver, delivery);
      context.onAttempt(attempt, lane.lane);
      return attempt;
    },
  });
  await insist(() => releaseClaims(pool, { platform: lane.platform, deliveries: unsent }), { forMs: rules.attemptMs });
  if (attempts.length === 0) return 'done';
  await noteVerified(context, lane, { url: receiver.url, deliveries, attempts });
  await follow(context, lane, attempts, await record(context, lane, attempts));
  if (receiver.ordered) wakeOthers(context, lane);
  return 'more';
};

/** In an ordered endpoint the next of a grant's line may wait in another lane. */
const wakeOthers = (context: DeliveryContext, { platform, endpoint, lane }: EndpointLane): void => {
  for (const other of lanes) if (other !== lane) context.queue.wake({ platform, endpoint, lane: other }).catch(context.onWakeFailed);
};

/** Delivers what is due for one endpoint and lane, batch by batch, until nothing is, or its turn is over. */
export const deliverLane = async (context: DeliveryContext, lane: EndpointLane): Promise<void> => {
  const endTurn = performance.now() + context.rules.turnMs;
  while (!context.stopping()) {
    const receiver = await openReceiver(context, lane);
    if (receiver === null) {
      while ((await abandonDeliveries(context.pool, lane)) > 0);
      return;
    }
    if ((await takeTurn(context, lane, receiver)) === 'done') return;
    if (performance.now() > endTurn) {
      context.queue.wake(lane).catch(context.onWakeFailed);
      return;
    }
  }
};
