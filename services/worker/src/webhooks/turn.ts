import { type AttemptRecord, type EndpointKey, type Lane, revocationLane, type TakenDelivery } from '@grantlog/postgres';
import { type Health, healthAfter, healthAt } from './health.ts';
import type { Receiver } from './receiver.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';
import type { Ended, TurnContext } from './turn-context.ts';

type TurnEnd = 'done' | 'its_time';

/** Outcomes that are recorded together while there is more to send, and milliseconds that they wait for each other at most. */
const reportSize = 32;
const reportSoonMs = 10;
/** What a revocation fetches beyond what waits already, and when there is no point in fetching more. */
const urgentRoom = 16;
const mostWaiting = 256;

/** The serving of one endpoint by one process, for as long as there is work or somebody else should have it. */
export type Turn = {
  /** Something new may be due. A revocation is fetched even while much else waits. False where the turn is about to end. */
  readonly wake: (lane: Lane) => boolean;
  /** Called every now and then: holds on to the turn, and looks whether its time is up. */
  readonly tick: () => void;
  /** Resolves once the turn is over. `its_time`: others may have it now, and there was work left, or may have been. */
  readonly over: Promise<TurnEnd>;
};

/**
 * Serves an endpoint: takes what is due, sends it with as many requests at once as the endpoint takes, and records what came
 * of it, until nothing is due any more. One function decides what to do next, whatever has just happened.
 */
export const beginTurn = (context: TurnContext, endpoint: EndpointKey): Turn => {
  const { desk, rules, slots } = context;
  const over = Promise.withResolvers<TurnEnd>();
  const began = performance.now();

  let epoch = 0;
  let receiver: Receiver | null = null;
  let bucket: TokenBucket | null = null;
  let health: Health = healthAt(0);
  /** Until when, by this process's own clock, nobody else can have the turn. */
  let heldUntil = 0;
  let lastWord = began;
  let openedAt = began;

  let waiting: TakenDelivery[] = [];
  let underWay = 0;
  let ended: Ended[] = [];
  let isTaking = false;
  let isReporting = false;
  /** The report that is on its way may end the turn. */
  let isAsking = false;
  /** Whether something may be due that is not in our hands, and whether it may be a revocation. */
  let more = true;
  let urgent = false;
  /** Sends nothing more: the circuit opened, the endpoint went, or the turn's time is up. */
  let closing: 'no' | 'yes' | 'its_time' = 'no';
  /** Whether something in hand cannot be sent. It goes back with the turn, which therefore takes nothing more. */
  let isTroubled = false;
  let isOver = false;
  /** The last question for deliveries, until it is answered. */
  let taking: Promise<void> = Promise.resolve();
  let pause: NodeJS.Timeout | null = null;
  let soon: NodeJS.Timeout | null = null;

  const finish = (end: TurnEnd): void => {
    if (isOver) return;
    isOver = true;
    if (pause !== null) clearTimeout(pause);
    if (soon !== null) clearTimeout(soon);
    // One statement cannot take an endpoint twice: the next turn asks when this one has been answered.
    over.resolve(taking.then(() => end));
  };
  const fail = (error: unknown): void => {
    context.onError(error);
    // What is under way ends by itself; its outcome is lost with the turn, and known to be.
    finish('done');
  };
  /** What is in hand is given back untried, and looked at again by the next sweep. */
  const giveUp = (): void => {
    if (closing === 'no') closing = 'yes';
  };
  /** A trouble that is not this endpoint's: what is in the air is still to be told of. */
  const retreat = (error: unknown): void => {
    context.onError(error);
    giveUp();
  };
  /** A delivery that cannot be sent stays in hand until the turn is over, and holds up no other. */
  const setAside = (error: unknown): void => {
    context.onTrouble(error);
    isTroubled = true;
  };
  const word = (asked: number): void => {
    lastWord = asked;
    // The margin is for the way of the answer; an attempt begun within it may be told of by its successor as well.
    heldUntil = asked + rules.holdMs * 0.9;
  };

  /** The endpoint as it is now, or as it was where that cannot be read: then nothing more is sent. */
  const open = (): Promise<Receiver | null> => {
    openedAt = performance.now();
    return context.open(endpoint).catch((error: unknown) => {
      context.onTrouble(error);
      giveUp();
      return receiver;
    });
  };
  /** @param noted what was left of its rate. */
  const meet = (opened: Receiver | null, noted: { readonly left: number | null; readonly ageMs: number }): void => {
    // The dispatcher has yet to hear that another URL has to be proved, or of a pause: what it handed out is given back.
    if (opened === null || (!opened.hearsAll && waiting.some(({ proves }) => !proves))) closing = 'yes';
    const perSecond = opened?.ratePerSecond ?? null;
    if (perSecond !== (receiver?.ratePerSecond ?? null))
      bucket = perSecond === null ? null : createTokenBucket({ perSecond, ...noted, now: () => performance.now() });
    receiver = opened;
  };

  const take = async (): Promise<void> => {
    const asked = performance.now();
    const room = Math.min(urgent && !isLow() ? urgentRoom : rules.takeLimit, receiver?.ratePerSecond ?? rules.takeLimit);
    more = false;
    urgent = false;
    const [opened, taken] = await Promise.all([open(), desk.take({ ...endpoint, epoch, room })]);
    if (taken === null) return finish('done');
    word(asked);
    if (epoch === 0) health = healthAt(taken.consecutiveFailures);
    if (taken.lost > 0) context.onLost(taken.lost);
    epoch = taken.epoch;
    if (taken.isOpen) closing = 'yes';
    if (taken.deliveries.length > 0) {
      if (taken.deliveries.length >= room) more = true;
      waiting = waiting.length === 0 ? [...taken.deliveries] : [...waiting, ...taken.deliveries].sort((a, b) => a.lane - b.lane);
    }
    meet(opened, { left: taken.tokens, ageMs: taken.tokensAgeMs ?? 0 });
  };

  const report = async (end: 'stays' | 'asks' | 'leaves'): Promise<void> => {
    const asked = performance.now();
    const told = ended;
    ended = [];
    if (soon !== null) clearTimeout(soon);
    soon = null;
    const to = receiver;
    // What another URL answered says nothing of this one.
    const ofUrl = told.filter(({ url }) => url === to?.url);
    if (to !== null && ofUrl.length > 0) {
      const proof = to.verified
        ? undefined
        : ofUrl.find(({ delivery, attempt }) => delivery.proves && attempt.record.outcome === 'delivered');
      await context.beforeRecord(endpoint, { receiver: to, provedBy: proof ?? null });
      if (proof !== undefined) more = true;
    }
    const attempts: AttemptRecord[] = told.map(({ attempt }) => attempt.record);
    const { consecutiveFailures, openForMs } = health;
    const anySuccess = attempts.some(({ outcome }) => outcome === 'delivered');
    // What has to wait goes to the endpoint as it is by then.
    const opening = waiting.length > 0 && !isTaking && asked - openedAt > rules.renewMs ? open() : null;
    const answer = await desk.report({
      ...endpoint,
      epoch,
      attempts,
      health: attempts.length === 0 ? null : { anySuccess, consecutiveFailures, openForMs },
      tokens: bucket?.left() ?? null,
      end,
    });
    if (answer === null) return finish('done');
    word(asked);
    if (opening !== null) meet(await opening, { left: bucket?.left() ?? null, ageMs: 0 });
    if (to !== null && ofUrl.length > 0) await context.afterRecord(endpoint, { ended: ofUrl, receiver: to, health, answer }).catch(retreat);
    // Who was woken while the answer was on its way was promised that this turn would look.
    if (!answer.held) return finish(closing !== 'yes' && (more || answer.isWanted || waiting.length > 0) ? 'its_time' : 'done');
    // Something is due after all, or the next of a line has become so.
    if (end === 'asks' || answer.isWanted || (to?.ordered === true && told.length > 0)) more = true;
    if (answer.isWanted) urgent = true;
  };

  const begin = (to: Receiver, delivery: TakenDelivery): void => {
    underWay += 1;
    context
      .send(to, delivery)
      .then((attempt) => {
        if (attempt === null) {
          context.onCrowded();
          giveUp();
          return;
        }
        health = healthAfter(health, { outcome: attempt.record.outcome, pauseMs: attempt.pauseMs, rules });
        if (health.openForMs !== null || attempt.disable) closing = 'yes';
        const done = { delivery, attempt, url: to.url };
        ended.push(done);
        context.onAttempt(done);
      }, setAside)
      .finally(() => {
        underWay -= 1;
        slots.giveBack();
        next();
      });
  };

  const fill = (to: Receiver): void => {
    while (waiting.length > 0 && underWay < Math.min(to.concurrency, health.atOnce)) {
      const [delivery] = waiting;
      if (delivery === undefined || performance.now() >= heldUntil) return;
      if (!slots.take(delivery.lane, underWay, next)) return;
      const wait = bucket?.take() ?? 0;
      if (wait > 0) {
        slots.giveBack();
        pause ??= setTimeout(() => {
          pause = null;
          next();
        }, wait);
        return;
      }
      waiting.shift();
      begin(to, delivery);
    }
  };

  const goTake = (): void => {
    isTaking = true;
    taking = take()
      .catch(retreat)
      .finally(() => {
        isTaking = false;
        next();
      });
  };
  const goReport = (end: 'stays' | 'asks' | 'leaves'): void => {
    isReporting = true;
    isAsking = end === 'asks';
    report(end)
      .catch(fail)
      .finally(() => {
        isReporting = false;
        isAsking = false;
        next();
      });
  };
  const isLow = (): boolean => waiting.length < rules.takeLimit / 2;
  /** Whether outcomes are recorded now, and not together with those that are about to come. */
  const isTimeToReport = (): boolean => {
    if (ended.length >= reportSize || receiver?.ordered === true) return true;
    soon ??= setTimeout(() => {
      soon = null;
      if (!isReporting && ended.length > 0 && !isOver) goReport('stays');
    }, reportSoonMs);
    return false;
  };

  /** Does whatever is to be done now; called after everything that happens. */
  const next = (): void => {
    if (isOver) return;
    if (context.stopping() && closing === 'no') closing = 'yes';
    if (closing === 'no' && receiver !== null) fill(receiver);
    const isAtRest = underWay === 0 && !isTaking && !isReporting;
    if (closing !== 'no') {
      if (isAtRest && epoch === 0) finish('done');
      else if (isAtRest) goReport('leaves');
      else if (!isReporting && ended.length > 0) goReport('stays');
      return;
    }
    if (!isTaking && !isAsking && !isTroubled && ((more && isLow()) || (urgent && waiting.length < mostWaiting))) goTake();
    else if (isAtRest && waiting.length === 0) goReport(isTroubled ? 'leaves' : 'asks');
    if (!isReporting && ended.length > 0 && isTimeToReport()) goReport('stays');
  };

  next();
  return {
    wake: (lane) => {
      if (isOver) return false;
      more = true;
      if (lane === revocationLane) urgent = true;
      if (isTroubled || closing !== 'no') return false;
      next();
      return true;
    },
    tick: () => {
      if (isOver) return;
      const now = performance.now();
      if (closing === 'no' && now - began > rules.turnMs) closing = 'its_time';
      // With slots to spare it would send at once what somebody else was woken for.
      const patience = waiting.length === 0 ? rules.askMs : rules.renewMs;
      if (!isTaking && !isReporting && epoch !== 0 && now - lastWord > patience) goReport('stays');
      else next();
    },
    over: over.promise,
  };
};
