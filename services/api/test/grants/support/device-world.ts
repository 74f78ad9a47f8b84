import type { AccountId } from '@grantlog/domain';
import { expect } from 'vitest';
import { linkSession } from '../../../../../test/support/link-session.ts';
import { createWorld } from '../../management/support/world.ts';
import { type Answer, createDevices, type Device } from '../../sessions/support/devices.ts';

type Fields = Readonly<Record<string, string>>;

/** Fails unless an answer is this refusal, as RFC 6749 §5.2 spells one. */
export const refusedWith = (answer: Answer, error: string): void =>
  expect(answer).toMatchObject({
    status: 400,
    headers: { 'cache-control': 'no-store' },
    body: { error, error_description: expect.any(String) },
  });

/** A server with one platform of devices, one device and one account: whoever begins, polls and links, unless a test says who. */
export const openDeviceWorld = async (databaseUrl: string) => {
  const world = await createWorld(databaseUrl);
  const devices = createDevices(world);
  const platform = await devices.configure('gadgets');
  const device = await devices.client(platform);
  const accountId = (await world.account(platform)).id;

  const basicOf = (by: Device): Fields => ({ authorization: `Basic ${btoa(`${by.clientId}:${by.secret}`)}` });
  return {
    ...world,
    devices,
    platform,
    device,
    accountId,
    /** The device code of a session that has just begun. */
    begin: async (fields: Fields = {}, by = device): Promise<string> => {
      const answer = await devices.begin(platform, by, fields);
      expect(answer.status).toBe(200);
      return String(answer.body['device_code']);
    },
    poll: (deviceCode: string, fields: Fields = {}, by = device): Promise<Answer> => devices.poll(platform, by, deviceCode, fields),
    link: (sessionId: string, by: AccountId = accountId): Promise<void> => linkSession(world.deps, { platform, sessionId, account: by }),
    introspect: async (token: unknown, by: Device) =>
      (await devices.send(`/${platform}/oauth/introspect`, { token: String(token) }, basicOf(by))).body,
    refresh: (token: unknown, by: Device): Promise<Answer> =>
      devices.send(`/${platform}/oauth/token`, { grant_type: 'refresh_token', refresh_token: String(token) }, basicOf(by)),
    /** What has been recorded above a position. */
    typesAfter: async (position: number): Promise<readonly string[]> =>
      (await devices.eventsAfter(platform, position)).map(({ type }) => type),
  };
};

export type DeviceWorld = Awaited<ReturnType<typeof openDeviceWorld>>;
