import { expect } from 'vitest';
import type { World } from './world.ts';

export const endpoints = '/arlo/manage/webhook-endpoints';

/** Registers a webhook endpoint as an operator and checks the answer. */
export const registerEndpoint = async (world: World, operator: string, more: object = {}) => {
  const { status, body, headers } = await world.call(operator, 'POST', endpoints, {
    url: 'https://receiver.example/hook?key=of-theirs',
    ...more,
  });
  expect(status).toBe(201);
  expect(body['position']).toBe(await world.head(world.arlo));
  expect(headers['location']).toBe(`${endpoints}/${body['endpointId']}`);
  return { id: String(body['endpointId']), at: `${endpoints}/${body['endpointId']}`, body };
};
