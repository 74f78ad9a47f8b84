import type { PlatformId } from '@grantlog/eventsourcing';
import { createDeveloperWorld, type TestDeveloper, webApp } from './support.ts';

export type Shop = Awaited<ReturnType<typeof openShop>>;

/** A world with the platform `shop`, where people register clients that an operator approves. */
export const openShop = async (databaseUrl: string) => {
  const world = await createDeveloperWorld(databaseUrl);
  const shop: PlatformId = await world.open('shop');

  /** A developer who has registered nothing yet: how many clients may wait is limited. */
  const withRoom = (): Promise<TestDeveloper> => world.developer(shop);
  const manage = (id: string, verb = '', body?: object, method: 'GET' | 'POST' = 'POST') =>
    world.call(world.root, method, `/shop/manage/clients/${id}${verb}`, body);
  const approve = (id: string) => world.approve(shop, id);
  const register = async (developer: TestDeveloper) => {
    const { status, body, text } = await developer.ask('POST', '', webApp);
    if (status !== 201) throw new Error(text);
    return { id: String(body['clientId']), at: `/${body['clientId']}`, secret: String(body['clientSecret']) };
  };
  /** What clients are asked at their endpoints: the status and what the answer says. */
  const oauth = async (path: string, client: { readonly id: string; readonly secret: string }, form: Readonly<Record<string, string>>) => {
    const response = await world.app.inject({
      method: 'POST',
      url: `/shop${path}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
      payload: new URLSearchParams(form).toString(),
    });
    return { status: response.statusCode, body: response.body === '' ? {} : (response.json() as Record<string, unknown>) };
  };

  return { world, shop, withRoom, manage, approve, register, oauth };
};
