import { openProvisioning } from '@grantlog/cli';
import type { AccountId, PlatformDocument } from '@grantlog/domain';
import { parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type By, configurePlatform, type NewClient, registerAccount, registerClient } from '@grantlog/provisioning';
import type { Deployment } from './deployment.ts';

/** Who changes what tests change. */
export const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

export type TestAccount = { readonly id: AccountId; readonly email: string; readonly password: string };
export type TestClient = { readonly client_id: string; readonly client_secret: string; readonly redirect_uri: string };

/** Operates on a deployment's database beside its processes, as another process of the same server would. */
export const openWorkbench = (deployment: Pick<Deployment, 'databaseUrl' | 'publicUrl' | 'secret'>) => {
  const context = openProvisioning({ connectionString: deployment.databaseUrl, secrets: [deployment.secret] });

  return {
    context,
    close: context.close,
    /** Makes a platform of every scope and grant type, or brings it to another document. */
    configure: async (name: string, change: object = {}): Promise<PlatformDocument> => {
      const parsed = parsePlatformDocument({
        name,
        displayName: `Platform ${name}`,
        scopes: [
          { name: 'openid', description: 'Know which account is yours', default: true },
          { name: 'profile', description: 'See your name' },
          { name: 'email', description: 'See your email address' },
          { name: 'offline_access', description: 'Stay connected while you are away' },
          { name: 'read', description: 'Read your things' },
          { name: 'write', description: 'Change your things' },
        ],
        resources: [{ uri: `${deployment.publicUrl}/${name}/api`, name: 'Things', scopes: ['read', 'write'] }],
        registration: { policy: ['preset', 'open'] },
        grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
        tokens: { prefix: 'tst' },
        webhooks: { allowLoopback: true },
        // What tests are about comes after a decision: theirs is asked for each time, unless it is about that.
        consent: { remember: false },
        switches: { connectPaths: true },
        ...change,
      });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const configured = await configurePlatform(context, by, parsed.document);
      if (configured.kind === 'refused') throw new Error(configured.refusal);
      return parsed.document;
    },
    account: async (
      platform: string,
      change: { readonly email?: string; readonly password?: string; readonly displayName?: string } = {},
    ): Promise<TestAccount> => {
      const email = change.email ?? `${crypto.randomUUID()}@${platform}.example`;
      const password = change.password ?? crypto.randomUUID();
      const displayName = change.displayName ?? 'Test Person';
      const registered = await registerAccount(context, by, { platform: platform as PlatformId, email, password, displayName, roles: [] });
      if (registered.kind === 'refused') throw new Error(registered.refusal);
      return { id: registered.account, email, password };
    },
    /** A confidential client of every grant type at `https://client.example/cb`, unless `change` says otherwise. */
    client: async (platform: string, change: Partial<NewClient> = {}): Promise<TestClient> => {
      const kind = change.kind ?? 'confidential';
      const client: NewClient = {
        platform: platform as PlatformId,
        clientId: null,
        name: 'Test Client',
        kind,
        how: 'preset',
        redirectUris: ['https://client.example/cb'],
        grantTypes:
          kind === 'public' ? ['authorization_code', 'refresh_token'] : ['authorization_code', 'refresh_token', 'client_credentials'],
        scopes: null,
        authMethods: null,
        idTokenAlg: null,
        serves: [],
        roles: [],
        approval: 'approved',
        secret: null,
        ...change,
      };
      const registered = await registerClient(context, by, client);
      if (registered.kind === 'refused') throw new Error(registered.refusal);
      return { client_id: registered.clientId, client_secret: registered.secret ?? '', redirect_uri: client.redirectUris[0] ?? '' };
    },
  };
};

export type Workbench = ReturnType<typeof openWorkbench>;
