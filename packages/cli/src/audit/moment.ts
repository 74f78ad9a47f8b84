import { UsageError } from '../command.ts';

/** A moment as a person gives it: a place in the log, or a time. */
export type Moment = { readonly kind: 'position'; readonly position: number } | { readonly kind: 'time'; readonly time: string };

const position = /^\d{1,15}$/;
// RFC 3339 §5.6; what the calendar does not have, the server refuses.
const dateTime = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const ago = /^(\d{1,6})([smhdw])$/;
const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * Reads what an option names as a moment.
 *
 * @throws UsageError that shows what a moment looks like
 */
export const readMoment = (option: string, text: string, now: number = Date.now()): Moment => {
  if (position.test(text)) return { kind: 'position', position: Number(text) };
  if (dateTime.test(text)) return { kind: 'time', time: text };
  const [, count, unit = ''] = ago.exec(text) ?? [];
  if (count !== undefined) return { kind: 'time', time: new Date(now - Number(count) * (seconds[unit] ?? 0) * 1_000).toISOString() };
  throw new UsageError(
    `${option} is neither a position, such as 1042, nor a time with its zone, such as 2026-11-07T14:03:00Z, nor so long ago, such as 90m, 24h or 7d`,
  );
};

/** `--at` as the server takes it; nothing where it was not given, which is now. */
export const readAt = (text: string | undefined): { readonly at?: string } => {
  if (text === undefined) return {};
  const moment = readMoment('--at', text);
  return { at: moment.kind === 'position' ? String(moment.position) : moment.time };
};
