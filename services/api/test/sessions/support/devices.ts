import type { PlatformGrantType } from '@grantlog/domain';
import { deviceCodeGrant, parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter } from '@grantlog/postgres';
import { type By, configurePlatform, type NewClient, registerClient } from '@grantlog/provisioning';
import { type Json, tenantJson, type World } from '../../management/support/world.ts';

export const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

export type Device = { readonly clientId: string; readonly secret: string | null };
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: Json };

const grantTypes: readonly PlatformGrantType[] = [deviceCodeGrant, 'refresh_token'];

/** Platforms with the device grant, and clients of them that speak it form by form. */
export const createDevices = (world: World) => {
  const { provisioning, pool } = world.deps;

  const send = async (
    url: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const response = await world.app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: String(new URLSearchParams(fields)),
    });
    return { status: response.statusCode, headers: response.headers, body: response.body === '' ? {} : (response.json() as Json) };
  };
  const authorizationOf = ({ clientId, secret }: Device): Readonly<Record<string, string>> =>
    secret === null ? {} : { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` };
  const idOf = ({ clientId, secret }: Device): Readonly<Record<string, string>> => (secret === null ? { client_id: clientId } : {});

  return {
    send,
    configure: async (name: string, more: object = {}): Promise<PlatformId> => {
      const parsed = parsePlatformDocument(
        tenantJson(name, {
          scopes: [
            { name: 'openid', description: 'Know who you are', default: true },
            { name: 'read', description: 'Read your things', default: true },
            { name: 'write', description: 'Change your things' },
          ],
          grantTypes: ['authorization_code', 'refresh_token', deviceCodeGrant],
          ...more,
        }),
      );
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const outcome = await configurePlatform(provisioning, by, parsed.document);
      if (outcome.kind === 'refused') throw new Error(outcome.refusal);
      return name as PlatformId;
    },
    client: async (platform: PlatformId, change: Partial<NewClient> = {}): Promise<Device> => {
      const outcome = await registerClient(provisioning, by, {
        platform,
        clientId: null,
        name: 'A Device',
        kind: 'public',
        how: 'preset',
        redirectUris: [],
        grantTypes,
        scopes: null,
        authMethods: null,
        idTokenAlg: null,
        serves: [],
        roles: [],
        approval: 'approved',
        secret: null,
        ...change,
      });
      if (outcome.kind === 'refused') throw new Error(outcome.refusal);
      return { clientId: outcome.clientId, secret: outcome.secret };
    },
    begin: (
      platform: PlatformId,
      device: Device,
      fields: Readonly<Record<string, string>> = {},
      headers: Readonly<Record<string, string>> = {},
    ) => send(`/${platform}/oauth/device_authorization`, { ...idOf(device), ...fields }, { ...authorizationOf(device), ...headers }),
    poll: (platform: PlatformId, device: Device, deviceCode: string, fields: Readonly<Record<string, string>> = {}) =>
      send(
        `/${platform}/oauth/token`,
        { grant_type: deviceCodeGrant, device_code: deviceCode, ...idOf(device), ...fields },
        authorizationOf(device),
      ),
    /** What the log of a platform has recorded above a position. */
    eventsAfter: (platform: PlatformId, after: number) => readEventsAfter(pool, { platform, after, limit: 100 }),
  };
};

export type Devices = ReturnType<typeof createDevices>;
