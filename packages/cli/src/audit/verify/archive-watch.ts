import { type LoggedEvent, readLeaf } from '@grantlog/transparency';

/** Every leaf of a record of an archive has these bytes. */
const mark = Buffer.from('"type":"audit.archived"', 'utf8');

type Recorded = { readonly file: string; readonly sha256: string; readonly events: number };

const recordedIn = (leaf: Uint8Array): Recorded | null => {
  if (!Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength).includes(mark)) return null;
  const reading = readLeaf(leaf);
  if (reading.outcome !== 'read' || reading.event.type !== 'audit.archived') return null;
  const { file, sha256, events } = reading.event.data;
  return typeof file === 'string' && typeof sha256 === 'string' && typeof events === 'number' ? { file, sha256, events } : null;
};

/** What a log that is read says of its archives: how many of its events are hashes only, and the files that it has on record. */
export type ArchiveWatch = {
  /** The same events, looked at as they pass. */
  readonly over: (events: AsyncIterable<LoggedEvent>) => AsyncIterable<LoggedEvent>;
  /** What to say of it; nothing where there are no hashes without events. */
  readonly tell: () => readonly string[];
  /**
   * Whether the archives on record can have all that is missing. A hash that is right proves that there was an event, not who has it; and
   * an archive that was recorded and then given up has nothing, so the count of the files themselves is the last word.
   */
  readonly isCovered: () => boolean;
};

export const createArchiveWatch = (): ArchiveWatch => {
  const recorded: Recorded[] = [];
  let missing = 0;
  const isCovered = (): boolean => missing <= recorded.reduce((sum, { events }) => sum + events, 0);
  return {
    over: async function* (events) {
      for await (const event of events) {
        if ('leafHash' in event) missing += 1;
        else {
          const archive = recordedIn(event.leaf);
          if (archive !== null) recorded.push(archive);
        }
        yield event;
      }
    },
    tell: () => {
      if (missing === 0) return [];
      if (!isCovered())
        return [`${missing} of the events are gone, and the archives on record have fewer: somebody has taken events out of the log`];
      return [
        `${missing} of the events are not in the log any more, but in archives. Verify these files too; those that are there have to hold ${missing} events together:`,
        ...recorded.map(({ file, sha256, events }) => `  ${file}, ${events} events, SHA-256 ${sha256}`),
      ];
    },
    isCovered,
  };
};
