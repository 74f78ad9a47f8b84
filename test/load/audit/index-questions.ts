import type { CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';
import {
  type AuditFilter,
  type AuditOrder,
  clockAt,
  countAuditEventsByType,
  listAuditEvents,
  listGrantsAsOf,
  positionAt,
  readAuditEvents,
} from '@grantlog/read-models';
import type { Random } from '../../recovery/log/random.ts';
import type { Question } from './ask.ts';
import type { Sampled } from './sample.ts';

/** Filters as auditors come with them, of what stands in the log, by what they are called in the figures. */
const filtersOf = (sample: readonly Sampled[], head: number) => {
  const having = <Part extends 'account' | 'client' | 'session' | 'ip'>(part: Part) =>
    sample.filter((entry): entry is Sampled & { readonly [Key in Part]: NonNullable<Sampled[Part]> } => entry[part] !== null);
  const [ofAccounts, ofClients, ofSessions, withIp] = [having('account'), having('client'), having('session'), having('ip')];
  const grants = sample.filter(({ type }) => type.startsWith('grant.'));
  const hour = (random: Random): Pick<AuditFilter, 'since' | 'until'> => {
    const [from, to] = [random.pick(sample).clock, random.pick(sample).clock];
    return { since: Math.min(from, to), until: Math.max(from, to) };
  };
  const stretch = (random: Random): Pick<AuditFilter, 'from' | 'to'> => {
    const from = 1 + random.below(head);
    return { from, to: from + random.below(head / 10) };
  };
  const all: Readonly<Record<string, (random: Random) => AuditFilter>> = {
    everything: () => ({}),
    'an account': (random) => ({ account: random.pick(ofAccounts).account }),
    'a client': (random) => ({ client: random.pick(ofClients).client }),
    'a grant': (random) => ({ grant: random.pick(grants).stream }),
    'a session': (random) => ({ session: random.pick(ofSessions).session }),
    'an actor': (random) => ({ actor: { id: random.pick(sample).actor } }),
    'a trace': (random) => ({ trace: random.pick(sample).trace }),
    'a commit': (random) => ({ commit: random.pick(sample).commit as CommitId }),
    'an address': (random) => ({ ip: random.pick(withIp).ip }),
    'a rare type': (random) => ({ types: [random.pick(['platform.suspended', 'signing_key.retired', 'client.rejected', 'audit.read'])] }),
    'a frequent type': (random) => ({ types: [random.pick(['grant.refreshed', 'grant.authorized', 'sign_in.succeeded'])] }),
    'grant.*': () => ({ types: ['grant.*'] }),
    'five kinds': () => ({ types: ['grant.*', 'client.*', 'account.*', 'session.*', 'webhook_endpoint.*'] }),
    'a time range': hour,
    'a range of positions': stretch,
    'a type of a client': (random) => ({ ...all['a client']?.(random), types: [random.pick(sample).type] }),
    'a type of an account in a time range': (random) => ({
      ...all['an account']?.(random),
      ...hour(random),
      types: [random.pick(sample).type],
    }),
    'an actor in a range of positions': (random) => ({ actor: { id: random.pick(sample).actor }, ...stretch(random) }),
    'an address and a type': (random) => ({ ip: random.pick(withIp).ip, types: [random.pick(sample).type] }),
    'an account and a client': (random) => ({ account: random.pick(ofAccounts).account, client: random.pick(ofClients).client }),
    // What is frequent and never goes together: as much is looked at as a call looks at.
    'a kind and an actor without it': () => ({ actor: { id: 'operator-1' }, types: ['grant.refreshed'] }),
    'kinds and a stream without them': (random) => ({
      types: ['webhook_endpoint.*', 'name.*'],
      actor: { kind: 'account', id: random.pick(sample).actor },
    }),
    'a client and an actor not of it': (random) => ({ client: random.pick(ofClients).client, actor: { id: 'sign-in' } }),
  };
  return all;
};

/** What the index is asked by itself, through the read models as the API asks them. */
export const indexQuestions = (
  pool: Pool,
  of: { readonly platform: PlatformId; readonly head: number; readonly sample: readonly Sampled[] },
): readonly Question[] => {
  const { platform, head, sample } = of;
  const filters = Object.entries(filtersOf(sample, head));
  const page = async (filter: AuditFilter, order: AuditOrder, cursor: number | null = null): Promise<void> => {
    const { entries } = await listAuditEvents(pool, { platform, filter, order, cursor });
    await readAuditEvents(pool, { platform, entries });
  };
  const someone = (random: Random): { readonly account?: StreamId; readonly client?: StreamId } => {
    const { account, client } = random.pick(sample);
    return { ...(account === null ? {} : { account }), ...(client === null || random.happens(0.5) ? {} : { client }) };
  };
  return [
    ...filters.flatMap(([name, filter]): readonly Question[] => [
      { name: `newest of ${name}`, ask: (random) => page(filter(random), 'newest') },
      { name: `oldest of ${name}`, ask: (random) => page(filter(random), 'oldest') },
      { name: `deep into ${name}`, ask: (random) => page(filter(random), random.pick(['newest', 'oldest']), 1 + random.below(head)) },
      { name: `count of ${name}`, ask: (random) => countAuditEventsByType(pool, { platform, filter: filter(random) }) },
    ]),
    { name: 'the position of a time', ask: (random) => positionAt(pool, { platform, time: random.pick(sample).clock }) },
    { name: 'the time of a position', ask: (random) => clockAt(pool, { platform, position: 1 + random.below(head) }) },
    { name: 'grants as of a position', ask: (random) => listGrantsAsOf(pool, { platform, at: 1 + random.below(head) }) },
    {
      name: 'grants of somebody as of a position',
      ask: (random) => listGrantsAsOf(pool, { platform, at: 1 + random.below(head), ...someone(random) }),
    },
    {
      name: 'deep into grants as of a position',
      ask: (random) => listGrantsAsOf(pool, { platform, at: head, cursor: 1 + random.below(head) }),
    },
  ];
};
