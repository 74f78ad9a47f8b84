import type { ServerResponse } from 'node:http';
import { type FeedMessage, type FeedPlace, type Pool, readFeed } from '@grantlog/postgres';
import { OAuthError } from '@grantlog/protocol';
import type { Reader } from './admit-reader.ts';
import { cursorOf } from './read-cursor.ts';
import type { Seat, WaitingRoom } from './waiting-room.ts';

/** Milliseconds. */
export type StreamTimes = {
  /** Between two signs of life, at each of which the token is judged again. */
  readonly heartbeat: number;
  /** Until the stream ends by itself, so that load balancers spread its readers anew. */
  readonly life: number;
  /** For a reader that takes nothing while its buffer is full. */
  readonly patience: number;
};

export const streamTimes: StreamTimes = { heartbeat: 15_000, life: 15 * 60_000, patience: 30_000 };

/** How a stream ended, as its reader is told; null where nobody is there to be told. */
type End = { readonly reason: string; readonly detail: string } | null;

const ends = {
  life: { reason: 'time_over', detail: 'The stream has lasted long enough; connect again and go on after the last event' },
  closing: { reason: 'shutting_down', detail: 'This server is about to stop; connect again and go on after the last event' },
  failed: { reason: 'temporarily_unavailable', detail: 'Events cannot be read just now; connect again and go on after the last event' },
} as const satisfies Readonly<Record<string, End>>;

// Bodies are JSON without line breaks, and types and ids are ours: no field can be more than a line.
const frameOf = ({ id, type, body }: FeedMessage): string => `id: ${id}\nevent: ${type}\ndata: ${body}\n\n`;

/** Writes, and waits while the reader's buffer is full; whether it takes more. */
const write = (response: ServerResponse, text: string, options: { readonly patience: number; readonly signal: AbortSignal }) =>
  new Promise<boolean>((resolve) => {
    const { patience, signal } = options;
    if (signal.aborted) return resolve(false);
    if (response.write(text)) return resolve(true);
    const settle = (takesMore: boolean): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      resolve(takesMore);
    };
    const onDrain = (): void => settle(true);
    const onAbort = (): void => settle(false);
    const timer = setTimeout(() => {
      settle(false);
      response.destroy();
    }, patience);
    response.on('drain', onDrain);
    signal.addEventListener('abort', onAbort);
  });

/**
 * Streams events until the reader leaves, its token is good no more, the stream's time is over or the server stops. One page
 * is in memory at a time; the next is read once the reader has room for it.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const streamEvents = async (options: {
  readonly pool: Pool;
  readonly room: WaitingRoom;
  readonly seat: Seat;
  readonly reader: Reader;
  readonly after: FeedPlace;
  readonly lineage: string;
  readonly types: readonly string[] | null;
  readonly response: ServerResponse;
  readonly times: StreamTimes;
  readonly onError: (error: unknown) => void;
}): Promise<void> => {
  const { pool, room, seat, reader, types, response, times } = options;
  const gone = new AbortController();
  const { signal } = gone;
  response.once('close', () => gone.abort());
  const endsAt = performance.now() + times.life;
  const feed = { platform: reader.names.platform, audience: reader.audience };
  let place = options.after;
  let judgedAt = performance.now();

  const send = (text: string): Promise<boolean> => write(response, text, { patience: times.patience, signal });
  const refusal = async (): Promise<End> => {
    judgedAt = performance.now();
    const refused = await reader.judgeAgain();
    if (refused === null) return null;
    const again = 'Connect again with a token that is good; what you missed is told then';
    return refused instanceof OAuthError
      ? { reason: refused.code, detail: `${refused.description}. ${again}` }
      : { reason: String(refused.problem['code']), detail: `${refused.problem.detail ?? refused.problem.title}. ${again}` };
  };
  const pump = async (): Promise<End> => {
    if (!(await send('retry: 3000\n\n'))) return null;
    for (;;) {
      if (room.isClosing()) return ends.closing;
      if (performance.now() >= endsAt) return ends.life;
      const page = await readFeed(pool, { ...feed, after: place, types, limit: 100 });
      const isDue = performance.now() - judgedAt >= times.heartbeat;
      // Judged after the page was read: what happened since a revocation is not told.
      const refused = isDue || page.messages.length > 0 ? await refusal() : null;
      if (refused !== null) return refused;
      const text = page.messages.map(frameOf).join('') + (isDue ? ': still here\n\n' : '');
      if (text !== '' && !(await send(text))) return null;
      place = page.next;
      if (page.more) continue;
      const left = Math.min(judgedAt + times.heartbeat, endsAt) - performance.now();
      const waited = await seat.wait({ ...feed, after: place }, { ms: Math.max(0, left), signal });
      if (waited === 'left') return null;
    }
  };

  try {
    const end = await pump().catch((error: unknown) => {
      options.onError(error);
      return ends.failed;
    });
    if (end !== null) response.write(`id: ${cursorOf(place, options.lineage)}\nevent: end\ndata: ${JSON.stringify(end)}\n\n`);
  } finally {
    response.end();
  }
};
