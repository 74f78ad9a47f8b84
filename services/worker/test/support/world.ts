import { createSealer, createWebhookSecret, randomUuid, standingId, uuidv7 } from '@grantlog/crypto';
import {
  type AccountId,
  type ClientStreamId,
  type EndpointRegistration,
  foldVersion,
  type GrantTerms,
  type Issue,
  parsePlatformDocument,
  platformStream,
  standingKinds,
} from '@grantlog/domain';
import type { CommitId, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { createDatabase, createPool, createPostgresEventLog, insertCredentials, migrate, openLog } from '@grantlog/postgres';
import { sealCredential } from '@grantlog/provisioning';

export const platform = 'arlo' as PlatformId;
export const secret = 'a-secret-of-the-test-run-long-enough';

const second = (ms: number): number => Math.floor(ms / 1000);

/** The wire's client_id of a client of these tests. */
export const clientIdOf = (client: StreamId): string => `id-of-${client.slice(-4)}`;

/** A database of its own with one platform, and short ways to record what happens on it. */
export const createWorld = async (databaseUrl: string) => {
  const url = await createDatabase({ connectionString: databaseUrl, name: `worker_${randomUuid().replaceAll('-', '')}` });
  await migrate({ connectionString: url });
  const pool = createPool({ connectionString: url, role: 'grantlog_worker', max: 12 });
  const api = createPool({ connectionString: url, role: 'grantlog_api', max: 4 });
  const sealer = createSealer([secret]);
  const log = createPostgresEventLog({ pool: api, foldVersion, sealer });
  const versions = new Map<string, number>();

  const openPlatform = (name: PlatformId): Promise<boolean> => openLog(api, { platform: name, lineage: randomUuid() });

  const append = async (streamId: StreamId, ...events: readonly NewEvent[]): Promise<number> => {
    const expected = versions.get(streamId) ?? 0;
    const result = await log.append(platform, {
      commitId: randomUuid() as CommitId,
      writes: [{ streamId, expected, events }],
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: `test ${randomUuid()}`,
    });
    if (result.outcome === 'conflict') throw new Error(`${streamId} is not at version ${expected}`);
    versions.set(streamId, expected + events.length);
    return result.position + events.length - 1;
  };

  const issue = (sequence: number, lifetime = 3_600): Issue => ({
    sequence,
    issuedAt: Date.now(),
    accessExpiresAt: second(Date.now()) + lifetime,
    refreshExpiresAt: second(Date.now()) + lifetime,
    scopes: [0],
    resource: null,
    tokenKeyId: 1,
  });

  const client = async (clientId: string): Promise<ClientStreamId> => {
    const id = standingId(standingKinds.client) as ClientStreamId;
    await append(id, { type: 'client.registered', data: { clientId, name: 'An agent' } });
    return id;
  };
  const account = (): AccountId => standingId(standingKinds.account) as AccountId;

  const grant = async (of: {
    readonly client: ClientStreamId;
    readonly account?: AccountId;
    readonly lifetime?: number;
  }): Promise<StreamId> => {
    const id = uuidv7(Date.now()) as StreamId;
    const terms: GrantTerms = {
      flow: 'authorization_code',
      client: of.client,
      clientId: clientIdOf(of.client),
      account: of.account ?? null,
      session: null,
      signIn: null,
      scopes: ['read'],
      resources: [],
      authTime: null,
      tokenNonce: 'n'.repeat(43),
    };
    const code = {
      expiresAt: second(Date.now()) + 600,
      redirectUri: 'https://a.example/cb',
      redirectUriSent: true,
      codeChallenge: null,
      tokenKeyId: 1,
      nonce: null,
    };
    await append(
      id,
      { type: 'grant.authorized', data: { ...terms, code, issue: null } },
      { type: 'grant.code_redeemed', data: { issue: issue(1, of.lifetime) } },
    );
    return id;
  };
  const refresh = (id: StreamId, sequence: number): Promise<number> =>
    append(id, { type: 'grant.refreshed', data: { issue: issue(sequence) } });
  const revoke = (id: StreamId): Promise<number> => append(id, { type: 'grant.revoked', data: { reason: 'by_operator', by: null } });

  const storeSecret = async (endpoint: StreamId, text = createWebhookSecret()): Promise<{ readonly id: string; readonly text: string }> => {
    const credential = sealCredential(sealer, { platform, owner: endpoint, kind: 'webhook_secret', bytes: new TextEncoder().encode(text) });
    await insertCredentials(api, [credential]);
    return { id: credential.id, text };
  };
  const endpoint = async ({
    isVerified = true,
    ...settings
  }: {
    readonly url: string /** Whether its URL counts as proved from the beginning. */;
    readonly isVerified?: boolean;
  } & Partial<EndpointRegistration>): Promise<{ readonly id: StreamId; readonly secret: string }> => {
    const id = standingId(standingKinds.webhookEndpoint) as StreamId;
    const stored = await storeSecret(id);
    const registration: EndpointRegistration = {
      types: null,
      ordered: false,
      concurrency: 10,
      description: '',
      client: null,
      secretCredentials: [stored.id],
      signature: 'v1',
      asksForProof: !isVerified,
      ...settings,
    };
    await append(id, { type: 'webhook_endpoint.registered', data: registration });
    return { id, secret: stored.text };
  };

  await openPlatform(platform);
  const parsed = parsePlatformDocument({
    name: platform,
    displayName: 'Arlo',
    scopes: [{ name: 'read', description: 'Read your things' }],
    webhooks: { allowLoopback: true },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await append(platformStream, { type: 'platform.configured', data: { document: parsed.document } });

  return {
    url,
    pool,
    api,
    sealer,
    log,
    openPlatform,
    append,
    client,
    account,
    grant,
    refresh,
    revoke,
    endpoint,
    storeSecret,
    /** A stream was written to by somebody else. */
    moved: (streamId: StreamId, by: number): void => void versions.set(streamId, (versions.get(streamId) ?? 0) + by),
    close: async (): Promise<void> => {
      log.stop();
      await pool.end();
      await api.end();
    },
  };
};

export type World = Awaited<ReturnType<typeof createWorld>>;

/** Waits until something holds; fails with what was seen last. */
export const until = async <Value>(
  look: () => Promise<Value> | Value,
  holds: (value: Value) => boolean,
  withinMs = 15_000,
): Promise<Value> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
