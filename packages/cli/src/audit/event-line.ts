import { plainText } from './plain-text.ts';
import type { ToldEvent } from './timeline.ts';

const columns = (position: string, time: string, type: string, stream: string, by: string): string =>
  `${position.padStart(9)}  ${time.padEnd(24)}  ${type.padEnd(28)}  ${stream.padEnd(36)}  ${by}`;

/** An event in one line. */
export const eventLine = ({ position, recordedAt, type, streamId, actor }: ToldEvent): string =>
  columns(String(position), new Date(recordedAt).toISOString(), type, streamId, `${actor.kind} ${plainText(actor.id)}`);

/** What its columns are. */
export const eventColumns = columns('POSITION', 'TIME', 'TYPE', 'STREAM', 'BY');
