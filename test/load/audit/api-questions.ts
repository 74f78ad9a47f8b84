import { mintToken, type Sealer } from '@grantlog/crypto';
import { type GrantId, grantDecider, keyRingDecider, keyRingStream } from '@grantlog/domain';
import { type EventLog, fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { type Pool, readStream } from '@grantlog/postgres';
import { createKeyStore } from '../../../services/api/src/tokens/key-store.ts';
import type { Random } from '../../recovery/log/random.ts';
import type { Question } from './ask.ts';
import { documentOf } from './found-platform.ts';
import type { OpenApi } from './open-api.ts';
import type { Sampled } from './sample.ts';

type Asked = { readonly log: EventLog; readonly pool: Pool; readonly sealer: Sealer; readonly platform: PlatformId };

/** Access tokens of grants that are in use. */
const tokensOf = async ({ log, sealer, platform }: Asked, grants: readonly StreamId[]): Promise<readonly string[]> => {
  const loaded = await log.load(
    platform,
    [keyRingStream, ...grants].map((streamId) => ({ streamId })),
  );
  const keys = await createKeyStore({ log, sealer }).of(platform, fold(keyRingDecider, loaded.stream(keyRingStream)));
  const { prefix } = documentOf(platform, 1).tokens;
  return grants.flatMap((streamId) => {
    const state = fold(grantDecider, loaded.stream(streamId));
    const key = state.status === 'active' ? keys.tokenKey(state.current.tokenKeyId) : null;
    if (state.status !== 'active' || key === null) return [];
    const { sequence, accessExpiresAt: expiresAt, scopes, resource, tokenKeyId: keyId } = state.current;
    const nonce = Uint8Array.fromBase64(state.terms.tokenNonce, { alphabet: 'base64url' });
    const payload = { streamId: streamId as GrantId, sequence, expiresAt, scopes, resource, keyId };
    return [mintToken({ prefix, kind: 'access', platform, key, nonce, payload })];
  });
};

/** The ids of clients as the world knows them, and where each began. */
const clientIdsOf = async ({ pool, platform }: Asked, clients: readonly StreamId[]) => {
  const streams = await Promise.all(clients.map((streamId) => readStream(pool, { platform, streamId })));
  return streams.flatMap(([first]) =>
    first === undefined ? [] : [{ id: (first.data as { readonly clientId: string }).clientId, from: first.position }],
  );
};

const some = <Item>(items: Iterable<Item>, count: number): readonly Item[] => [...new Set(items)].slice(0, count);

/** What auditors ask over HTTP, each question recorded before it is answered. */
export const apiQuestions = async (
  api: OpenApi,
  of: Asked & { readonly head: number; readonly sample: readonly Sampled[] },
): Promise<readonly Question[]> => {
  const { head, sample } = of;
  const accounts = some(
    sample.flatMap(({ account }) => account ?? []),
    500,
  );
  const grants = some(
    sample.filter(({ type }) => type.startsWith('grant.')).map(({ stream }) => stream),
    500,
  );
  const clients = await clientIdsOf(
    of,
    some(
      sample.flatMap(({ client }) => client ?? []),
      50,
    ),
  );
  const tokens = await tokensOf(of, grants);
  const moment = (random: Random): string =>
    random.happens(0.5) ? String(1 + random.below(head)) : new Date(random.pick(sample).clock).toISOString();
  /** At a position or after it, so that what is asked for stood. */
  const later = (random: Random, position: number): string => String(position + random.below(head - position + 1));
  const get = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<void> =>
    void (await (await api.ask(`${path}?${new URLSearchParams(query)}`)).arrayBuffer());
  const drawn = (random: Random, kind: (entry: Sampled) => boolean): Sampled => {
    for (;;) {
      const entry = random.pick(sample);
      if (kind(entry)) return entry;
    }
  };
  const address = (random: Random): string => `${random.pick(['198.51.100', '203.0.113'])}.${random.below(256)}`;
  return [
    { name: 'GET events', ask: () => get('events') },
    { name: 'GET events of an account', ask: (random) => get('events', { account: random.pick(accounts) }) },
    { name: 'GET events of a client', ask: (random) => get('events', { clientId: random.pick(clients).id, order: 'oldest' }) },
    {
      name: 'GET events by type and client',
      ask: (random) => get('events', { clientId: random.pick(clients).id, type: random.pick(sample).type }),
    },
    { name: 'GET events from an address', ask: (random) => get('events', { ip: address(random) }) },
    { name: 'GET events of nothing that goes together', ask: () => get('events', { actor: 'operator-1', type: 'grant.refreshed' }) },
    { name: 'GET events deep down', ask: (random) => get('events', { type: 'grant.*', cursor: String(1 + random.below(head)) }) },
    { name: 'GET events/count', ask: () => get('events/count') },
    { name: 'GET events/count of a client', ask: (random) => get('events/count', { clientId: random.pick(clients).id }) },
    {
      name: 'GET grants/{id} as of a moment',
      ask: (random) => {
        const entry = drawn(random, ({ type }) => type.startsWith('grant.'));
        return get(`grants/${entry.stream}`, { at: later(random, entry.position) });
      },
    },
    {
      name: 'GET accounts/{id} as of a moment',
      ask: (random) => {
        const entry = drawn(random, ({ account }) => account !== null);
        return get(`accounts/${entry.account}`, { at: later(random, entry.position) });
      },
    },
    {
      name: 'GET clients/{id} as of a moment',
      ask: (random) => {
        const { id, from } = random.pick(clients);
        return get(`clients/${id}`, { at: later(random, from) });
      },
    },
    { name: 'GET grants as of a moment', ask: (random) => get('grants', { at: moment(random) }) },
    {
      name: 'GET grants of an account as of a moment',
      ask: (random) => get('grants', { at: moment(random), account: random.pick(accounts) }),
    },
    {
      name: 'GET grants of a client as of a moment',
      ask: (random) => get('grants', { at: moment(random), clientId: random.pick(clients).id }),
    },
    { name: 'GET grants/{id}/lineage', ask: (random) => get(`grants/${random.pick(grants)}/lineage`) },
    {
      name: 'POST token as of a moment',
      ask: async (random) => void (await (await api.ask('token', { token: random.pick(tokens), at: moment(random) })).arrayBuffer()),
    },
  ];
};
