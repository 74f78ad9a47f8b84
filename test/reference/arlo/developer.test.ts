import { listMail } from '@grantlog/postgres';
import { openMail } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { basic, post } from '../../support/agent.ts';
import { eventually } from '../../support/eventually.ts';
import { type Arlo, callback, expectRefusal, startArlo } from './support/arlo.ts';

/** A developer's way from nothing to a client in use, as people and programs go it: pages, mails, JSON. */
let arlo: Arlo;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
});
afterAll(() => arlo.stop());

const mailsTo = async (address: string) => {
  const { pool, sealer } = arlo.bench.context;
  return (await listMail(pool, 500)).map((row) => openMail(sealer, row)).filter(({ to }) => to === address);
};
const mailTo = (address: string, words: RegExp) =>
  eventually(
    `a mail about ${words}`,
    async () => (await mailsTo(address)).find(({ subject, text }) => words.test(`${subject}\n${text}`)) ?? null,
  );
const json = (token: string, method: string, path: string, body?: object) =>
  arlo.ask(arlo.at(path), {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** A person who signs up while an app of theirs waits for its answer, and lets it manage their apps. */
const becomeDeveloper = async () => {
  const person = {
    email: `${crypto.randomUUID()}@developers.example`,
    name: 'Mere Developer',
    password: `a sentence ${crypto.randomUUID()}`,
  };
  const visitor = arlo.newVisitor();
  const signIn = await visitor.open(arlo.authorizeUrl({ scope: 'openid profile developer', resource: `${arlo.issuer}/developer` }));
  const form = await visitor.post(arlo.at('/sign-up'), signIn.hidden);
  const asked = await visitor.post(arlo.at('/sign-up'), { ...form.hidden, ...person });
  const mail = await mailTo(person.email, /The code is/);
  const code = /^The code is: (\S+)$/m.exec(mail.text)?.[1] ?? '';
  const consent = await visitor.post(arlo.at('/sign-up/code'), { ...asked.hidden, code });
  const decided = await visitor.post(arlo.at('/consent'), { ...consent.hidden, decision: 'allow' });
  const answer = await arlo.redeem(decided.location?.searchParams.get('code') ?? '');
  expect(answer.status).toBe(200);
  return { ...person, token: String(answer.body['access_token']) };
};
const operatorToken = async (): Promise<string> => {
  const { client } = arlo.deployment.demo.operator;
  const form = { grant_type: 'client_credentials', scope: 'manage' };
  const answer = await post(`${arlo.node()}/system/oauth/token`, form, { authorization: basic({ ...client }) });
  return String(answer.body['access_token']);
};
const manage = async (clientId: string, verb: string, body: object) =>
  json(await operatorToken(), 'POST', `/manage/clients/${clientId}/${verb}`, body);
/** A client as its developer holds it. */
const registered = async (token: string) => {
  const app = { name: 'Harakeke', kind: 'confidential', redirectUris: [callback] };
  const answer = await json(token, 'POST', '/developer/clients', app);
  expect(answer.status).toBe(201);
  const client = { client_id: String(answer.body['clientId']), client_secret: String(answer.body['clientSecret']) };
  return {
    client,
    headers: { authorization: basic(client) },
    position: Number(answer.body['position']),
    approval: answer.body['approval'],
  };
};

test('a person signs up, registers a client, waits for its approval, is told of it by mail, and ends what it was granted', async () => {
  const developer = await becomeDeveloper();
  const { client, headers, approval, position } = await registered(developer.token);
  expect(approval).toBe('pending');

  // Until then every request says so.
  const waits = /waiting for the approval/;
  expectRefusal(await arlo.redeem('x', {}, headers), 400, 'unauthorized_client', waits);
  expectRefusal(await arlo.refresh('x', {}, headers), 400, 'unauthorized_client', waits);
  expectRefusal(await arlo.revoke({ token: 'x' }, headers), 400, 'unauthorized_client', waits);
  const page = await arlo.request({ client_id: client.client_id });
  expect([page.status, page.location, page.text]).toEqual([400, null, expect.stringMatching(waits)]);

  expect((await manage(client.client_id, 'approve', { asOf: position })).status).toBe(200);
  const told = await mailTo(developer.email, /approved/i);
  expect(told.text).toContain('Harakeke');

  // The documented flow, by the developer's own client.
  const code = await arlo.code({ client_id: client.client_id });
  const tokens = await arlo.redeem(code, {}, headers);
  expect(tokens.status).toBe(200);
  const accessToken = String(tokens.body['access_token']);
  expect((await arlo.validate(accessToken)).status).toBe(200);

  const grantId = await eventually('the grant in the list', async () => {
    const { body } = await json(developer.token, 'GET', `/developer/clients/${client.client_id}/tokens`);
    const [found] = (body['tokens'] ?? []) as readonly { readonly grantId: string; readonly status: string; readonly subject: string }[];
    return found?.status === 'active' && found.subject === arlo.account.id ? found.grantId : null;
  });
  expect((await json(developer.token, 'DELETE', `/developer/clients/${client.client_id}/tokens/${grantId}`)).status).toBe(200);
  expect((await arlo.validate(accessToken)).status).toBe(400);
  expectRefusal(await arlo.refresh(String(tokens.body['refresh_token']), {}, headers), 400, 'invalid_grant');
});

test('a client that is refused says so, and its developer reads why in a mail', async () => {
  const developer = await becomeDeveloper();
  const { client, headers } = await registered(developer.token);
  expect((await manage(client.client_id, 'reject', { reason: 'misleading_name' })).status).toBe(200);
  await mailTo(developer.email, /Harakeke/);
  expectRefusal(await arlo.redeem('x', {}, headers), 400, 'unauthorized_client', /refused/);
  expect((await json(developer.token, 'GET', `/developer/clients/${client.client_id}`)).body).toMatchObject({
    approval: 'rejected',
    rejection: 'misleading_name',
  });
});

test('a token for the API is none for the developer’s apps, and one for the apps is none for anybody else’s', async () => {
  const { access_token: apiToken } = await arlo.connect();
  expect((await json(apiToken, 'GET', '/developer/clients')).status).toBe(401);
  const [one, two] = [await becomeDeveloper(), await becomeDeveloper()];
  const { client } = await registered(one.token);
  expect((await json(two.token, 'GET', `/developer/clients/${client.client_id}`)).status).toBe(404);
});
