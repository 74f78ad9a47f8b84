import type { DocumentProblem } from '@grantlog/domain';
import { ProblemError, problem } from '@grantlog/protocol';

/** How a refusal is told: 404 for what is not there, 409 where the state stands against it, 422 where a value does. */
export type RefusalWords = { readonly status: 404 | 409 | 422; readonly title: string; readonly detail: string };

export const missing = (detail: string): RefusalWords => ({ status: 404, title: 'Not found', detail });
export const conflicting = (detail: string): RefusalWords => ({ status: 409, title: 'Conflict', detail });
export const unfit = (detail: string): RefusalWords => ({ status: 422, title: 'A value does not fit', detail });

/**
 * A refusal as a problem; its own literal is the `code` that programs read.
 *
 * @param errors what in the request is at fault, where its words alone do not say it.
 */
export const refusalProblem = <Refusal extends string>(
  words: Readonly<Record<Refusal, RefusalWords>>,
  refusal: Refusal,
  errors: readonly DocumentProblem[] = [],
): ProblemError => {
  const { status, title, detail } = words[refusal];
  const members = { code: refusal, ...(errors.length === 0 ? {} : { errors }) };
  return new ProblemError(problem({ status, type: `urn:grantlog:problem:${refusal}`, title, detail, members }), {
    reason: refusal,
    headers: { 'cache-control': 'no-store' },
  });
};

type RefusalOf<Outcome> = Outcome extends { readonly refusal: infer Refusal extends string } ? Refusal : never;

/** The outcome of a change, or its refusal thrown: `words` has to have one for every refusal that the outcome may be. */
export const orThrow = <Outcome extends object>(
  words: Readonly<Record<RefusalOf<Outcome>, RefusalWords>>,
  outcome: Outcome,
): Exclude<Outcome, { readonly refusal: string }> => {
  if ('refusal' in outcome) throw refusalProblem(words, outcome.refusal as RefusalOf<Outcome>);
  // Every member of the union with a refusal has been thrown.
  return outcome as Exclude<Outcome, { readonly refusal: string }>;
};
