import { createPasswords, type Sealer } from '@grantlog/crypto';
import { type PlatformDocument, parsePlatformDocument } from '@grantlog/domain';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';
import { configurePlatform, createPlatformDirectory, type PlatformNames, type Provisioning } from '@grantlog/provisioning';
import { requestOf } from './recorder.ts';

/** The client that an agent without one of its own is. */
export const unidentifiedClient = 'an-agent';

/** A platform with a little of everything; `edition` changes what its people read. */
export const documentOf = (platform: PlatformId, edition: number): PlatformDocument => {
  const parsed = parsePlatformDocument({
    name: platform,
    displayName: `Clinic, edition ${edition}`,
    scopes: [
      { name: 'openid', description: 'Know who you are', required: true },
      { name: 'offline_access', description: 'Stay connected' },
      { name: 'read', description: 'Read your records', default: true },
      { name: 'write', description: 'Change your records', implies: ['read'] },
      { name: 'share', description: 'Share your records' },
    ],
    resources: ['records', 'letters'].map((name) => ({
      uri: `https://${name}.clinic.example/mcp`,
      name,
      scopes: ['read', 'write', 'share'],
    })),
    grantTypes: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ],
    registration: { policy: ['open', 'approval', 'preset'] },
    contexts: { noun: 'Record' },
    roles: ['nurse', 'doctor', 'administrator'],
    signIn: { mfa: 'optional' },
    presetClients: [
      {
        clientId: unidentifiedClient,
        name: 'An agent',
        redirectUris: [],
        type: 'public',
        grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      },
    ],
    agentSignUp: { unidentifiedClient },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
};

/** Brings a platform and its first keys into the log, by the steps that operators take. @throws where it is there already. */
export const foundPlatform = async (of: {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly sealer: Sealer;
  readonly platform: PlatformId;
}): Promise<PlatformNames> => {
  const directory = createPlatformDirectory(of);
  const context: Provisioning = { ...of, directory, passwords: createPasswords({ concurrency: 1 }) };
  const founded = await configurePlatform(context, requestOf({ kind: 'operator', id: 'founder' }), documentOf(of.platform, 1));
  const names = await directory.open(of.platform);
  if (founded.kind !== 'created' || names === null) throw new Error(`${of.platform} was not founded: ${JSON.stringify(founded)}`);
  return names;
};
