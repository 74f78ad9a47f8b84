import type { PlatformId } from '@grantlog/eventsourcing';
import { type ConnectionStep, insertConnectionSteps, type Pool } from '@grantlog/postgres';
import { createSeldom } from './seldom.ts';

/** An access token that lives, shown where it is good for something. */
type Use = { readonly platform: PlatformId; readonly grant: string; readonly client: string; readonly request: string };

/** Keeps what happened on the way of clients that connect. It never delays, never fails and never blocks what it watches. */
export type TraceRecorder = {
  readonly note: (step: ConnectionStep) => void;
  /** Notes that a grant is in use: once, as far as this process remembers. */
  readonly noteUse: (use: Use) => void;
  /** Writes what has been noted, and takes no more. */
  readonly stop: () => Promise<void>;
};

/** How long steps are gathered, in milliseconds. */
const gatherFor = 200;
/** Steps that wait at most; what comes on top of them is lost. */
const room = 2_000;
/** Whoever shows a token to a resource is not where the client is. */
const nowhere = new Uint8Array(1);
/** Steps that one platform may note in a second: whoever floods one hides no other. */
const perSecond = 200;
/** Steps that one place may note on a platform in a minute: whoever floods hides nobody else. Hosted assistants have few addresses. */
const perMinuteOfVisitor = 600;

const mostCounted = 20_000;

/** Counts how often something came in the present stretch of so many milliseconds. */
const countsIn = (stretchMs: number): ((what: string, at: number) => number) => {
  let stretch = { nth: 0, counts: new Map<string, number>() };
  return (what, at) => {
    const nth = Math.floor(at / stretchMs);
    if (stretch.nth !== nth || stretch.counts.size >= mostCounted) stretch = { nth, counts: new Map() };
    const count = (stretch.counts.get(what) ?? 0) + 1;
    stretch.counts.set(what, count);
    return count;
  };
};

/** Makes the recorder of one process. `onLost` hears how many steps were given up, and why if the database was. */
export const createTraceRecorder = (options: {
  readonly pool: Pool;
  readonly now?: () => number;
  readonly onLost: (lost: { readonly steps: number; readonly error?: unknown }) => void;
}): TraceRecorder => {
  const { pool, now = Date.now, onLost } = options;
  const isFirst = createSeldom(Number.POSITIVE_INFINITY);
  let waiting: ConnectionStep[] = [];
  let lost = 0;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  let stopped = false;
  const ofPlatform = countsIn(1_000);
  const ofVisitor = countsIn(60_000);

  const isWithinBudget = ({ platform, visitor }: ConnectionStep): boolean => {
    const at = now();
    // Resources share one place: what they note is once for each grant.
    const isPlace = visitor !== nowhere;
    if (isPlace && ofVisitor(`${platform} ${Buffer.from(visitor).toString('base64')}`, at) > perMinuteOfVisitor) return false;
    return ofPlatform(platform, at) <= perSecond;
  };

  const write = async (): Promise<void> => {
    timer = null;
    const steps = waiting;
    waiting = [];
    if (lost > 0) onLost({ steps: lost });
    lost = 0;
    try {
      await insertConnectionSteps(pool, steps);
    } catch (error) {
      onLost({ steps: steps.length, error });
    }
  };

  const note = (step: ConnectionStep): void => {
    if (stopped || waiting.length >= room || !isWithinBudget(step)) {
      lost += 1;
      return;
    }
    waiting.push(step);
    if (timer !== null) return;
    timer = setTimeout(() => {
      writing = writing.then(write);
    }, gatherFor);
    timer.unref();
  };

  return {
    note,
    noteUse: (use) => {
      if (!isFirst(`${use.platform} ${use.grant}`, 0)) return;
      note({ ...use, step: 'first_use', refusal: null, attempt: null, visitor: nowhere, program: null });
    },
    stop: async () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await writing;
      if (waiting.length > 0) await write();
    },
  };
};
