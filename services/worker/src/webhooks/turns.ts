import { abandonDeliveries, type Database, type EndpointKey, type EndpointLane } from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';
import { verifyEndpoint } from './change-endpoint.ts';
import { createDesk } from './desk.ts';
import { createEndpointVersions } from './endpoint-versions.ts';
import { type FollowContext, followUp } from './follow-up.ts';
import { insist } from './insist.ts';
import { createMessageShelf, type MessageShelf } from './message-shelf.ts';
import type { ReceiverReading } from './receiver.ts';
import { createReceivers } from './receivers.ts';
import type { DeliveryRules } from './rules.ts';
import { type SendContext, sendDelivery } from './send.ts';
import { createSlots } from './slots.ts';
import { createSparedEndpoints } from './spared-endpoints.ts';
import { beginTurn, type Turn } from './turn.ts';
import type { Ended } from './turn-context.ts';

export type DeliveryContext = SendContext &
  FollowContext &
  ReceiverReading & {
    readonly pool: Database;
    /** Names this process among all workers; another one at each start. */
    readonly worker: string;
    readonly queue: Pick<DeliveryQueue, 'wake'>;
    readonly rules: DeliveryRules;
    readonly onAttempt: (ended: Ended, endpoint: EndpointKey) => void;
    /** A request was not sent because too much else was under way; it will be. */
    readonly onCrowded: () => void;
    /** Of so many attempts nobody knows how they ended, nor whether they were begun. */
    readonly onLost: (attempts: number) => void;
    readonly onError: (error: unknown) => void;
  };

/** The endpoints that this process serves. */
export type Turns = {
  /** Has an endpoint served; resolves once it is, here or elsewhere, or is somebody else's affair. */
  readonly wake: (lane: EndpointLane) => Promise<void>;
  /** Takes what this process has just told, so that it is at hand. */
  readonly told: MessageShelf['put'];
  /** Wakes an endpoint that this process serves already, or has leisure to serve; false where whoever has time should. */
  readonly wakeHere: (lane: EndpointLane) => boolean;
  /** Begins nothing more, and resolves once what was begun has ended and is recorded. */
  readonly stop: () => Promise<void>;
};

/** Requests under way at once, over all endpoints, and those of them that endpoints with many do not get. */
const requests = { most: 1_000, kept: 250 };
/** Endpoints served at once. */
const mostTurns = 4_000;
/** Endpoints that a process serves without being asked by the queue, whose way costs some milliseconds; the rest is for everybody. */
const leisurelyTurns = 64;

const keyOf = ({ platform, endpoint }: EndpointKey): string => `${platform}/${endpoint}`;

export const createTurns = (context: DeliveryContext): Turns => {
  const { pool, rules } = context;
  const desk = createDesk({ pool, worker: context.worker, rules });
  const versionOf = createEndpointVersions(pool);
  const receivers = createReceivers({ ...context, versionOf });
  const spared = createSparedEndpoints({ versionOf, now: () => performance.now() });
  const shelf = createMessageShelf(pool);
  const slots = createSlots(requests);
  const turns = new Map<string, Turn>();
  /** Resolves, and is another one from then on, when a turn is over: one for all who wait for that. */
  let oneIsOver = Promise.withResolvers<void>();
  let stopping = false;

  const open = async (endpoint: EndpointKey) => {
    const receiver = await receivers(endpoint);
    if (receiver === null) while ((await abandonDeliveries(pool, endpoint)) > 0);
    return receiver;
  };
  const begin = (lane: EndpointLane, key: string): void => {
    const { platform, endpoint } = lane;
    let trouble: { readonly error: unknown } | null = null;
    let anySent = false;
    const turn = beginTurn(
      {
        desk,
        slots,
        rules,
        open,
        send: async (receiver, delivery) => {
          const message = await shelf.get(platform, delivery.id);
          if (message === null) throw new Error(`the message ${delivery.id} of a delivery is not there`);
          return sendDelivery(context, receiver, { delivery, message });
        },
        beforeRecord: async (_, { receiver, provedBy }) => {
          // After a crash between the two the question is asked again, and the answer kept.
          if (provedBy === null) return;
          const found = { platform, endpoint, told: provedBy.attempt.position };
          await insist(() => verifyEndpoint(context, { ...found, url: receiver.url }), { forMs: rules.recordMs });
        },
        afterRecord: (_, what) => followUp(context, { platform, endpoint }, what),
        onAttempt: (ended) => {
          anySent = true;
          context.onAttempt(ended, { platform, endpoint });
        },
        onCrowded: context.onCrowded,
        onTrouble: (error) => {
          trouble ??= { error };
        },
        onLost: context.onLost,
        onError: context.onError,
        stopping: () => stopping,
      },
      { platform, endpoint },
    );
    turns.set(key, turn);
    void turn.over.then((end) => {
      turns.delete(key);
      oneIsOver.resolve();
      oneIsOver = Promise.withResolvers();
      if (trouble === null) spared.clear(lane);
      else if (spared.spare(lane, { error: trouble.error, anySent })) context.onError(trouble.error);
      if (end === 'its_time') context.queue.wake([lane]).catch(context.onError);
    });
  };

  const ticker = setInterval(() => {
    for (const turn of turns.values()) turn.tick();
  }, rules.askMs);

  return {
    told: shelf.put,
    wakeHere: (lane) => {
      const key = keyOf(lane);
      const serving = turns.get(key);
      if (serving !== undefined) return serving.wake(lane.lane);
      if (stopping || turns.size >= leisurelyTurns || !spared.isClear(lane)) return false;
      begin(lane, key);
      return true;
    },
    wake: async (lane) => {
      if (await spared.isSpared(lane)) return;
      const key = keyOf(lane);
      while (turns.size >= mostTurns && !turns.has(key)) await oneIsOver.promise;
      const serving = turns.get(key);
      if (serving !== undefined) serving.wake(lane.lane);
      else if (!stopping) begin(lane, key);
    },
    stop: async () => {
      stopping = true;
      for (const turn of turns.values()) turn.tick();
      await Promise.all([...turns.values()].map(({ over }) => over));
      clearInterval(ticker);
    },
  };
};
