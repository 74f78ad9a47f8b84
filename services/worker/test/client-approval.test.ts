import { expect, test } from 'vitest';
import { useScene } from './support/scene.ts';
import { until } from './support/world.ts';

const scene = useScene();

test('endpoints of a client hear that it, or a change of it, was approved or refused, and nobody else’s endpoints do', async () => {
  const world = scene.world();
  const [mine, other] = [await scene.receiver(), await scene.receiver()];
  const [client, stranger] = [await world.client('agent-1'), await world.client('agent-2')];
  await world.endpoint({ url: mine.url, client });
  await world.endpoint({ url: other.url, client: stranger });
  await scene.worker();
  await world.append(client, { type: 'client.rejected', data: { reason: 'scopes' } });
  await world.append(client, { type: 'client.resubmitted', data: {} });
  await world.append(client, { type: 'client.approved', data: {} });
  await world.append(client, { type: 'client.change_proposed', data: { changes: { name: 'Another name' } } });
  await world.append(client, { type: 'client.change_rejected', data: { reason: 'misleading_name' } });
  await until(
    () => mine.received.length,
    (count) => count >= 3,
  );
  const told = mine.received.map(({ body }) => [body.type, body.data['reason']]);
  expect(told.toSorted()).toEqual([
    ['client.approved', undefined],
    ['client.change_rejected', 'misleading_name'],
    ['client.rejected', 'scopes'],
  ]);
  expect(JSON.stringify(mine.received.map(({ body }) => body))).not.toContain('Another name');
  expect(other.received).toHaveLength(0);
});
