import { findFreePort } from '@grantlog/cli';
import { createPasswords, type Sealer } from '@grantlog/crypto';
import { parsePlatformDocument, systemPlatform } from '@grantlog/domain';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';
import { type By, configurePlatform, createPlatformDirectory, type Provisioning, registerClient } from '@grantlog/provisioning';
import { startService } from '../webhooks/processes.ts';

const by: By = { actor: { kind: 'system', id: 'load' }, correlationId: 'load' };

const operators = {
  name: systemPlatform,
  displayName: 'Operators',
  scopes: [
    { name: 'manage', description: 'Manage' },
    { name: 'audit', description: 'Read the audit trail' },
  ],
  grantTypes: ['client_credentials'],
  roles: ['operator', 'auditor'],
};

/** The API as it runs in production, and an auditor of one platform who asks it. */
export type OpenApi = {
  readonly pid: number;
  /** Asks below `/{platform}/audit/`; a body is sent as JSON. @throws where the answer is no 2xx */
  readonly ask: (path: string, body?: object) => Promise<Response>;
  readonly stop: () => Promise<void>;
};

export const openApi = async (of: {
  readonly databaseUrl: string;
  readonly secret: string;
  readonly log: EventLog;
  readonly pool: Pool;
  readonly sealer: Sealer;
  readonly platform: PlatformId;
}): Promise<OpenApi> => {
  const context: Provisioning = { ...of, directory: createPlatformDirectory(of), passwords: createPasswords({ concurrency: 1 }) };
  const parsed = parsePlatformDocument(operators);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await configurePlatform(context, by, parsed.document);
  const machine = await registerClient(context, by, {
    platform: systemPlatform,
    clientId: null,
    kind: 'confidential',
    how: 'portal',
    name: 'An auditor',
    redirectUris: [],
    grantTypes: ['client_credentials'],
    scopes: null,
    authMethods: null,
    idTokenAlg: null,
    serves: [],
    roles: [`auditor:${of.platform}`],
    approval: 'approved',
    secret: null,
  });
  if (machine.kind === 'refused') throw new Error(machine.refusal);
  const port = String(await findFreePort());
  const origin = `http://localhost:${port}`;
  const { pid, stop } = await startService('api', {
    DATABASE_URL: of.databaseUrl,
    GRANTLOG_SECRET: of.secret,
    PUBLIC_URL: origin,
    PORT: port,
  });
  const issued = await fetch(`${origin}/${systemPlatform}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${machine.clientId}:${machine.secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'audit' }),
  });
  const { access_token: token } = (await issued.json()) as { readonly access_token?: string };
  if (token === undefined) throw new Error(`the auditor got no token: ${issued.status}`);
  return {
    pid,
    stop,
    ask: async (path, body) => {
      const response = await fetch(`${origin}/${of.platform}/audit/${path}`, {
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response;
    },
  };
};
