import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUuid, uuidv7 } from '@grantlog/crypto';
import type { GrantId, GrantTerms, SessionId } from '@grantlog/domain';
import type { CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { createPool, type NewMessage, type Pool } from '@grantlog/postgres';
import { createLogger } from '@grantlog/runtime';
import type { FastifyInstance } from 'fastify';
import { messageOf, tell } from '../../../../packages/postgres/test/support/told.ts';
import { createApp } from '../../src/app.ts';
import type { StreamTimes } from '../../src/events/event-stream.ts';
import { openWaitingRoom } from '../../src/events/waiting-room.ts';
import { foldKeyRing, foldPlatform, platformStreams } from '../../src/platforms/load-parties.ts';
import { tokensOf } from '../../src/tokens/issue-tokens.ts';
import { createWorld, type World } from '../management/support/world.ts';

/** A server on which messages are told as a dispatcher tells them, and what reads them. */
export const createFeedWorld = async (databaseUrl: string) => {
  const world = await createWorld(databaseUrl);
  const worker = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });

  /** Tells a message at a fresh position of the log. */
  const say = async (of: Partial<NewMessage> & { readonly platform?: PlatformId } = {}): Promise<NewMessage> => {
    const { platform = world.arlo, ...rest } = of;
    const subject = rest.subject ?? (uuidv7(Date.now()) as StreamId);
    const position = await world.append(platform, uuidv7(Date.now()) as StreamId, { type: 'grant.noted', data: {} });
    const message = messageOf(platform, { position, ...rest, subject });
    await tell(worker, { platform, to: position }, [message]);
    return message;
  };

  const machine = await world.machine([], { platform: world.arlo });
  return {
    ...world,
    worker,
    say,
    machine,
    /** A client of a platform that acts by itself. */
    machineOf: (platform: PlatformId, roles: readonly string[] = []) => world.machine(roles, { platform }),
    revoke: async (streamId: StreamId): Promise<void> => {
      await world.deps.log.append(world.arlo, {
        commitId: randomUuid() as CommitId,
        writes: [{ streamId, expected: 1, events: [{ type: 'grant.revoked', data: { reason: 'by_operator', by: null } }] }],
        reads: [],
        actor: { kind: 'system', id: 'test' },
        correlationId: 'test',
      });
    },
    /** A token of a grant that came from an agent's session. */
    session: async () => {
      const session = uuidv7(Date.now()) as SessionId;
      const id = uuidv7(Date.now()) as GrantId;
      const { id: account } = await world.account(world.arlo);
      const loaded = await world.deps.log.load(world.arlo, platformStreams);
      const state = foldPlatform(loaded);
      if (state.status === 'none') throw new Error('the platform is not there');
      const keys = await world.deps.keys.of(world.arlo, foldKeyRing(loaded));
      const terms: GrantTerms = {
        flow: 'device_code',
        client: machine.stream,
        clientId: machine.clientId,
        account,
        session,
        signIn: null,
        scopes: ['read'],
        resources: [],
        authTime: null,
        tokenNonce: 'n'.repeat(43),
      };
      const seconds = Math.floor(loaded.now / 1000);
      const issue = {
        sequence: 1,
        issuedAt: loaded.now,
        accessExpiresAt: seconds + 600,
        refreshExpiresAt: seconds + 6_000,
        scopes: [0],
        resource: null,
        tokenKeyId: keys.mintingTokenKeyId,
      };
      const issuer = 'http://localhost:4000/arlo';
      const began = {
        client: machine.stream,
        clientId: machine.clientId,
        via: 'init_signup',
        scopes: ['read'],
        resources: [],
        codeChallenge: null,
        expiresAt: seconds + 900,
        intervalSeconds: 5,
        tokenKeyId: keys.mintingTokenKeyId,
        tokenNonce: 'n'.repeat(43),
      };
      const signIn = uuidv7(Date.now());
      await world.append(
        world.arlo,
        session,
        { type: 'session.started', data: began },
        { type: 'session.linked', data: { account, signIn } },
      );
      await world.append(world.arlo, id, { type: 'grant.authorized', data: { ...terms, code: null, issue } });
      const source = { platform: world.arlo, document: state.document, issuer, keys, grantId: id, terms };
      const { accessToken } = await tokensOf(source, issue, { idTokenAlg: 'RS256', nonce: null });
      return { session, grant: id, accessToken };
    },
    close: async (): Promise<void> => {
      await worker.end();
      await world.close();
    },
  };
};

export type FeedWorld = Awaited<ReturnType<typeof createFeedWorld>>;

/** Another process on the same database, on a port. */
export const startProcess = async (
  world: Pick<World, 'deps' | 'databaseUrl'>,
  options: {
    readonly times?: Partial<StreamTimes>;
    readonly most?: number;
    readonly mostOfOne?: number;
    readonly listens?: boolean;
  } = {},
) => {
  const { times, most, mostOfOne, listens = false } = options;
  const pool: Pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_api', max: 4 });
  const waitingRoom = openWaitingRoom({
    pool,
    listenUrl: listens ? world.databaseUrl : null,
    ...(most === undefined ? {} : { most }),
    ...(mostOfOne === undefined ? {} : { mostOfOne }),
    onError: () => {},
  });
  const logger = createLogger({ service: 'api', level: 'silent' });
  const app: FastifyInstance = await createApp({
    ...world.deps,
    pool,
    waitingRoom,
    logger,
    ...(times === undefined ? {} : { streamTimes: times }),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    pool,
    url: `http://127.0.0.1:${port}`,
    close: async (): Promise<void> => {
      await app.close();
      await waitingRoom.stop();
      await pool.end();
    },
  };
};

export type Frame = { readonly id?: string; readonly event?: string; readonly data?: string; readonly retry?: string };

const frameOf = (text: string): Frame =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );

/** Reads a stream as `EventSource` does, and keeps what came. */
export const openStream = (url: string, headers: Readonly<Record<string, string>>) =>
  new Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly text: () => string;
    /** What has a type. */
    readonly events: () => readonly Frame[];
    readonly ended: Promise<void>;
    readonly pause: () => void;
    readonly cut: () => void;
  }>((resolve, reject) => {
    const asked = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      const ended = new Promise<void>((done) => response.on('close', done));
      response.on('error', () => {});
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: () => text,
        events: () =>
          text
            .split('\n\n')
            .slice(0, -1)
            .map(frameOf)
            .filter(({ event }) => event !== undefined),
        ended,
        pause: () => void response.pause(),
        cut: () => asked.destroy(),
      });
    });
    asked.on('error', reject);
    asked.end();
  });
