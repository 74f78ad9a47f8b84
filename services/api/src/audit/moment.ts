import type { PlatformId } from '@grantlog/eventsourcing';
import { type Moment, type Pool, readHead } from '@grantlog/postgres';
import { clockAt, positionAt } from '@grantlog/read-models';
import Type from 'typebox';
import { refusalProblem } from '../json-api/refusals.ts';
import { instant, position } from '../json-api/schemas.ts';
import { auditWords } from './words.ts';

/** `at` as a parameter. */
export const atParameter = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 40,
    description:
      'The moment to answer for: a position of the log, or a time (RFC 3339 with its zone). At a time stands what was recorded by then; without it, now',
  }),
);

/** The moment that an answer is for. */
export const momentView = Type.Object({ position, time: instant });
export const momentViewOf = ({ position: at, now }: Moment): { readonly position: number; readonly time: string } => ({
  position: at,
  time: new Date(now).toISOString(),
});

const wholeNumber = /^\d{1,15}$/;
// RFC 3339 §5.6; what the calendar does not have, `Date` refuses.
export const dateTime = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * The moment that `at` names: at a position the time is when its event was recorded, at a time the position is that of the last
 * event by then.
 *
 * @throws ProblemError 422 for what is no moment, or one that has not been
 */
export const resolveMoment = async (pool: Pool, platform: PlatformId, at: string | undefined): Promise<Moment> => {
  const refuse = (refusal: 'unreadable_moment' | 'moment_to_come') => refusalProblem(auditWords, refusal);
  if (at === undefined) return { platform, position: await readHead(pool, platform), now: Date.now() };
  if (wholeNumber.test(at)) {
    const asked = Number(at);
    if (asked > (await readHead(pool, platform))) throw refuse('moment_to_come');
    return { platform, position: asked, now: (await clockAt(pool, { platform, position: asked })) ?? 0 };
  }
  const time = dateTime.test(at) ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(time)) throw refuse('unreadable_moment');
  if (time > Date.now()) throw refuse('moment_to_come');
  return { platform, position: await positionAt(pool, { platform, time }), now: time };
};
