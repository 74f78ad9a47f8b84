import { parseStreamId } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';

/** The stream id that a path names, if it says itself that it is of this kind; another kind's stream would fold to nonsense. */
export const standingIdOf = <Id extends StreamId>(kind: number, text: string): Id | null =>
  parseStreamId(text)?.startsWith(`00000000-${kind.toString(16).padStart(4, '0')}-8`) === true ? (text as Id) : null;
