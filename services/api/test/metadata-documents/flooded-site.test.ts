import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Described, openDescribed, plain } from './support/described.ts';

let world: Described;
beforeAll(async () => {
  world = await openDescribed(inject('databaseUrl'));
});
afterAll(() => world.close());

test('strangers who name made-up documents of a site lock out none of its apps that somebody has let in', async () => {
  const [known, unknown] = [world.site.describe('/known', plain), world.site.describe('/unknown', plain)];
  await world.decide(await world.atConsent(known));
  await world.open(unknown);
  const before = world.site.asked.length;
  // Each from an address of its own, and no more at once than may be under way.
  for (let batch = 0; batch < 8; batch += 1)
    await Promise.all(Array.from({ length: 20 }, (_, n) => world.open(`${world.site.origin}/made-up-${batch}-${n}`)));
  expect(world.site.asked.length - before).toBeLessThan(130);
  // What was fetched before is not fresh any more.
  world.wait(86_401);
  const refused = await world.open(unknown);
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('Too many apps of its site were asked for')]);
  expect((await world.open(known)).text).toContain('<strong>Robot</strong> wants to use your account');
});
