import { createSealer, uuidv7 } from '@grantlog/crypto';
import type { AccountId, GrantTerms, SignInId } from '@grantlog/domain';
import { platformStream } from '@grantlog/domain';
import { createEgress } from '@grantlog/egress';
import type { StreamId } from '@grantlog/eventsourcing';
import { consumeOnce } from '@grantlog/postgres';
import { type NewClient, registerClient } from '@grantlog/provisioning';
import { createLogger } from '@grantlog/runtime';
import { startLogoutReceiver } from '../../../../test/support/logout-receiver.ts';
import { createLogoutSender } from '../../src/logout/logout-sender.ts';
import { createTellClients } from '../../src/logout/tell-clients.ts';
import { by, clinic, createAgents } from '../support/agents.ts';
import type { useScene } from '../support/scene.ts';
import { secret } from '../support/world.ts';

export const publicUrl = 'https://auth.example';

/** A notice's row, as tests look at it. */
export type NoticeRow = {
  readonly id: string;
  readonly client: StreamId;
  readonly sign_in: StreamId;
  readonly state: string;
  readonly attempts: number;
  readonly due_in: number;
  readonly last_error: string | null;
};

/** A platform with its keys, apps that listen, people who sign in, and a worker's logout part, taken step by step. */
export const openLogoutScene = async (scene: ReturnType<typeof useScene>) => {
  const world = scene.world();
  const agents = await createAgents(world);
  const lines: string[] = [];
  const logger = createLogger({ service: 'worker', level: 'trace', destination: { write: (line: string) => void lines.push(line) } });
  const outcomes: string[] = [];
  const issuer = `${publicUrl}/${clinic}`;
  // What the platform's JWKS shows.
  const jwks = async () => ({ keys: [...(await agents.publicJwks())] });

  const app = async (change: Partial<NewClient> = {}): Promise<{ readonly clientId: string; readonly stream: StreamId }> => {
    const made = await registerClient(agents.provisioning, by, {
      platform: clinic,
      clientId: null,
      name: 'An app',
      kind: 'public',
      how: 'preset',
      redirectUris: ['https://app.example/cb'],
      grantTypes: ['authorization_code'],
      scopes: null,
      authMethods: null,
      idTokenAlg: null,
      serves: [],
      roles: [],
      approval: 'approved',
      secret: null,
      ...change,
    });
    if (made.kind === 'refused') throw new Error(made.refusal);
    return { clientId: made.clientId, stream: made.stream };
  };
  /** An app that is told of logouts at a receiver of its own. */
  const listener = async (change: Partial<NewClient> = {}) => {
    const receiver = await startLogoutReceiver();
    scene.atEnd(receiver.close);
    const made = await app({ extras: { backchannelLogout: { uri: receiver.url, sessionRequired: true } }, ...change });
    receiver.expect({ issuer, clientId: made.clientId, jwks });
    return { ...made, receiver };
  };
  const signIn = async (account: AccountId, amr: readonly string[] = ['pwd']): Promise<SignInId> => {
    const id = uuidv7(Date.now()) as SignInId;
    await agents.append(id, { type: 'sign_in.succeeded', data: { account, method: 'password', amr } });
    return id;
  };
  /** An app gets an ID token in a sign-in. */
  const login = async (
    to: { readonly clientId: string; readonly stream: StreamId },
    of: { readonly account: AccountId; readonly signIn: SignInId },
    change: Partial<GrantTerms> = {},
  ): Promise<void> => {
    const terms: GrantTerms = {
      flow: 'authorization_code',
      client: to.stream as never,
      clientId: to.clientId,
      account: of.account,
      session: null,
      signIn: of.signIn,
      scopes: ['openid', 'read'],
      resources: [],
      authTime: Math.floor(Date.now() / 1000),
      tokenNonce: 'n'.repeat(43),
      ...change,
    };
    await agents.append(uuidv7(Date.now()) as StreamId, { type: 'grant.authorized', data: { ...terms, code: null, issue: null } });
  };
  const egress = createEgress({ allowLoopback: true, totalTimeoutMs: 5_000, connectionsPerOrigin: 100 });
  scene.atEnd(egress.close);
  const sender = (change: { readonly sealerSecret?: string; readonly claimMs?: number; readonly log?: typeof world.log } = {}) => {
    const made = createLogoutSender({
      pool: world.pool,
      log: change.log ?? world.log,
      sealer: createSealer([change.sealerSecret ?? secret]),
      egress,
      publicUrl,
      now: Date.now,
      random: () => 0.5,
      logger,
      onLogout: (outcome) => void outcomes.push(outcome),
      ...(change.claimMs === undefined ? {} : { claimMs: change.claimMs }),
    });
    scene.atEnd(made.stop);
    return made;
  };
  /** Brings the subscription to the end of the log. */
  const consume = async (subscription = createTellClients()): Promise<void> => {
    await world.pool.query(`insert into subscription (name, platform) select $1, platform from log on conflict do nothing`, [
      subscription.name,
    ]);
    for (;;) {
      const outcome = await consumeOnce(world.pool, [subscription]);
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'idle') return;
    }
  };
  return {
    agents,
    issuer,
    jwks,
    lines,
    outcomes,
    app,
    listener,
    signIn,
    login,
    sender,
    consume,
    person: agents.person,
    end: (signIn: SignInId) => agents.append(signIn, { type: 'sign_in.ended', data: { reason: 'signed_out' } }),
    account: agents.append,
    platform: (type: string, data: object) => agents.append(platformStream, { type, data: data as never }),
    notices: async (): Promise<readonly NoticeRow[]> => {
      const { rows } = await world.pool.query<NoticeRow>(
        `select id, client, sign_in, state, attempts, extract(epoch from due_at - now())::float8 as due_in, last_error
         from logout_notice order by created_at, client, sign_in`,
      );
      return rows;
    },
    remembered: async (): Promise<number> => (await world.pool.query('select 1 from sign_in_client')).rowCount ?? 0,
    makeDue: () => world.pool.query(`update logout_notice set due_at = now(), claimed_until = null where state = 'due'`),
    /** As after a restore or a mistake: the log is read from its beginning. */
    forgetCheckpoint: () => world.pool.query(`update subscription set position = 0 where name = 'tell-clients'`),
  };
};

export type LogoutScene = Awaited<ReturnType<typeof openLogoutScene>>;
