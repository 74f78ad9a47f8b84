import type { RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { listPlatforms, type Pool, readStream } from '@grantlog/postgres';
import { plainText } from './plain-text.ts';

/**
 * Every event of a stream, from the log of whichever platform has it; empty where none does.
 *
 * @param of.begunBy how its first event's type begins: grants and sessions have ids of one shape.
 */
export const findStream = async (
  pool: Pool,
  of: { readonly streamId: StreamId; readonly begunBy: 'grant.' | 'session.'; readonly platform: string | null },
): Promise<readonly RecordedEvent[]> => {
  for (const candidate of await listPlatforms(pool)) {
    if (of.platform !== null && candidate !== of.platform) continue;
    const events = await readStream(pool, { platform: candidate, streamId: of.streamId });
    if (events[0]?.type.startsWith(of.begunBy) ?? false) return events;
  }
  return [];
};

// Facts that help nobody who reads a timeline: what MACs cover, and what the event's own columns say.
const silent = new Set(['tokenNonce', 'tokenKeyId']);

/** An event as the database has it, or as a server shows it. */
export type ToldEvent = Pick<RecordedEvent, 'position' | 'version' | 'type' | 'actor' | 'correlationId' | 'data'> & {
  readonly streamId: string;
  readonly recordedAt: number | string;
};

/** A value of an event as part of a line. */
export const describe = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(describe).join(' ');
  if (value !== null && typeof value === 'object') {
    return `{ ${Object.entries(value)
      .filter(([name]) => !silent.has(name))
      .map(([name, each]) => `${name}: ${describe(each)}`)
      .join(', ')} }`;
  }
  return plainText(String(value));
};

/** What an issue holds as numbers are places in the lists of the grant's first event; a reader wants the names. */
const withNames = (data: object, first: ToldEvent | undefined): object => {
  const issue: unknown = Reflect.get(data, 'issue');
  if (typeof issue !== 'object' || issue === null) return data;
  const named = (list: string, value: unknown): unknown => {
    const names: unknown = first === undefined ? null : Reflect.get(first.data, list);
    const name = (place: unknown): unknown => (Array.isArray(names) && typeof place === 'number' ? (names[place] ?? place) : place);
    return Array.isArray(value) ? value.map(name) : name(value);
  };
  return {
    ...data,
    issue: Object.fromEntries(
      Object.entries(issue).map(([key, value]) => {
        if (key === 'scopes') return [key, named('scopes', value)];
        return [key, key === 'resource' ? named('resources', value) : value];
      }),
    ),
  };
};

/** A story of one stream or several, one event a paragraph: when, at which position, what, by whom, under which request. */
export const timeline = (events: readonly ToldEvent[]): readonly string[] => {
  const firsts = new Map<string, ToldEvent>();
  for (const event of events) if (event.version < (firsts.get(event.streamId)?.version ?? Infinity)) firsts.set(event.streamId, event);
  return events.flatMap((event) => [
    `${new Date(event.recordedAt).toISOString()}  position ${event.position}  version ${event.version}  ${event.type}`,
    `    by ${event.actor.kind} ${plainText(event.actor.id)}, request ${plainText(event.correlationId)}`,
    ...Object.entries(withNames(event.data, firsts.get(event.streamId)))
      .filter(([name, value]) => !silent.has(name) && value !== null)
      .map(([name, value]) => `    ${name}: ${describe(value)}`),
  ]);
};
