import { createPasswords, type PublicJwk, uuidv7 } from '@grantlog/crypto';
import type { AccountId, ClientStreamId, EndpointId, GrantTerms, SessionId, SessionTerms, SignInId } from '@grantlog/domain';
import { keyRingDecider, keyRingStream, parsePlatformDocument, platformStream, webhookEndpointDecider } from '@grantlog/domain';
import { execute, fold, type Loaded, type NewEvent, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import {
  commitOn,
  configurePlatform,
  createPlatformDirectory,
  newSessionWebhook,
  type Provisioning,
  putSessionWebhook,
  registerAccount,
  type SessionWebhookRequest,
  sessionGrant,
} from '@grantlog/provisioning';
import type { World } from './world.ts';

export const clinic = 'clinic' as PlatformId;
export const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;

const client = '00000000-0004-8000-8000-00000000000a' as ClientStreamId;
const signIn = '01890000-0000-7000-8000-000000000001' as SignInId;

/** A second platform of a world, on which agents sign their users up and register webhooks by the real operations. */
export const createAgents = async (world: World) => {
  const directory = createPlatformDirectory({ log: world.log, sealer: world.sealer });
  const provisioning: Provisioning = {
    log: world.log,
    pool: world.api,
    sealer: world.sealer,
    passwords: createPasswords({ concurrency: 1 }),
    directory,
  };
  const parsed = parsePlatformDocument({
    name: clinic,
    displayName: 'Clinic',
    scopes: [{ name: 'read', description: 'Read your things' }],
    webhooks: { allowLoopback: true },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await configurePlatform(provisioning, by, parsed.document);
  const names = await directory.open(clinic);
  if (names === null) throw new Error('the platform is not there');

  const append = async (streamId: StreamId, ...events: readonly NewEvent[]): Promise<void> => {
    const decide = (loaded: Loaded) => ({ commit: commitOn(loaded, by, { writes: [{ streamId, events }] }), outcome: null });
    await execute({ log: world.log, platform: clinic, requests: [{ streamId }], decide });
  };
  const requestOf = (
    session: SessionId,
    change: Partial<SessionWebhookRequest> & Pick<SessionWebhookRequest, 'url'>,
  ): SessionWebhookRequest => ({
    platform: clinic,
    names,
    session,
    client,
    sessionKey: null,
    webhookToken: null,
    deliveryContext: null,
    conversationSessionKey: null,
    signature: 'v1',
    isDevelopment: true,
    ...change,
  });

  return {
    provisioning,
    append,
    /** Begins a session with a webhook. */
    begin: async (webhook: Partial<SessionWebhookRequest> & Pick<SessionWebhookRequest, 'url'>) => {
      const session = uuidv7(Date.now()) as SessionId;
      const terms: SessionTerms = {
        client,
        clientId: 'agent',
        via: 'init_signup',
        scopes: ['read'],
        resources: [],
        codeChallenge: null,
        expiresAt: Math.floor(Date.now() / 1000) + 900,
        intervalSeconds: 5,
        tokenKeyId: 1,
        tokenNonce: 'n'.repeat(43),
      };
      const { endpoint, shown, write } = await newSessionWebhook(provisioning, requestOf(session, webhook));
      await execute({
        log: world.log,
        platform: clinic,
        requests: [{ streamId: session }, { streamId: endpoint }, { streamId: platformStream }],
        decide: (loaded) => {
          const registered = write(loaded);
          if ('refusal' in registered) throw new Error(registered.refusal);
          const begun: readonly NewEvent[] = [
            { type: 'session.started', data: terms },
            { type: 'session.webhook_registered', data: { endpoint } },
          ];
          return { commit: commitOn(loaded, by, { writes: [{ streamId: session, events: begun }, registered] }), outcome: null };
        },
      });
      return { session, endpoint, shown };
    },
    /** The person's answer, and the agent's redemption. */
    link: async (session: SessionId, account: AccountId): Promise<StreamId> => {
      await append(session, { type: 'session.linked', data: { account, signIn } });
      const terms: GrantTerms = {
        flow: 'device_code',
        client,
        clientId: 'agent',
        account,
        session,
        signIn,
        scopes: ['read'],
        resources: [],
        authTime: null,
        tokenNonce: 'n'.repeat(43),
      };
      const issue = {
        sequence: 1,
        issuedAt: Date.now(),
        accessExpiresAt: Math.floor(Date.now() / 1000) + 3_600,
        refreshExpiresAt: null,
        scopes: [0],
        resource: null,
        tokenKeyId: 1,
      };
      const grant = sessionGrant(session);
      await append(grant, { type: 'grant.authorized', data: { ...terms, code: null, issue } });
      return grant;
    },
    put: async (session: SessionId, webhook: Partial<SessionWebhookRequest> & Pick<SessionWebhookRequest, 'url'>) => {
      const put = await putSessionWebhook(provisioning, by, requestOf(session, webhook));
      if ('refusal' in put) throw new Error(put.refusal);
      return put;
    },
    person: async (): Promise<AccountId> => {
      const email = `${crypto.randomUUID()}@clinic.example`;
      const account = { platform: clinic, email, displayName: 'A person', password: 'a long enough password', roles: [] };
      const registered = await registerAccount(provisioning, by, account);
      if (registered.kind !== 'registered') throw new Error(registered.refusal);
      return registered.account;
    },
    isVerified: async (endpoint: EndpointId): Promise<boolean> => {
      const state = fold(webhookEndpointDecider, (await world.log.load(clinic, [{ streamId: endpoint }])).stream(endpoint));
      return state.status === 'active' && state.verified;
    },
    /** What the platform's JWKS shows. */
    publicJwks: async (): Promise<readonly PublicJwk[]> => {
      const ring = fold(keyRingDecider, (await world.log.load(clinic, [{ streamId: keyRingStream }])).stream(keyRingStream));
      if (ring.status === 'none') throw new Error('the platform has no keys');
      return ring.keys.flatMap((key) => (key.use === 'sign' ? [key.publicJwk as unknown as PublicJwk] : []));
    },
  };
};

export type Agents = Awaited<ReturnType<typeof createAgents>>;
