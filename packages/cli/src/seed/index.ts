import { join } from 'node:path';
import type { PlainSecret } from '@grantlog/crypto';
import type { AccountId, PlatformDocument } from '@grantlog/domain';
import { systemPlatform } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type By, configurePlatform, type NewClient, type Provisioning } from '@grantlog/provisioning';
import type { Demo, DemoPlatform, Seed } from './contract.ts';
import { demoCredentials, demoPlatforms } from './demo-credentials.ts';
import { readDemo } from './demo-file.ts';
import { ensureAccount, SeedRefused } from './ensure-account.ts';
import { ensureAlongSafes } from './ensure-along-safes.ts';
import { ensureArloApi } from './ensure-arlo-api.ts';
import { ensureClient } from './ensure-client.ts';
import { openProvisioning } from './open-provisioning.ts';
import { readPlatformFile } from './platform-files.ts';

const by: By = { actor: { kind: 'system', id: 'seed' }, correlationId: 'seed' };

const ensurePlatform = async (
  context: Provisioning,
  name: string,
  at: Parameters<typeof readPlatformFile>[1],
): Promise<PlatformDocument> => {
  const document = await readPlatformFile(name, at);
  const configured = await configurePlatform(context, by, document);
  if (configured.kind === 'refused') throw new SeedRefused(`the platform ${name} was refused: ${configured.refusal}`);
  return document;
};

const clientOf = (
  document: PlatformDocument,
  client: Pick<NewClient, 'name' | 'kind' | 'redirectUris' | 'secret'> & { readonly clientId: string },
) => ({
  ...client,
  platform: document.name as PlatformId,
  how: 'preset' as const,
  grantTypes: document.grantTypes.filter((type) => type !== 'client_credentials'),
  scopes: null,
  authMethods: null,
  idTokenAlg: null,
  serves: client.kind === 'confidential' ? document.resources.map((resource) => resource.uri) : [],
  roles: [],
  approval: 'approved' as const,
});

/** A platform with its account and its two clients, as one of the demonstration. */
type Tenant = { readonly document: PlatformDocument; readonly demo: DemoPlatform; readonly account: AccountId };

const ensureTenant = async (context: Provisioning, name: string, demo: Demo, examplesUrl: string): Promise<Tenant> => {
  const document = await ensurePlatform(context, name, { publicUrl: demo.url, examplesUrl });
  const credentials = demo.platforms[name];
  if (credentials === undefined) throw new SeedRefused(`no credentials were made for ${name}`);
  const { account, client, publicClient } = credentials;
  const owner = await ensureAccount(context, by, {
    platform: name as PlatformId,
    ...account,
    displayName: 'Demo Person',
    roles: document.roles.slice(0, 2),
  });
  await ensureClient(
    context,
    by,
    clientOf(document, {
      clientId: client.client_id,
      name: 'Demo Agent',
      kind: 'confidential',
      redirectUris: [client.redirect_uri],
      secret: client.client_secret as PlainSecret, // made by createClientSecret and kept in our own file
    }),
  );
  await ensureClient(
    context,
    by,
    clientOf(document, {
      clientId: publicClient.client_id,
      name: 'Demo App',
      kind: 'public',
      redirectUris: [publicClient.redirect_uri],
      secret: null,
    }),
  );
  return { document, demo: credentials, account: owner };
};

/** What a platform's example resources need besides; answers with the credentials. */
const ensureExamples = (context: Provisioning, name: string, tenant: Tenant): Promise<DemoPlatform> => {
  if (name === 'arlo') return ensureArloApi(context, by, tenant);
  if (name === 'along') return ensureAlongSafes(context, by, tenant);
  return Promise.resolve(tenant.demo);
};

const ensureOperators = async (context: Provisioning, demo: Demo): Promise<void> => {
  const document = await ensurePlatform(context, systemPlatform, { publicUrl: demo.url });
  const { email, password, client } = demo.operator;
  await ensureAccount(context, by, { platform: systemPlatform, email, password, displayName: 'Operator', roles: ['operator', 'auditor'] });
  await ensureClient(context, by, {
    ...clientOf(document, {
      clientId: client.client_id,
      name: 'Operator machine',
      kind: 'confidential',
      redirectUris: ['http://127.0.0.1:8765/callback'],
      secret: client.client_secret as PlainSecret, // as above
    }),
    grantTypes: document.grantTypes,
    roles: ['operator', 'auditor'],
  });
};

/** Brings the three reference systems up: platforms, an account and two clients each, what Arlo's API needs, and the first operator. */
export const seed: Seed = async ({ connectionString, secret, publicUrl, examplesUrl, dataDir }) => {
  const demo = demoCredentials(await readDemo(join(dataDir, 'demo.json')), publicUrl);
  const context = openProvisioning({ connectionString, secrets: secret.split(/[\s,]+/).filter((each) => each !== '') });
  try {
    await ensureOperators(context, demo);
    const platforms: Record<string, DemoPlatform> = {};
    for (const name of demoPlatforms)
      platforms[name] = await ensureExamples(context, name, await ensureTenant(context, name, demo, examplesUrl));
    return { ...demo, platforms };
  } finally {
    await context.close();
  }
};
