import { expect } from 'vitest';
import type { Egress, EgressOutcome, EgressRequest } from '../../src/index.ts';
import type { Behaviour, RawServer } from './raw-server.ts';
import { egress, serve, told, wellBehaved } from './suite.ts';

/** Sends the request while a well-behaved receiver is sent others, which must all succeed. */
export const besideOthers = async (client: Egress, request: EgressRequest): Promise<EgressOutcome> => {
  const good = await serve(wellBehaved);
  const hostile = client.request(request);
  let isOver = false;
  void hostile.then(() => {
    isOver = true;
  });
  const others: (number | string)[] = [];
  do {
    others.push(told(await client.request({ url: good.url, method: 'GET', timeoutMs: 10_000 })));
    await new Promise((resolve) => setTimeout(resolve, 10));
  } while (!isOver);
  expect(new Set(others)).toEqual(new Set([200]));
  return await hostile;
};

/** Sends a request to a server that misbehaves so, and waits until nothing of it is left open. */
export const meet = async (
  behave: Behaviour,
  request: Partial<EgressRequest> = {},
): Promise<{ readonly outcome: EgressOutcome; readonly server: RawServer }> => {
  const server = await serve(behave);
  const outcome = await besideOthers(egress(), { url: server.url, method: 'POST', body: '{}', ...request });
  return { outcome, server };
};
