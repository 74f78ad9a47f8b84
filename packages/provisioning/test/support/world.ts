import { createPasswords, createSealer, randomUuid } from '@grantlog/crypto';
import type { ClientState, PlatformDocument } from '@grantlog/domain';
import { clientDecider, foldVersion, parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { createDatabase, createPool, createPostgresEventLog, migrate } from '@grantlog/postgres';
import { inject } from 'vitest';
import { type By, createPlatformDirectory, type PlatformNames, type Provisioning } from '../../src/index.ts';

export const platform = 'clinic' as PlatformId;
export const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

/** The document of a platform that agents may sign people up on, with some of it changed. */
export const documentOf = (change: object = {}): PlatformDocument => {
  const parsed = parsePlatformDocument({
    name: platform,
    displayName: 'Clinic',
    scopes: [{ name: 'read', description: 'Read your things' }],
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'],
    registration: { policy: ['preset'] },
    ...change,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
};

/** Another process of the same deployment. */
export const openNode = (url: string): Provisioning & { readonly close: () => Promise<void> } => {
  const pool = createPool({ connectionString: url, role: 'grantlog_api', max: 8 });
  const sealer = createSealer(['a-secret-of-the-test-run-long-enough']);
  const log = createPostgresEventLog({ pool, foldVersion, sealer });
  return {
    log,
    pool,
    sealer,
    passwords: createPasswords({ concurrency: 1 }),
    directory: createPlatformDirectory({ log, sealer }),
    close: async () => {
      log.stop();
      await pool.end();
    },
  };
};

/** A database of its own with nothing in it, and ways to look at what came to be there. */
export const createWorld = async () => {
  const url = await createDatabase({
    connectionString: inject('databaseUrl'),
    name: `provisioning_${randomUuid().replaceAll('-', '')}`,
  });
  await migrate({ connectionString: url });
  const node = openNode(url);

  const names = async (of: PlatformId = platform): Promise<PlatformNames> => {
    const found = await node.directory.open(of);
    if (found === null) throw new Error(`${of} is not there`);
    return found;
  };
  const stream = async (streamId: StreamId, of: PlatformId = platform) => (await node.log.load(of, [{ streamId }])).stream(streamId);

  return {
    ...node,
    url,
    names,
    events: async (streamId: StreamId, of: PlatformId = platform): Promise<readonly RecordedEvent[]> => (await stream(streamId, of)).events,
    client: async (clientId: string): Promise<ClientState> => fold(clientDecider, await stream((await names()).client(clientId))),
  };
};

export type World = Awaited<ReturnType<typeof createWorld>>;
