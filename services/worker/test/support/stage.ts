import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Lane, Take, TakenDelivery, TurnAnswer, TurnReport } from '@grantlog/postgres';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Receiver } from '../../src/webhooks/receiver.ts';
import { type DeliveryRules, deliveryRules } from '../../src/webhooks/rules.ts';
import type { Attempt } from '../../src/webhooks/send.ts';
import { createSlots } from '../../src/webhooks/slots.ts';
import { beginTurn } from '../../src/webhooks/turn.ts';
import type { TurnContext } from '../../src/webhooks/turn-context.ts';

export const receiverOf = (of: Partial<Receiver> = {}): Receiver => ({
  url: 'https://receiver.example/hook',
  ordered: false,
  concurrency: 10,
  ratePerSecond: null,
  verified: true,
  hearsAll: true,
  secrets: [],
  bearers: [],
  headers: {},
  keyId: null,
  platformKey: null,
  echo: {},
  allowLoopback: false,
  signals: null,
  ...of,
});

export const deliveryOf = (id: string, of: Partial<TakenDelivery> = {}): TakenDelivery => ({
  id,
  lane: 1,
  proves: false,
  attempt: 0,
  failures: 0,
  ...of,
});

/** An attempt that was delivered, but for what is said of it. */
export const attemptOf = (
  { id }: TakenDelivery,
  of: Partial<Attempt['record']> & Partial<Pick<Attempt, 'disable' | 'pauseMs'>> = {},
): Attempt => {
  const { disable = false, pauseMs = null, ...record } = of;
  const asUsual = { status: 204, detail: '', beganAt: 0, durationMs: 1, response: null, retryInMs: null } as const;
  return { position: 1, recordedAt: 0, disable, pauseMs, record: { id, outcome: 'delivered', state: 'delivered', ...asUsual, ...record } };
};
type AttemptSaid = Parameters<typeof attemptOf>[1];

/** A failure that is to be tried again. */
export const rejected = { outcome: 'rejected', state: 'pending', status: 500, retryInMs: 5_000 } as const;

export const deliveriesOf = (count: number, { lane = 1, from = 0 }: { readonly lane?: Lane; readonly from?: number } = {}) =>
  Array.from({ length: count }, (_, index) => deliveryOf(`${lane}-${from + index}`, { lane }));

type Asked<Question, Answer> = {
  readonly question: Question;
  readonly answer: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
};

/** Questions that are answered when the test says so, the oldest first. */
const createQuestions = <Question, Answer>() => {
  const asked: Question[] = [];
  const open: Asked<Question, Answer>[] = [];
  const oldest = (): Asked<Question, Answer> => {
    const first = open.shift();
    if (first === undefined) throw new Error('nothing is asked');
    return first;
  };
  return {
    asked,
    open,
    oldest,
    ask: (question: Question): Promise<Answer> =>
      new Promise((answer, fail) => {
        asked.push(question);
        open.push({ question, answer, fail });
      }),
  };
};

/** What `setStage` plays with where the test says nothing else. */
export type StageSettings = {
  readonly receiver?: Receiver | null;
  readonly rules?: Partial<DeliveryRules>;
  readonly slots?: number;
  readonly context?: Partial<TurnContext>;
};

/** A turn whose desk and receiver are played by the test: nothing is answered before it says so. Wants fake timers. */
export const setStage = ({ receiver = receiverOf(), rules = {}, slots: most = 100, context = {} }: StageSettings = {}) => {
  const takes = createQuestions<Take, Awaited<ReturnType<TurnContext['desk']['take']>>>();
  const reports = createQuestions<TurnReport, TurnAnswer | null>();
  const requests = createQuestions<{ readonly to: Receiver; readonly delivery: TakenDelivery }, Attempt | null>();
  const slots = createSlots({ most, kept: 0 });
  const errors: unknown[] = [];
  const troubles: unknown[] = [];
  let crowded = 0;
  const recorded: Parameters<TurnContext['afterRecord']>[1][] = [];
  const proofs: { readonly url: string; readonly proved: boolean }[] = [];
  let opened = receiver;
  let stopping = false;
  let end: 'done' | 'its_time' | null = null;

  const turn = beginTurn(
    {
      desk: { take: takes.ask, report: reports.ask },
      slots,
      rules: { ...deliveryRules, ...rules },
      open: async () => opened,
      send: (to, delivery) => requests.ask({ to, delivery }),
      beforeRecord: async (_, { receiver: { url }, provedBy }) => void proofs.push({ url, proved: provedBy !== null }),
      afterRecord: async (_, what) => void recorded.push(what),
      onAttempt: () => {},
      onCrowded: () => {
        crowded += 1;
      },
      onTrouble: (error) => troubles.push(error),
      onLost: () => {},
      onError: (error) => errors.push(error),
      stopping: () => stopping,
      ...context,
    },
    { platform: 'arlo' as PlatformId, endpoint: 'the-endpoint' as StreamId },
  );
  void turn.over.then((how) => {
    end = how;
  });
  const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));

  return {
    turn,
    slots,
    takes,
    reports,
    requests,
    errors,
    troubles,
    crowded: () => crowded,
    recorded,
    proofs,
    settle,
    /** How the turn ended; null while it goes on. */
    end: () => end,
    /** Ids of what is in the air. */
    inTheAir: (): readonly string[] => requests.open.map(({ question }) => question.delivery.id),
    /** Answers the oldest question for deliveries. */
    hand: async (deliveries: readonly TakenDelivery[], of: { readonly isOpen?: boolean; readonly consecutiveFailures?: number } = {}) => {
      takes
        .oldest()
        .answer({ epoch: 1, isOpen: false, consecutiveFailures: 0, tokens: null, tokensAgeMs: null, lost: 0, deliveries, ...of });
      await settle();
    },
    /** Ends the oldest request. */
    arrive: async (of: AttemptSaid = {}): Promise<void> => {
      const { question, answer } = requests.oldest();
      answer(attemptOf(question.delivery, of));
      await settle();
    },
    /** Answers the oldest report: the turn goes on unless it is said or was asked to end. */
    record: async (of: Partial<TurnAnswer> = {}): Promise<void> => {
      const { question, answer } = reports.oldest();
      answer({ held: question.end === 'stays', isWanted: false, failingSince: null, failingForMs: null, ...of });
      await settle();
    },
    /** What is true of the endpoint from now on. */
    change: (to: Receiver | null): void => {
      opened = to;
    },
    stop: (): void => {
      stopping = true;
    },
    /** Slots that can be had now. */
    freeSlots: (): number => {
      let free = 0;
      while (slots.take(1, 0, () => {})) free += 1;
      for (let given = 0; given < free; given += 1) slots.giveBack();
      return free;
    },
  };
};
export type Stage = ReturnType<typeof setStage>;

/** Stages whose turns have to be over when their test ends, and to have kept nothing. */
export const useStages = (): ((settings?: StageSettings) => Stage) => {
  const slots = 10;
  const stages: Stage[] = [];
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());
  afterEach(async () => {
    for (const stage of stages.splice(0)) {
      expect(stage.end()).not.toBeNull();
      while (stage.inTheAir().length > 0) await stage.arrive();
      expect(stage.freeSlots()).toBe(slots);
      expect(stage.turn.wake(0)).toBe(false);
      stage.turn.tick();
      await stage.settle();
      expect([stage.takes.open, stage.reports.open, stage.requests.open]).toEqual([[], [], []]);
    }
    expect(vi.getTimerCount()).toBe(0);
  });
  return (settings = {}) => {
    const stage = setStage({ slots, ...settings });
    stages.push(stage);
    return stage;
  };
};
