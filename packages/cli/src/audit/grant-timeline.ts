import type { GrantId } from '@grantlog/domain';
import type { RecordedEvent } from '@grantlog/eventsourcing';
import { listPlatforms, type Pool, readStream } from '@grantlog/postgres';

/** Every event of a grant, from the log of whichever platform has it; empty where none does. */
export const findGrant = async (pool: Pool, grantId: GrantId, platform: string | null): Promise<readonly RecordedEvent[]> => {
  for (const candidate of await listPlatforms(pool)) {
    if (platform !== null && candidate !== platform) continue;
    const events = await readStream(pool, { platform: candidate, streamId: grantId });
    if (events.length > 0) return events;
  }
  return [];
};

// Facts that help nobody who reads a timeline: what MACs cover, and what the event's own columns say.
const silent = new Set(['tokenNonce', 'tokenKeyId']);

const describe = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(describe).join(' ');
  if (value !== null && typeof value === 'object') {
    return `{ ${Object.entries(value)
      .filter(([name]) => !silent.has(name))
      .map(([name, each]) => `${name}: ${describe(each)}`)
      .join(', ')} }`;
  }
  return String(value);
};

/** What an issue holds as numbers are places in the lists of the grant's first event; a reader wants the names. */
const withNames = (data: object, first: RecordedEvent | undefined): object => {
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

/** A grant's story, one event a paragraph: when, at which position, what, by whom, under which request. */
export const timeline = (events: readonly RecordedEvent[]): readonly string[] =>
  events.flatMap((event) => [
    `${new Date(event.recordedAt).toISOString()}  position ${event.position}  version ${event.version}  ${event.type}`,
    `    by ${event.actor.kind} ${event.actor.id}, request ${event.correlationId}`,
    ...Object.entries(withNames(event.data, events[0]))
      .filter(([name, value]) => !silent.has(name) && value !== null)
      .map(([name, value]) => `    ${name}: ${describe(value)}`),
  ]);
