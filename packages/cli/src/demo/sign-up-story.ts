import * as oauth from 'oauth4webapi';
import { Problem } from '../problem.ts';
import type { Demo, DemoPlatform } from '../seed/contract.ts';
import { createFormBrowser } from './form-browser.ts';
import { fields, type Narrator, shortened } from './narrator.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

type Answer = Readonly<Record<string, unknown>>;

/** What the agent wants back with every webhook, to find its conversation again. */
const deliveryContext = { to: '+15551234567', channel: 'whatsapp', deliver: true };

const expectThat = (holds: boolean, deviation: string): void => {
  if (!holds) throw new Problem(`The demo met a deviation: ${deviation}`, 'Look at the logs in .grantlog/logs');
};

const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, by: { readonly body?: object; readonly token?: string } = {}) => {
  const { body, token } = by;
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer;
  expectThat(response.ok, `${method} ${new URL(url).pathname} was answered with ${response.status}: ${String(answer['detail'])}`);
  return answer;
};

/** The person, who opens the link, signs in, and chooses the number that the agent has told them. */
const chooseNumber = async ({ account }: DemoPlatform, authUrl: string, number: string): Promise<void> => {
  const browser = createFormBrowser();
  const signIn = await browser.open(authUrl);
  const asked = await browser.submit(signIn, { email: account.email, password: account.password });
  expectThat(asked.html.includes(`value="${number}"`), `the page does not offer the number that the agent was given (${asked.status})`);
  const last = await browser.submit(asked, { number });
  expectThat(last.html.includes('<h1>Connected</h1>'), `the number was answered with ${last.status}`);
};

/**
 * How an agent without a browser brings a person in, told as it happens: it begins, the person follows its link and compares
 * a number, it redeems, and it is told by signed webhook until it ends its session. Nothing is told of a platform without it.
 *
 * @throws at the first deviation.
 */
export const tellSignUp = async (demo: Demo, name: string, narrator: Narrator): Promise<void> => {
  const platform = demo.platforms[name];
  if (platform === undefined) throw new Problem(`There is no demo platform "${name}"`, 'Choose one of the demo');
  const issuer = new URL(platform.issuer);
  const insecure = { [oauth.allowInsecureRequests]: issuer.protocol === 'http:' };
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
  if (server.device_authorization_endpoint === undefined) return;
  const receiver = await startWebhookReceiver();
  try {
    await live(platform, server, { narrator, receiver, insecure });
  } finally {
    await receiver.close();
  }
};

const live = async (
  platform: DemoPlatform,
  server: oauth.AuthorizationServer,
  by: {
    readonly narrator: Narrator;
    readonly receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
    readonly insecure: oauth.HttpRequestOptions<'POST', URLSearchParams>;
  },
): Promise<void> => {
  const { narrator, receiver, insecure } = by;
  const { issuer } = platform;
  const rest = `${issuer}/rest`;

  narrator.step('Another agent, without a browser, begins to bring the person in (init_signup; RFC 8628 by another name)');
  const verifier = oauth.generateRandomCodeVerifier();
  const begun = await call('POST', `${rest}/signup`, {
    body: {
      baseUrl: issuer,
      webhookUrl: receiver.url,
      webhookToken: oauth.generateRandomState(),
      deliveryContext,
      codeChallenge: await oauth.calculatePKCECodeChallenge(verifier),
    },
  });
  const [sessionId, authUrl, number] = [String(begun['sessionId']), String(begun['authUrl']), String(begun['number'])];
  receiver.useSecret(String((begun['webhook'] as Answer)['signingSecret']));
  narrator.sent(`POST ${rest}/signup webhookUrl=${receiver.url} codeChallenge=…`);
  narrator.got(fields({ authUrl: `${issuer}/connect/…`, sessionId: shortened(sessionId), number, expiresIn: begun['expiresIn'] }));
  const pending = await call('POST', `${rest}/signup/status`, { body: { sessionId } });
  narrator.note(`it asks how it stands: ${String(pending['status'])}`);

  narrator.step('The person opens the link, signs in, reads who asks, and chooses the number that the agent shows');
  await chooseNumber(platform, authUrl, number);
  narrator.note(`signs in as ${platform.account.email}, chooses ${number}: connected`);
  const complete = await call('POST', `${rest}/signup/status`, { body: { sessionId } });
  narrator.got(fields({ status: complete['status'], token_endpoint: complete['token_endpoint'], grant_type: complete['grant_type'] }));

  narrator.step('The agent redeems its session, once, with its code_verifier (RFC 8628 §3.4)');
  const client: oauth.Client = { client_id: String(complete['client_id']) };
  const request = { ...insecure, additionalParameters: { code_verifier: verifier } };
  const tokens = await oauth.processDeviceCodeResponse(
    server,
    client,
    await oauth.deviceCodeGrantRequest(server, client, oauth.None(), sessionId, request),
  );
  narrator.sent(`POST ${server.token_endpoint} grant_type=…device_code device_code=${shortened(sessionId)}`);
  narrator.got(fields(tokens));
  const account = await call('GET', `${rest}/account-status`, { token: tokens.access_token });
  narrator.note(`it is connected to ${String(account['userName'])}, by the session ${String(account['session'])}`);

  narrator.step('Its webhook hears of its own session alone, signed, with the context it asked for');
  const linked = await receiver.waitFor(({ type }) => type === 'session.linked', 20);
  narrator.got(fields(linked));
  const echoed = JSON.stringify(linked.data['deliveryContext']);
  expectThat(echoed === JSON.stringify(deliveryContext), `the delivery context came back as ${echoed}`);

  narrator.step('The agent ends its session, and hears that it has ended');
  await call('DELETE', `${rest}/session`, { token: tokens.access_token });
  narrator.sent(`DELETE ${rest}/session Authorization: Bearer ${shortened(tokens.access_token)}`);
  narrator.got(fields(await receiver.waitFor(({ type }) => type === 'session.revoked', 20)));
  const after = await call('POST', `${rest}/signup/status`, { body: { sessionId } });
  expectThat(after['status'] === 'revoked', `the session is ${String(after['status'])} after its end`);
};
