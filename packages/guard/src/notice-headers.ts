import { explorationHeaders } from '@grantlog/protocol';
import { isCount, isText, pageOf } from './members.ts';
import type { HeaderList } from './outcome.ts';

const countOf = (value: unknown): number | undefined => (isCount(value) ? value : undefined);

/**
 * What an answer to HTTP Basic tells of its end, as the server's own do. Members that are missing or unusable leave their
 * headers out.
 */
export const noticeHeaders = (notice: unknown): HeaderList => {
  if (typeof notice !== 'object' || notice === null) return [];
  const { message, sunset, limit, remaining, reset, documentation } = notice as Readonly<Record<string, unknown>>;
  return explorationHeaders({
    message: isText(message) ? message : undefined,
    sunset: countOf(sunset),
    limit: countOf(limit),
    remaining: countOf(remaining),
    reset: countOf(reset),
    documentation: pageOf(documentation),
  });
};
