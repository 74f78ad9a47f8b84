import type { GrantlogEvent } from './aggregates.ts';

type AggregateOf<Type extends string> = Type extends `${infer Aggregate}.${string}` ? Aggregate : never;
type EventNameOf<Aggregate extends string, Type extends string> = Type extends `${Aggregate}.${infer Name}` ? Name : never;

/**
 * The same answer for several events of one aggregate, each named: `sameAnswer('ignored', 'name', 'claimed', 'released')`.
 * Spread where every type of event needs an answer; one that is left out still does not compile.
 */
export const sameAnswer = <
  Answer extends string,
  Aggregate extends AggregateOf<GrantlogEvent['type']>,
  Name extends EventNameOf<Aggregate, GrantlogEvent['type']>,
>(
  answer: Answer,
  aggregate: Aggregate,
  ...names: readonly Name[]
): { readonly [Type in `${Aggregate}.${Name}`]: Answer } =>
  // The type of an entry list does not say which keys it has; they are the names given.
  Object.fromEntries(names.map((name) => [`${aggregate}.${name}`, answer])) as { [Type in `${Aggregate}.${Name}`]: Answer };
