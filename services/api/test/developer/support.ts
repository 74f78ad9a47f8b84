import { randomToken } from '@grantlog/crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import { consumeOnce, createPool, ensureSubscriptions, transaction } from '@grantlog/postgres';
import { type By, registerAccount } from '@grantlog/provisioning';
import { clientList, ensureGenerations, grantList, subscriptionOf } from '@grantlog/read-models';
import type { InjectOptions } from 'fastify';
import { type Answer, createWorld, type Json, tenantJson } from '../management/support/world.ts';

const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

export type TestDeveloper = Awaited<ReturnType<Awaited<ReturnType<typeof createDeveloperWorld>>['developer']>>;

/** A world with platforms on which people register clients themselves, and people who do. */
export const createDeveloperWorld = async (databaseUrl: string) => {
  const world = await createWorld(databaseUrl);
  const root = await world.operator('operator');

  const open = async (name: string, more: object = {}): Promise<PlatformId> => {
    const document = tenantJson(name, {
      scopes: [
        { name: 'openid', description: 'Know who you are' },
        { name: 'read', description: 'Read your things', default: true },
        { name: 'write', description: 'Change your things' },
        { name: 'developer', description: 'Manage your apps' },
      ],
      resources: [{ uri: `https://${name}.example/api`, name: 'The API', scopes: ['read', 'write'] }],
      grantTypes: ['authorization_code', 'refresh_token'],
      registration: { policy: ['preset', 'approval'] },
      switches: { basicForExploration: true },
      ...more,
    });
    const { status, text } = await world.call(root, 'PUT', `/system/manage/platforms/${name}`, document);
    if (status !== 201) throw new Error(text);
    return name as PlatformId;
  };

  /** Somebody with an account, who asks with their email and password. */
  const developer = async (platform: PlatformId) => {
    const email = `${randomToken(8).toLowerCase()}@example.com`;
    const password = randomToken(12);
    const registered = await registerAccount(world.deps.provisioning, by, { platform, email, displayName: 'Dev', password, roles: [] });
    if (registered.kind === 'refused') throw new Error(registered.refusal);
    const authorization = `Basic ${btoa(`${email}:${password}`)}`;
    const ask = async (method: InjectOptions['method'], path: string, payload?: object, at: string = platform): Promise<Answer> => {
      const response = await world.app.inject({
        method: method ?? 'GET',
        url: `/${at}/developer/clients${path}`,
        headers: { authorization },
        ...(payload === undefined ? {} : { payload }),
      });
      return { status: response.statusCode, body: response.json() as Json, headers: response.headers, text: response.body };
    };
    return { id: registered.account, email, password, ask };
  };

  /** Approves a client, or what is proposed for it, as an operator does: what was read. */
  const approve = async (platform: PlatformId, clientId: string): Promise<Answer> => {
    const at = `/${platform}/manage/clients/${clientId}`;
    const { body } = await world.call(root, 'GET', at);
    return world.call(root, 'POST', `${at}/approve`, { asOf: body['reviewPosition'] });
  };

  /** Runs the lists' projections as the worker does, until they have nothing left to do. */
  const project = async (): Promise<void> => {
    const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });
    try {
      for (const projection of [clientList, grantList]) {
        await transaction(pool, (client) => ensureGenerations(client, projection));
        const subscription = subscriptionOf(projection, 1);
        await ensureSubscriptions(pool, [subscription.name]);
        for (;;) {
          const outcome = await consumeOnce(pool, [subscription]);
          if (outcome.kind === 'failed') throw outcome.error;
          if (outcome.kind === 'idle') break;
        }
      }
    } finally {
      await pool.end();
    }
  };

  return { ...world, root, open, developer, approve, project };
};

export type DeveloperWorld = Awaited<ReturnType<typeof createDeveloperWorld>>;

/** What a developer registers in these tests. */
export const webApp = { name: 'My app', kind: 'confidential', redirectUris: ['https://app.example/cb'] };
