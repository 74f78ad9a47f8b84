import type { FeedCursor, FeedPlace } from '@grantlog/postgres';
import { invalidContents } from '../json-api/validate.ts';

const messageId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const positionOf = /^(\d{1,15})(?:\.([0-9a-f]{8}))?$/;

const read = (text: string): FeedCursor | null => {
  if (text === 'latest') return { kind: 'latest' };
  if (messageId.test(text)) return { kind: 'message', id: text.toLowerCase() };
  const [, position, lineage = null] = positionOf.exec(text) ?? [];
  return position === undefined ? null : { kind: 'position', position: Number(position), lineage };
};

/**
 * Where a caller says that it is; without a word, before everything that is kept.
 *
 * @throws ProblemError 400 for what is no cursor
 */
export const readCursor = (given: { readonly where: 'after' | 'Last-Event-ID'; readonly text: string } | null): FeedCursor => {
  if (given === null) return { kind: 'oldest' };
  const cursor = read(given.text);
  if (cursor !== null) return cursor;
  throw invalidContents(given.where === 'after' ? 'query' : 'header', [
    {
      path: given.where,
      problem: 'is no cursor',
      fix: 'Send the id of the last event that you have, a position, the next of the page before, or latest.',
    },
  ]);
};

/** A place as the next request names it: the message before it, or the position up to which there is nothing any more. */
export const cursorOf = (place: FeedPlace, lineage: string): string =>
  place.id.startsWith('ffffffff-') ? `${place.position}.${lineage}` : place.id;
