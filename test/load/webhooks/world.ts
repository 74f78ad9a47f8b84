import { createSealer, createWebhookSecret, randomToken, randomUuid, standingId, uuidv7 } from '@grantlog/crypto';
import { type EndpointRegistration, foldVersion, parsePlatformDocument, platformStream, standingKinds } from '@grantlog/domain';
import type { Commit, CommitId, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { createDatabase, createPool, createPostgresEventLog, insertCredentials, migrate, openLog } from '@grantlog/postgres';
import { sealCredential } from '@grantlog/provisioning';

export const platform = 'bench' as PlatformId;

/** A database with one platform and its endpoints, and a way to record what they are told. */
export const createLoadWorld = async (options: { readonly clusterUrl: string; readonly name: string; readonly secret: string }) => {
  const url = await createDatabase({ connectionString: options.clusterUrl, name: options.name });
  await migrate({ connectionString: url });
  const pool = createPool({ connectionString: url, role: 'grantlog_api', max: 4 });
  const worker = createPool({ connectionString: url, role: 'grantlog_worker', max: 2 });
  const sealer = createSealer([options.secret]);
  const log = createPostgresEventLog({ pool, foldVersion, sealer });
  const versions = new Map<StreamId, number>();

  const append = async (streamId: StreamId, ...events: readonly NewEvent[]): Promise<void> => {
    const expected = versions.get(streamId) ?? 0;
    const commit: Commit = {
      commitId: randomUuid() as CommitId,
      writes: [{ streamId, expected, events }],
      reads: [],
      actor: { kind: 'system', id: 'load' },
      correlationId: 'load',
    };
    versions.set(streamId, expected + events.length);
    const result = await log.append(platform, commit);
    if (result.outcome === 'conflict') throw new Error(`${streamId} is not at version ${expected}`);
  };

  const endpoint = async (
    settings: Partial<EndpointRegistration> & { readonly url: string },
  ): Promise<{ readonly id: StreamId; readonly secret: string }> => {
    const id = standingId(standingKinds.webhookEndpoint) as StreamId;
    const shown = createWebhookSecret();
    const bytes = new TextEncoder().encode(shown);
    const credential = sealCredential(sealer, { platform, owner: id, kind: 'webhook_secret', bytes });
    await insertCredentials(pool, [credential]);
    const registration: EndpointRegistration = {
      types: ['grant.refreshed'],
      ordered: false,
      concurrency: 8,
      description: '',
      client: null,
      secretCredentials: [credential.id],
      signature: 'v1',
      ...settings,
    };
    await append(id, { type: 'webhook_endpoint.registered', data: registration });
    return { id, secret: shown };
  };

  const seconds = (): number => Math.floor(Date.now() / 1_000);
  const issue = (sequence: number) => ({
    sequence,
    issuedAt: Date.now(),
    accessExpiresAt: seconds() + 3_600,
    refreshExpiresAt: seconds() + 86_400,
    scopes: [0],
    resource: null,
    tokenKeyId: 1,
  });
  const sequences = new Map<StreamId, number>();
  const grant = async (): Promise<StreamId> => {
    const id = uuidv7(Date.now()) as StreamId;
    const client = standingId(standingKinds.client) as StreamId;
    const terms = {
      flow: 'client_credentials',
      client,
      clientId: `client-${client.slice(-6)}`,
      account: null,
      session: null,
      signIn: null,
      scopes: ['read'],
      resources: [],
      authTime: null,
      tokenNonce: randomToken(32),
    };
    await append(id, { type: 'grant.authorized', data: { ...terms, code: null, issue: issue(1) } });
    sequences.set(id, 1);
    return id;
  };
  const refresh = async (id: StreamId): Promise<void> => {
    const sequence = (sequences.get(id) ?? 0) + 1;
    sequences.set(id, sequence);
    await append(id, { type: 'grant.refreshed', data: { issue: issue(sequence) } });
  };

  await openLog(pool, { platform, lineage: randomUuid() });
  const parsed = parsePlatformDocument({
    name: platform,
    displayName: 'Bench',
    scopes: [{ name: 'read', description: 'Read' }],
    webhooks: { allowLoopback: true },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await append(platformStream, { type: 'platform.configured', data: { document: parsed.document } });

  return {
    url,
    worker,
    endpoint,
    grant,
    refresh,
    /** Whether nothing waits any more. */
    isIdle: async (): Promise<boolean> =>
      (await worker.query(`select 1 from delivery where state = 'pending' and platform = $1 limit 1`, [platform])).rowCount === 0,
    /** How deliveries stand, without those that prove a URL. */
    states: async (): Promise<Readonly<Record<string, number>>> => {
      const { rows } = await worker.query<{ state: string; n: number }>(
        `select state, count(*)::int as n from (
           select state, proves from delivery union all select state, proves from delivery_done) d
         where not proves group by state`,
      );
      return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
    },
    /** Attempts by how they ended. */
    attempts: async (): Promise<Readonly<Record<string, number>>> => {
      const { rows } = await worker.query<{ outcome: string; n: number }>(
        `select outcome, count(*)::int as n from attempt join (
           select platform, endpoint, id from delivery where not proves union all select platform, endpoint, id from delivery_done where not proves) d
         using (platform, endpoint, id) group by outcome order by outcome`,
      );
      return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]));
    },
    close: async (): Promise<void> => {
      log.stop();
      await pool.end();
      await worker.end();
    },
  };
};

export type LoadWorld = Awaited<ReturnType<typeof createLoadWorld>>;
