import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';
import type { PendingDecision } from './authorization-request.ts';
import type { PendingSession } from './connect-seal.ts';

/** Pages of ours that ask for a sign-in, by their names under the platform's path. */
export type OwnPage = 'security' | 'connections';

/** Where a sign-in leads. */
export type Destination =
  | { readonly kind: 'decision'; readonly pending: PendingDecision }
  | { readonly kind: 'session'; readonly pending: PendingSession }
  | { readonly kind: 'page'; readonly page: OwnPage }
  | { readonly kind: 'nothing' };

/** Somebody who has shown the right password and nothing else yet: signed in to nothing, no cookie, no event. */
export type SecondStep = {
  readonly account: AccountId;
  /** The version of the account whose password was right; another one voids the step. */
  readonly accountVersion: number;
  readonly browserId: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly destination: Destination;
} & (
  | { readonly asks: 'code' }
  /** The platform requires a factor and the account has none: the seed, in base64, of the one that is being enrolled. */
  | { readonly asks: 'enrolment'; readonly seed: string }
);

/** Milliseconds to type a code, and to install an app and type one. */
const lifetimes = { code: 300_000, enrolment: 900_000 } as const satisfies Record<SecondStep['asks'], number>;

const purpose = (platform: PlatformId): string => `second step ${platform}`;

export const sealSecondStep = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, step: SecondStep): string =>
  sealer.sealJson(step, purpose(platform));

/** The step of a form, or null when it is not ours, not this browser's, too old or of the other kind. */
export const openSecondStep = <Asks extends SecondStep['asks']>(
  { sealer }: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  form: { readonly sealed: string | undefined; readonly asks: Asks; readonly browserId: string; readonly now: number },
): Extract<SecondStep, { readonly asks: Asks }> | null => {
  if (form.sealed === undefined) return null;
  // What opens was sealed by sealSecondStep for this purpose.
  const step = sealer.openJson(form.sealed, purpose(platform)) as SecondStep | null;
  if (step === null || step.asks !== form.asks || step.browserId !== form.browserId) return null;
  const age = form.now - step.issuedAt;
  // A negative age means that a clock went backwards: fail closed.
  return age < 0 || age >= lifetimes[step.asks] ? null : (step as Extract<SecondStep, { readonly asks: Asks }>);
};
