import { type ExcerptVerification, verifierKeyOf, verifyExcerpt } from '@grantlog/transparency';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openShop, type Shop } from '../developer/shop.ts';
import type { TestDeveloper } from '../developer/support.ts';
import { indexEvents } from './support/index-events.ts';
import { signEvents, signer } from './support/sign-events.ts';

let world: Shop['world'];
let shop: Shop['shop'];
let withRoom: Shop['withRoom'];
let auditor: string;
let developer: TestDeveloper;

beforeAll(async () => {
  ({ world, shop, withRoom } = await openShop(inject('databaseUrl')));
  auditor = await (await world.machine([`auditor:${shop}`])).token({ scope: 'audit' });
  developer = await withRoom();
});
afterAll(() => world.close());

const ask = (query: string) =>
  world.app.inject({ url: `/${shop}/audit/events/export?format=excerpt&${query}`, headers: { authorization: `Bearer ${auditor}` } });
const excerpt = async (query: string): Promise<ExcerptVerification> => {
  const { statusCode, rawPayload } = await ask(query);
  expect(statusCode, rawPayload.toString('utf8', 0, 500)).toBe(200);
  async function* bytes() {
    yield rawPayload;
  }
  return verifyExcerpt({ excerpt: bytes(), log: { key: verifierKeyOf(signer, 'ed25519') }, trusted: [] });
};

describe('an excerpt by a filter', () => {
  test('goes as far as the index has come, and one of the log itself as far as it is signed', async () => {
    const before = await signEvents(world, shop);
    expect((await ask(`account=${developer.id}`)).json()).toMatchObject({ status: 404, code: 'not_signed_yet' });
    await indexEvents(world);
    const first = await excerpt(`account=${developer.id}`);
    expect(first).toMatchObject({ kind: 'verified', checkpoint: { size: before } });
    // More is signed than the index knows: an excerpt up to there would lack it, and not say so.
    await withRoom();
    const after = await signEvents(world, shop);
    expect(after).toBeGreaterThan(before);
    const second = await excerpt('type=account.*');
    expect(second).toMatchObject({ kind: 'verified', checkpoint: { size: before }, head: { about: { filter: { types: ['account.*'] } } } });
    expect(await excerpt('from=1')).toMatchObject({ kind: 'verified', checkpoint: { size: after }, events: after });
    expect((await ask(`account=${developer.id}&checkpoint=${after}`)).json()).toMatchObject({ status: 422, code: 'unknown_checkpoint' });
    await indexEvents(world);
    const third = await excerpt('type=account.*');
    expect(third).toMatchObject({ kind: 'verified', checkpoint: { size: after } });
    if (second.kind === 'verified' && third.kind === 'verified') expect(third.events).toBeGreaterThan(second.events);
  });

  test('has the events of that filter up to the checkpoint, in their order', async () => {
    type Line = { readonly checkpoint?: string; readonly event?: { readonly position: number } };
    const lines = (await ask(`account=${developer.id}`)).body.trimEnd().split('\n');
    const [head, ...others] = lines.map((line) => JSON.parse(line) as Line);
    const size = head?.checkpoint?.split('\n')[1];
    const { body } = await world.call(auditor, 'GET', `/${shop}/audit/events?account=${developer.id}&order=oldest&limit=500&to=${size}`);
    const listed = (body as unknown as { readonly events: readonly { readonly position: number }[] }).events;
    expect(others.flatMap(({ event }) => event?.position ?? [])).toEqual(listed.map(({ position }) => position));
    expect(listed.length).toBeGreaterThan(1);
  });
});
