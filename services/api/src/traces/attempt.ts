import type { ConnectionStepName, KeptConnectionStep } from '@grantlog/postgres';

/** One attempt of a client to connect: everything that is known to belong to it, in the order in which it happened. */
export type ConnectionAttempt = {
  readonly beginning: KeptConnectionStep;
  readonly client: string | null;
  readonly grant: string | null;
  readonly steps: readonly KeptConnectionStep[];
};

/** How long before an attempt a look at the metadata, or a registration that nothing else followed, belongs to it; milliseconds. */
export const lookBack = 15 * 60_000;

const rank: Readonly<Record<ConnectionStepName, number>> = {
  discovery: 0,
  registration: 1,
  push: 2,
  authorize: 3,
  consent: 4,
  token: 5,
  first_use: 6,
};

/** Whether a step can be of an attempt that began so, as far as its own members say. */
const belongs = (
  step: KeptConnectionStep,
  to: { readonly beginning: KeptConnectionStep; readonly grants: ReadonlySet<string> },
): boolean => {
  const { beginning, grants } = to;
  if (step.id === beginning.id || (step.attempt !== null && step.attempt === beginning.attempt)) return true;
  if (step.grant !== null && grants.has(step.grant)) return true;
  const isBefore = step.id < beginning.id && step.at >= beginning.at - lookBack;
  return isBefore && (step.step === 'registration' || step.step === 'push') && step.client !== null && step.client === beginning.client;
};

/**
 * Sorts steps into the attempts that began with `beginnings`. A registration that an authorization request followed is part
 * of that attempt and none by itself; looks at the metadata belong to the first attempt that came from the same place after them.
 */
export const assembleAttempts = (
  beginnings: readonly KeptConnectionStep[],
  steps: readonly KeptConnectionStep[],
): readonly ConnectionAttempt[] => {
  const taken = new Set<number>();
  const attempts = beginnings
    .toSorted((one, other) => rank[other.step] - rank[one.step] || one.id - other.id)
    .flatMap((beginning): readonly ConnectionAttempt[] => {
      if (taken.has(beginning.id)) return [];
      const grants = new Set(
        steps.flatMap((step) => (step.attempt !== null && step.attempt === beginning.attempt ? (step.grant ?? []) : [])),
      );
      const own = [...new Map([beginning, ...steps].map((step) => [step.id, step])).values()].filter(
        (step) => !taken.has(step.id) && belongs(step, { beginning, grants }),
      );
      for (const { id } of own) taken.add(id);
      const places = new Set(own.map(({ visitor }) => visitor));
      const looks = steps.filter(
        (step) =>
          step.step === 'discovery' &&
          !taken.has(step.id) &&
          places.has(step.visitor) &&
          step.id < (own.at(-1)?.id ?? 0) &&
          step.at >= beginning.at - lookBack,
      );
      for (const { id } of looks) taken.add(id);
      const all = [...looks, ...own].toSorted((one, other) => one.id - other.id);
      return [
        {
          beginning,
          client: beginning.client ?? all.find(({ client }) => client !== null)?.client ?? null,
          grant: [...grants][0] ?? all.find(({ grant }) => grant !== null)?.grant ?? null,
          steps: all,
        },
      ];
    });
  return attempts.toSorted((one, other) => other.beginning.id - one.beginning.id);
};
