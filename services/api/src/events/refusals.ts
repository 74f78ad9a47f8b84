import { ProblemError, problem } from '@grantlog/protocol';

const noStore = { 'cache-control': 'no-store' };

/** Nobody can say what came after a cursor. */
export const cursorGone = (oldest: number | null): ProblemError => {
  const goOn = oldest === null ? 'latest' : String(oldest - 1);
  return new ProblemError(
    problem({
      status: 410,
      type: 'urn:grantlog:problem:cursor_gone',
      title: 'The cursor is gone',
      detail: `No event of yours has this cursor, or not everything after it is kept any more: events are kept for 30 days. What came between cannot be told again, so read anew what you keep of grants and sessions. Then go on with after=${goOn}`,
      members: { code: 'cursor_gone', oldest, after: goOn },
    }),
    { headers: noStore },
  );
};

/** A caller has as many requests waiting as one may. */
export const waitingTooOften = (most: number): ProblemError =>
  new ProblemError(
    problem({
      status: 429,
      type: 'urn:grantlog:problem:too_many_waiting',
      title: 'Too many requests are waiting',
      detail: `You have ${most} requests or streams waiting for events; one is enough. End one, or ask without wait`,
      members: { code: 'too_many_waiting' },
    }),
    { headers: { ...noStore, 'retry-after': '5' } },
  );

/** As many wait here as one process takes. */
export const waitingRoomFull = (): ProblemError =>
  new ProblemError(
    problem({
      status: 503,
      type: 'urn:grantlog:problem:waiting_room_full',
      title: 'Too many are waiting',
      detail: 'As many callers wait for events here as can. Ask again in a moment, or without wait; nothing is lost',
      members: { code: 'waiting_room_full' },
    }),
    { headers: { ...noStore, 'retry-after': '5' } },
  );
