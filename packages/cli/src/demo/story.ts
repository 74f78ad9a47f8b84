import * as oauth from 'oauth4webapi';
import { Problem } from '../problem.ts';
import type { Demo, DemoPlatform } from '../seed/contract.ts';
import { findExampleApi } from './example-api.ts';
import { createFormBrowser, decideAs } from './form-browser.ts';
import { fields, type Narrator, shortened } from './narrator.ts';
import { signInOperator } from './operator.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';
import { whatToAsk } from './what-to-ask.ts';

const expectThat = (holds: boolean, deviation: string): void => {
  if (!holds) throw new Problem(`The demo met a deviation: ${deviation}`, 'Look at the logs in .grantlog/logs');
};

/** A platform that tells nobody who somebody is has no OpenID configuration; its metadata of RFC 8414 is always there. */
const discover = async (issuer: URL, insecure: oauth.DiscoveryRequestOptions, narrator: Narrator): Promise<oauth.AuthorizationServer> => {
  const openid = await oauth.discoveryRequest(issuer, insecure);
  narrator.sent(`GET ${issuer.href}/.well-known/openid-configuration`);
  if (openid.status !== 404) return oauth.processDiscoveryResponse(issuer, openid);
  narrator.note('it is no OpenID provider, so its metadata is that of RFC 8414');
  const response = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' });
  narrator.sent(`GET ${issuer.origin}/.well-known/oauth-authorization-server${issuer.pathname}`);
  return oauth.processDiscoveryResponse(issuer, response);
};

/**
 * An agent's whole life, told as it happens: discovery, sign-in, consent, tokens, a call of the platform's example API
 * where one runs, a refresh, webhooks, revocation, and the refusal of the dead token. `oauth4webapi` judges every protocol answer.
 *
 * @returns the grant's id.
 * @throws at the first deviation.
 */
export const tellStory = async (demo: Demo, name: string, narrator: Narrator): Promise<string> => {
  const platform = demo.platforms[name];
  if (platform === undefined)
    throw new Problem(`There is no demo platform "${name}"`, `Choose one of ${Object.keys(demo.platforms).join(', ')}`);
  const receiver = await startWebhookReceiver();
  try {
    return await live(demo, name, platform, narrator, receiver);
  } finally {
    await receiver.close();
  }
};

const live = async (
  demo: Demo,
  name: string,
  platform: DemoPlatform,
  narrator: Narrator,
  receiver: Awaited<ReturnType<typeof startWebhookReceiver>>,
): Promise<string> => {
  const issuer = new URL(platform.issuer);
  const insecure = { [oauth.allowInsecureRequests]: issuer.protocol === 'http:' };
  const client: oauth.Client = { client_id: platform.client.client_id };
  const authentication = oauth.ClientSecretBasic(platform.client.client_secret);

  narrator.step('The operator registers a webhook endpoint for the agent');
  const operator = await signInOperator(demo);
  const endpoint = await operator.call('POST', `/${name}/manage/webhook-endpoints`, { url: receiver.url, description: 'the demo' });
  const secret = endpoint['secret'];
  if (typeof secret !== 'string') throw new Problem('The endpoint came without its secret', 'Look at the API log');
  receiver.useSecret(secret);
  narrator.sent(`POST ${demo.url}/${name}/manage/webhook-endpoints url=${receiver.url}`);
  narrator.got(fields(endpoint));

  narrator.step('Discovery (RFC 8414, OIDC, RFC 9728)');
  const server = await discover(issuer, insecure, narrator);
  narrator.got(fields({ issuer: server.issuer, token_endpoint: server.token_endpoint }));
  const { resource, scope } = await whatToAsk(server, insecure);
  narrator.note(`its API is ${resource}; an app that reads there asks for ${scope}`);

  narrator.step('Sign-in and consent: the demo plays the browser against the real forms');
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(server.authorization_endpoint ?? '');
  for (const [key, value] of Object.entries({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: platform.client.redirect_uri,
    scope,
    resource,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(scope.includes('openid') ? { nonce } : {}),
  })) {
    url.searchParams.set(key, value);
  }
  narrator.sent(`GET ${url.origin}${url.pathname}?client_id=${client.client_id}&scope=${encodeURIComponent(scope)}&…`);
  const callback = await decideAs(createFormBrowser(), url.href, { ...platform.account, decision: 'allow' });
  narrator.note(`signs in as ${platform.account.email}, allows`);
  narrator.got(`303 ${callback.origin}${callback.pathname}?${fields(Object.fromEntries(callback.searchParams)).replaceAll(' ', '&')}`);

  narrator.step('The code is exchanged with PKCE (RFC 6749 §4.1.3, RFC 7636)');
  const parameters = oauth.validateAuthResponse(server, client, callback, state);
  const request = { ...insecure, additionalParameters: { resource } };
  const first = await oauth.processAuthorizationCodeResponse(
    server,
    client,
    await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, platform.client.redirect_uri, verifier, request),
    scope.includes('openid') ? { expectedNonce: nonce, requireIdToken: true } : {},
  );
  narrator.sent(`POST ${server.token_endpoint} grant_type=authorization_code`);
  narrator.got(fields(first));
  const introspected = await introspect(server, client, authentication, first.access_token, insecure);
  const grantId = String(introspected['grant_id']);
  narrator.note(`the grant is ${grantId}`);

  const openid = oauth.getValidatedIdTokenClaims(first);
  if (openid !== undefined) {
    narrator.step('Userinfo says who stands behind the token (OIDC Core §5.3)');
    const info = await oauth.processUserInfoResponse(
      server,
      client,
      openid.sub,
      await oauth.userInfoRequest(server, client, first.access_token, insecure),
    );
    narrator.sent(`GET ${server.userinfo_endpoint} Authorization: Bearer ${shortened(first.access_token)}`);
    narrator.got(fields(info));
  }

  const api = await findExampleApi(platform.resource, insecure);
  if (api !== null) {
    narrator.step("The platform's example API is called with the token (RFC 6750), and asks the server about it (RFC 7662)");
    const answer = await api.call(first.access_token);
    narrator.sent(`${api.request} Authorization: Bearer ${shortened(first.access_token)}`);
    narrator.got(`${answer.status} ${answer.kind === 'served' ? answer.summary : answer.header}`);
    expectThat(answer.kind === 'served' && answer.status === 200, `the example API answered a good token with ${answer.status}`);
  } else if (platform.resource !== undefined) {
    narrator.note('The example API does not run here; its call is left out.');
  }

  let current = first;
  if (first.refresh_token !== undefined) {
    narrator.step('Refresh rotates the pair (RFC 6749 §6)');
    current = await oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, authentication, first.refresh_token, request),
    );
    narrator.sent(`POST ${server.token_endpoint} grant_type=refresh_token refresh_token=${shortened(first.refresh_token)}`);
    narrator.got(fields(current));
    expectThat(current.refresh_token !== first.refresh_token, 'the refresh token did not change');
  }

  narrator.step('The agent hears of it: a signed webhook, verified by the standardwebhooks package');
  const told = await receiver.waitFor((webhook) => webhook.type === 'grant.code_redeemed' && webhook.data['grantId'] === grantId, 20);
  narrator.got(fields(told));

  narrator.step('Revocation (RFC 7009), committed before the 200');
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, current.refresh_token ?? current.access_token, insecure),
  );
  narrator.sent(`POST ${server.revocation_endpoint} token=${shortened(current.refresh_token ?? current.access_token)}`);
  narrator.got('200');

  narrator.step('The dead token is refused');
  const after = await introspect(server, client, authentication, current.access_token, insecure);
  narrator.sent(`POST ${server.introspection_endpoint} token=${shortened(current.access_token)}`);
  narrator.got(fields(after));
  expectThat(after['active'] === false, 'the token still introspects as active');
  if (server.userinfo_endpoint !== undefined) {
    const refused = await fetch(server.userinfo_endpoint, { headers: { authorization: `Bearer ${current.access_token}` } });
    narrator.got(`userinfo ${refused.status} ${refused.headers.get('www-authenticate') ?? ''}`);
    expectThat(refused.status === 401, `userinfo answered the dead token with ${refused.status}`);
  }
  if (api !== null) {
    const answer = await api.call(current.access_token);
    narrator.sent(`${api.request} Authorization: Bearer ${shortened(current.access_token)}`);
    narrator.got(`${answer.status} ${answer.kind === 'challenged' ? answer.header : answer.summary}`);
    const asItMust = answer.kind === 'challenged' && answer.status === 401 && answer.error === 'invalid_token';
    expectThat(asItMust, `the example API answered the dead token with ${answer.status} and no challenge of invalid_token`);
  }

  narrator.step('And the agent hears that its access has ended');
  const ended = current.refresh_token === undefined ? 'grant.access_token_revoked' : 'grant.revoked';
  narrator.got(fields(await receiver.waitFor((webhook) => webhook.type === ended && webhook.data['grantId'] === grantId, 20)));
  await operator.call('DELETE', `/${name}/manage/webhook-endpoints/${String(endpoint['endpointId'])}`);
  return grantId;
};

const introspect = async (
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  authentication: oauth.ClientAuth,
  token: string,
  insecure: object,
): Promise<Readonly<Record<string, unknown>>> =>
  (await oauth.processIntrospectionResponse(
    server,
    client,
    await oauth.introspectionRequest(server, client, authentication, token, insecure),
  )) as Record<string, unknown>;
