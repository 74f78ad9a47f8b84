import { expect } from 'vitest';
import { post } from '../support/agent.ts';
import { createSignUps } from '../support/agent-session.ts';
import type { Deployment } from '../support/deployment.ts';
import type { TestAccount } from '../support/workbench.ts';
import type { createRecord } from './canary-life.ts';
import type { Haystack } from './leak-search.ts';

/** What an agent says of itself and of its conversation. */
export const agentSecrets = {
  webhookToken: 'canary-webhook-token-3Lm8Qz',
  nextWebhookToken: 'canary-next-webhook-token-9Fd',
  deliveryContext: { to: 'canary-phone-15551234567', channel: 'canary-channel-whatsapp' },
  conversationSessionKey: 'canary-conversation-key-4Hs',
  sessionKey: 'canary-session-key-of-agent-7P',
} as const;

/** What the receiver of an agent's webhook is meant to get, and therefore nobody else. */
const meant: readonly string[] = [
  agentSecrets.webhookToken,
  agentSecrets.nextWebhookToken,
  agentSecrets.deliveryContext.to,
  agentSecrets.deliveryContext.channel,
  agentSecrets.conversationSessionKey,
  agentSecrets.sessionKey,
];

/** A webhook of the agent's own, without what it is meant to have: once each, where the documentation says. */
export const withoutWhatIsMeant = ([where, text]: Haystack): Haystack => [
  where,
  meant.reduce((rest, secret) => rest.replace(secret, '[meant for the agent]'), text),
];

/** An agent's life on a platform: a sign-up and its webhook, a device, and every mistake on the way that could spill a secret. */
export const liveAsAgent = async (life: {
  readonly deployment: Deployment;
  readonly platform: string;
  readonly hook: string;
  readonly person: TestAccount;
  readonly record: Omit<ReturnType<typeof createRecord>, 'canaries' | 'refusals'>;
}): Promise<void> => {
  const { deployment, platform, hook, person } = life;
  const { keep, refused, raw } = life.record;
  const [api] = deployment.apis;
  if (api === undefined) throw new Error('there is no API');
  const clientId = 'unnamed';
  const agents = createSignUps({ platform, publicUrl: deployment.publicUrl, clientId });
  const at = (path: string): string => agents.at(api, path);
  const json = { 'content-type': 'application/json' };
  const { webhookToken, nextWebhookToken, deliveryContext, conversationSessionKey, sessionKey } = agentSecrets;
  for (const secret of meant) keep(`the agent's ${secret.replace(/^canary-/, '').slice(0, 12)}`, secret);
  keep("the agent's person's email", person.email);
  keep("the agent's person's password", person.password);

  // 1. It begins, wrongly and rightly.
  const webhook = { webhookUrl: hook, webhookToken, deliveryContext, conversationSessionKey };
  const wrongly = (what: string, body: unknown) =>
    raw(what, at('/rest/signup'), { method: 'POST', headers: json, body: typeof body === 'string' ? body : JSON.stringify(body) });
  await wrongly('a sign-up of a broken body', `{"webhookToken":"${webhookToken}"`);
  await wrongly('a sign-up elsewhere', { baseUrl: `https://evil.example/${webhookToken}`, ...webhook });
  await wrongly('a sign-up of a nobody', { baseUrl: deployment.publicUrl, ...webhook, clientId: webhookToken });
  await wrongly('a sign-up with a private webhook', {
    baseUrl: deployment.publicUrl,
    ...webhook,
    webhookUrl: `https://10.0.0.1/${webhookToken}`,
  });
  await wrongly('a sign-up with a token of two words', {
    baseUrl: deployment.publicUrl,
    ...webhook,
    webhookToken: `${webhookToken} ${webhookToken}`,
  });
  const begun = (await agents.begin(api, { ...webhook, scope: 'openid offline_access' })) as Awaited<ReturnType<typeof agents.begin>> & {
    readonly webhook?: { readonly signingSecret?: string };
  };
  const sessionId = keep('the sessionId', begun.sessionId);
  const link = keep('the link', new URL(begun.authUrl).pathname.split('/').at(-1));
  keep('the signing secret of its webhook', begun.webhook?.signingSecret);

  // 2. It polls while the person follows the link; both also with what is not theirs.
  expect((await fetch(at(`/rest/signup/${sessionId}`))).status).toBe(200);
  await raw('a poll that comes too soon', at('/rest/signup/status'), {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ sessionId }),
  });
  await raw('a poll with the link', at(`/rest/signup/${link}`), {});
  await raw('a poll with half a sessionId', at(`/rest/signup/${sessionId.slice(0, -1)}`), {});
  await raw('a poll by query', at(`/rest/signup/status?sessionId=${sessionId}`), { method: 'POST', headers: json, body: '{}' });
  await raw('a redemption of the link', at('/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: link, client_id: clientId }),
  });
  await raw('a link that is a sessionId', at(`/connect/${sessionId}`), {});
  await raw('a link that is too long', at(`/connect/${link}x`), {});
  await raw('a link with a path behind it', at(`/connect/${link}/${sessionId}`), {});
  const { visitor, page } = await agents.atConnect(api, begun, person);
  refused('a forged choice', await agents.answer(api, visitor, page, { number: String(begun.number), csrf: link }));
  const final = await agents.answer(api, visitor, page, { number: String(begun.number) });
  expect([final.status, final.text.includes(sessionId)]).toEqual([200, false]);

  // 3. It redeems, registers again, and ends its session.
  const { body } = await agents.redeem(api, begun);
  const accessToken = keep("the agent's access token", body['access_token']);
  keep("the agent's refresh token", body['refresh_token']);
  const authorization = `Bearer ${accessToken}`;
  const put = async (change: object): Promise<Record<string, unknown>> => {
    const response = await fetch(at('/rest/webhook'), {
      method: 'POST',
      headers: { ...json, authorization },
      body: JSON.stringify({ webhookUrl: hook, ...change }),
    });
    expect([change, response.ok]).toEqual([change, true]);
    return (await response.json()) as Record<string, unknown>;
  };
  expect(JSON.stringify(await put({ webhookToken: nextWebhookToken }))).not.toContain(nextWebhookToken);
  keep('the signing secret of another webhook', (await put({ sessionKey, deliveryContext }))['signingSecret']);
  const status = await (await fetch(at('/rest/webhook'), { headers: { authorization } })).text();
  for (const secret of [webhookToken, nextWebhookToken, deliveryContext.to]) expect(status).not.toContain(secret);
  await raw('a webhook of nobody', at('/rest/webhook'), { method: 'POST', headers: json, body: JSON.stringify(webhook) });
  await raw('a webhook on a private address', at('/rest/webhook'), {
    method: 'POST',
    headers: { ...json, authorization },
    body: JSON.stringify({ ...webhook, webhookUrl: `https://192.168.1.1/?k=${webhookToken}` }),
  });
  await raw('a second redemption', at('/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: sessionId, client_id: clientId }),
  });
  await raw('a used link', at(`/connect/${link}`), {});

  // 4. A device of another session, whose person types a code.
  const device = await post(at('/oauth/device_authorization'), { client_id: clientId, scope: 'openid' });
  const userCode = keep('the user code', device.body['user_code']);
  keep('the user code as it may be typed', userCode.replace('-', ''));
  keep('the device code', device.body['device_code']);
  // An agent that names no client is given no link for it.
  expect(device.body['verification_uri_complete']).toBeUndefined();
  await visitor.open(at('/device'));
  await visitor.open(at(`/device?user_code=${userCode}`));
  await raw('a device code that is a user code', at('/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: userCode, client_id: clientId }),
  });
  await raw('a user code in a path', at(`/connect/${userCode}`), {});
};
