import { type Database, type Message, readMessages } from '@grantlog/postgres';
import { batched } from '../batched.ts';

/** Messages as they were written, kept for a while: many endpoints are told the same at the same time. */
export type MessageShelf = {
  /** Null where the message is no more. */
  readonly get: (platform: string, id: string) => Promise<Message | null> | Message;
  /** Takes what this process has just written. */
  readonly put: (messages: Iterable<Message & { readonly platform: string }>) => void;
};

/** Messages kept in memory, and for how many milliseconds. */
const most = 4_000;
const keptMs = 30_000;

export const createMessageShelf = (pool: Database): MessageShelf => {
  const kept = new Map<string, { readonly message: Message; readonly until: number }>();
  const keep = (key: string, message: Message): void => {
    const [oldest] = kept.keys();
    if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
    kept.set(key, { message, until: performance.now() + keptMs });
  };
  const underWay = new Map<string, Promise<Message | null>>();
  const read = batched({
    limit: 500,
    parallel: 2,
    call: (keys: readonly { readonly platform: string; readonly id: string }[]) => readMessages(pool, keys),
  });
  const readOne = async (key: string, platform: string, id: string): Promise<Message | null> => {
    try {
      const message = await read({ platform, id });
      if (message === null) return null;
      keep(key, message);
      return message;
    } finally {
      underWay.delete(key);
    }
  };
  return {
    put: (messages) => {
      for (const { platform, ...message } of messages) keep(`${platform} ${message.id}`, message);
    },
    get: (platform, id) => {
      const key = `${platform} ${id}`;
      const known = kept.get(key);
      if (known !== undefined && performance.now() < known.until) return known.message;
      kept.delete(key);
      const asked = underWay.get(key) ?? readOne(key, platform, id);
      underWay.set(key, asked);
      return asked;
    },
  };
};
