import type { PlatformDocument } from '@grantlog/domain';
import type { BasicUse } from '@grantlog/postgres';

/** What comes with every request that HTTP Basic lets through: how long it will, and what comes after. */
export type ExplorationNotice = {
  readonly message: string;
  /** When HTTP Basic ends for this account; whole seconds since the epoch. */
  readonly sunset: number;
  /** Requests a day. */
  readonly limit: number;
  /** Of today's. */
  readonly remaining: number;
  /** Seconds until the day ends, in UTC. */
  readonly reset: number;
  readonly documentation: string | null;
};

/** Why HTTP Basic is refused. Each has its words in {@link refuseBasic}. */
export type BasicRefusalReason =
  | 'invalid_credentials'
  | 'second_factor_enabled'
  | 'second_factor_required'
  | 'exploration_ended'
  | 'daily_limit_reached'
  | 'too_many_attempts'
  | 'account_unusable';

export type BasicRefusal = {
  readonly outcome: 'refused';
  readonly reason: BasicRefusalReason;
  /** For people; names the way out. */
  readonly description: string;
  /** Whole seconds, where waiting helps. */
  readonly retryAfter: number | null;
  readonly documentation: string | null;
};

const daySeconds = 86_400;

/** Seconds until the day of `now` (milliseconds) ends in UTC. */
const secondsOfDayLeft = (now: number): number => daySeconds - (Math.floor(now / 1000) % daySeconds);

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** How people read a number of seconds: never less than it is. */
export const inWords = (seconds: number): string => {
  const [count, unit] =
    seconds < 120 ? [seconds, 'second'] : seconds < 7_200 ? [Math.ceil(seconds / 60), 'minute'] : [Math.ceil(seconds / 3_600), 'hour'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
};

export const noticeOf = (document: PlatformDocument, use: BasicUse, now: number): ExplorationNotice => {
  const { requestsPerDay } = document.exploration;
  return {
    message: `HTTP Basic is for exploration and ends for this account on ${dateOf(use.endsAt)} UTC. Move to OAuth 2 before then`,
    sunset: Math.floor(use.endsAt / 1000),
    limit: requestsPerDay,
    remaining: requestsPerDay - use.requests,
    reset: secondsOfDayLeft(now),
    documentation: document.documentation,
  };
};

type Place = { readonly document: PlatformDocument; readonly issuer: string };

const wayOutOfSecondFactor = ({ document, issuer }: Place): string =>
  document.signIn.mfa === 'required'
    ? 'This platform requires one of people: use OAuth 2, or an integration account, which an administrator makes for a program'
    : `Its owner may switch it off on the security page ${issuer}/security, or use OAuth 2, where it is asked for`;

/** A refusal of HTTP Basic in words that name the way out. Nothing in them depends on whether an unknown account exists. */
export const refuseBasic = (
  place: Place,
  why:
    | { readonly reason: Exclude<BasicRefusalReason, 'too_many_attempts' | 'exploration_ended' | 'daily_limit_reached'> }
    | { readonly reason: 'too_many_attempts'; readonly retryAfter: number }
    | { readonly reason: 'exploration_ended' | 'daily_limit_reached'; readonly use: BasicUse; readonly now: number },
): BasicRefusal => {
  const { document } = place;
  const refused = (description: string, retryAfter: number | null = null): BasicRefusal => ({
    outcome: 'refused',
    reason: why.reason,
    description,
    retryAfter,
    documentation: document.documentation,
  });
  switch (why.reason) {
    case 'invalid_credentials':
      return refused('The email or the password is wrong');
    case 'account_unusable':
      return refused('The password is right, but the account cannot be used now: an operator has disabled it or suspended the platform');
    case 'second_factor_enabled':
      return refused(`This account has a second factor, which HTTP Basic cannot ask for. ${wayOutOfSecondFactor(place)}`);
    case 'second_factor_required':
      return refused(
        'This platform requires a second factor of people, which HTTP Basic cannot ask for. Use OAuth 2, or an integration account, which an administrator makes for a program',
      );
    case 'too_many_attempts':
      return refused(`Too many attempts have failed. Try again in ${inWords(why.retryAfter)}`, why.retryAfter);
    case 'exploration_ended':
      return refused(
        `HTTP Basic is for exploration, and the ${document.exploration.days} days of this account ended on ${dateOf(why.use.endsAt)} UTC. Use OAuth 2 from now on`,
      );
    case 'daily_limit_reached': {
      const left = secondsOfDayLeft(why.now);
      return refused(
        `HTTP Basic is for exploration, and this account has made its ${document.exploration.requestsPerDay} requests of today. Use OAuth 2, or go on in ${inWords(left)}`,
        left,
      );
    }
  }
};
