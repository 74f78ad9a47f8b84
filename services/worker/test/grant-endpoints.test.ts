import type { GrantId } from '@grantlog/domain';
import { expect, test } from 'vitest';
import { useScene } from './support/scene.ts';
import { until } from './support/world.ts';

const scene = useScene();

test('an endpoint of some grants hears those alone, to their end, and the one of their client hears all', async () => {
  const world = scene.world();
  const [narrow, wide] = [await scene.receiver(), await scene.receiver()];
  const client = await world.client('agent-1');
  const [mine, other] = [await world.grant({ client }), await world.grant({ client })];
  await world.endpoint({ url: narrow.url, client, grants: [mine as GrantId], registeredBy: 'grant' });
  await world.endpoint({ url: wide.url, client });
  await scene.worker();
  for (const grant of [other, mine]) await world.refresh(grant, 2);
  await world.revoke(other);
  await world.append(client, { type: 'client.grants_revoked', data: { reason: 'compromised' } });
  await until(
    () => wide.received.length,
    (count) => count === 4,
  );
  await until(
    () => narrow.received.length,
    (count) => count === 2,
  );
  expect(new Set(narrow.received.map(({ body }) => body.data['grantId']))).toEqual(new Set([mine]));
  expect(narrow.received.map(({ body }) => body.type).sort()).toEqual(['grant.refreshed', 'grant.revoked']);
  expect(new Set(wide.received.map(({ body }) => body.data['grantId']))).toEqual(new Set([mine, other]));
});
