import { generateSigningKey, importSigningKey, type SigningKey, signJwt } from '@grantlog/crypto';
import { jwtBearerGrant, type PlatformGrantType, tokenExchangeGrant } from '@grantlog/domain';
import { expect } from 'vitest';
import { type Answer, post } from '../support/agent.ts';
import { createConsentFlow } from '../support/consent.ts';
import type { Deployment } from '../support/deployment.ts';
import { createProofKey } from '../support/proof-key.ts';
import type { Site } from '../support/site.ts';
import type { TestAccount, Workbench } from '../support/workbench.ts';
import type { createRecord } from './canary-life.ts';

type Fields = Readonly<Record<string, string>>;

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const returnUri = 'https://client.example/bye';
const employee = { email: 'canary.employee@corp-mail.example', name: 'Canaria Wren-Worker', sub: 'canary-subject-at-provider-8Rt' };

/** What a platform needs so that somebody can live there by proofs. */
export const proofDocument = (site: Site, grantTypes: readonly PlatformGrantType[]) => ({
  grantTypes: [...grantTypes, tokenExchangeGrant, jwtBearerGrant],
  trustedIssuers: [
    { issuer: site.origin, jwksUri: `${site.origin}/keys`, emailDomains: [employee.email.split('@')[1]], createAccounts: true },
  ],
});

/**
 * A client's life by what it signs: registrations, assertions, pushed requests, proofs of possession, exchanges, an identity
 * provider's word, a logout; and every mistake on the way that could spill any of it.
 */
export const liveByProof = async (life: {
  readonly deployment: Deployment;
  readonly platform: string;
  readonly bench: Workbench;
  readonly person: TestAccount;
  readonly site: Site;
  readonly provider: SigningKey;
  /** Where the app hears of logouts. */
  readonly logoutUri: string;
  readonly record: Omit<ReturnType<typeof createRecord>, 'canaries' | 'refusals'>;
}): Promise<void> => {
  const { deployment, platform, bench, person, provider } = life;
  const { keep, refused, raw } = life.record;
  const issuer = `${deployment.publicUrl}/${platform}`;
  const at = (path: string): string => `${deployment.apis[0]?.url}/${platform}${path}`;
  const seconds = (): number => Math.floor(Date.now() / 1000);
  const json = { 'content-type': 'application/json' };

  // 1. A client registers itself, wrongly and rightly, and manages itself.
  const register = (body: unknown) => ({ method: 'POST', headers: json, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const privateMember = keep('a private key that somebody registers', 'canary-private-member-d-7Wq');
  await raw('a registration with a private key', at('/oauth/register'), {
    ...register({ redirect_uris: [returnUri], jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: privateMember }] } }),
  });
  await raw('a broken registration', at('/oauth/register'), register(`{"client_secret":"${privateMember}"`));
  const registration = await fetch(at('/oauth/register'), register({ redirect_uris: [returnUri], client_name: 'Canary app' }));
  expect(registration.status).toBe(201);
  const registered = (await registration.json()) as Fields;
  const registrationToken = keep('the registration access token', registered['registration_access_token']);
  if (registered['client_secret'] !== undefined) keep('the secret of who registered itself', registered['client_secret']);
  const ownUri = at(`/oauth/register/${registered['client_id']}`);
  expect((await fetch(ownUri, { headers: { authorization: `Bearer ${registrationToken}` } })).status).toBe(200);
  await raw('a changed registration token', ownUri, {
    headers: { authorization: `Bearer ${registrationToken.slice(0, -2)}${registrationToken.endsWith('AA') ? 'BB' : 'AA'}` },
  });
  await raw('a registration token by query', `${ownUri}?registration_access_token=${registrationToken}`, {});
  await raw('a registration token as client_id', at(`/oauth/register/${registrationToken}`), {});

  // 2. Another proves itself by what it signs.
  const generated = await generateSigningKey('ES256');
  const clientKey = importSigningKey(generated);
  const extras = {
    jwks: { keys: [generated.publicJwk] } as never,
    postLogoutRedirectUris: [returnUri],
    backchannelLogout: { uri: life.logoutUri, sessionRequired: true },
  };
  const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials', tokenExchangeGrant, jwtBearerGrant] as const;
  const client = await bench.client(platform, { authMethods: ['private_key_jwt'], grantTypes, extras });
  const sign = async (what: string, change: object = {}): Promise<string> => {
    const id = { iss: client.client_id, sub: client.client_id, aud: issuer, jti: keep(`the jti of ${what}`, crypto.randomUUID()) };
    return keep(what, await signJwt({ key: clientKey, typ: 'JWT', claims: { ...id, exp: seconds() + 60, ...change } }));
  };
  let count = 0;
  const send = async (path: string, form: Fields, headers: Fields = {}, assertion?: string): Promise<Answer> => {
    count += 1;
    const shown = assertion ?? (await sign(`assertion ${count}`));
    return post(at(path), { client_assertion_type: assertionType, client_assertion: shown, ...form }, headers);
  };
  const machine = { grant_type: 'client_credentials', scope: 'read' };
  const once = await sign('an assertion that is used twice');
  expect((await send('/oauth/token', machine, {}, once)).status).toBe(200);
  refused('an assertion that was used', await send('/oauth/token', machine, {}, once));
  refused(
    'an assertion for somebody else',
    await send('/oauth/token', machine, {}, await sign('a strange one', { aud: 'https://x.example' })),
  );
  refused('an assertion of yesterday', await send('/oauth/introspect', { token: once }, {}, await sign('an old one', { exp: 1 })));
  refused('a broken assertion', await send('/oauth/revoke', { token: once }, {}, `${await sign('a broken one')}AA`));
  refused('an assertion by query', await post(at(`/oauth/token?client_assertion=${await sign('one in a URL')}`), machine));

  // 3. It pushes a request, and a browser opens it, beside what is wrong.
  const key = createProofKey();
  const prove = (what: string, method: string, path: string, token?: string): string => {
    const claims = { jti: keep(`the jti of ${what}`, crypto.randomUUID()) };
    return keep(what, key.proof({ method, url: issuer + path, claims, ...(token === undefined ? {} : { token }) }));
  };
  const flow = createConsentFlow({ deployment, platform, client, account: person });
  const asked = Object.fromEntries(new URL(flow.authorizeUrl({ login_hint: employee.email })).searchParams);
  keep("the employee's email", employee.email);
  const pushed = await send('/oauth/par', asked, { dpop: prove('the proof of a push', 'POST', '/oauth/par') });
  expect(pushed.status).toBe(201);
  const requestUri = keep('the request_uri', pushed.body['request_uri']);
  const open = (query: Fields) => visitor.open(at(`/oauth/authorize?${new URLSearchParams(query)}`));
  const visitor = flow.newVisitor();
  refused('a request_uri of another client', await open({ client_id: registered['client_id'] ?? '', request_uri: requestUri }));
  refused('a changed request_uri', await open({ client_id: client.client_id, request_uri: `${requestUri}A` }));
  refused('a request_uri that is pushed', await send('/oauth/par', { ...asked, request_uri: requestUri }));
  const consent = await flow.signIn(visitor, await open({ client_id: client.client_id, request_uri: requestUri }));
  const allowed = await flow.decide(visitor, consent, 'allow');
  const code = keep('the code of the pushed request', allowed.location?.searchParams.get('code'));
  refused('a request_uri that was decided', await open({ client_id: client.client_id, request_uri: requestUri }));

  // 4. Its tokens are bound to its key.
  const redeem = async (dpop: string): Promise<Answer> => flow.redeem(code, { ...(await credentials()) }, { dpop });
  const credentials = async (): Promise<Fields> => {
    count += 1;
    return { client_assertion_type: assertionType, client_assertion: await sign(`assertion ${count}`) };
  };
  refused('a proof for another path', await redeem(prove('a misplaced proof', 'POST', '/oauth/par')));
  refused('two proofs', await redeem(`${prove('one of two', 'POST', '/oauth/token')}, ${prove('two of two', 'POST', '/oauth/token')}`));
  const dpop = prove('the proof of the redemption', 'POST', '/oauth/token');
  const { status, body } = await redeem(dpop);
  expect([status, body['token_type']]).toEqual([200, 'DPoP']);
  refused('a proof that was used', await redeem(dpop));
  const token = keep('the bound token', body['access_token']);
  const idToken = keep('the ID token of the bound one', body['id_token']);
  const show = (headers: Fields) => ({ headers });
  const proof = prove('the proof of a use', 'GET', '/oauth/userinfo', token);
  expect((await fetch(at('/oauth/userinfo'), show({ authorization: `DPoP ${token}`, dpop: proof }))).status).toBe(200);
  await raw('a bound token with a used proof', at('/oauth/userinfo'), show({ authorization: `DPoP ${token}`, dpop: proof }));
  await raw('a bound token as Bearer', at('/oauth/userinfo'), show({ authorization: `Bearer ${token}` }));

  // 5. It passes on what it has, and what it has not.
  const subject = { grant_type: tokenExchangeGrant, subject_token: token, subject_token_type: accessToken };
  refused('an exchange without the key', await send('/oauth/token', subject));
  refused('an exchange of a broken token', await send('/oauth/token', { ...subject, subject_token: `${token}A` }));
  refused('an exchange of a token by query', await post(at(`/oauth/token?subject_token=${token}&actor_token=${idToken}`), machine));
  refused('an ID token as actor', await send('/oauth/token', { ...subject, actor_token: idToken, actor_token_type: accessToken }));
  const passed = await send('/oauth/token', subject, { dpop: prove('the proof of an exchange', 'POST', '/oauth/token') });
  expect(passed.status).toBe(200);
  keep('the exchanged token', passed.body['access_token']);

  // 6. An identity provider speaks for somebody.
  keep("the employee's name", employee.name);
  keep("the employee's subject", employee.sub);
  const vouch = async (what: string, change: object = {}): Promise<string> => {
    const from = { iss: life.site.origin, aud: issuer, client_id: client.client_id, jti: keep(`the jti of ${what}`, crypto.randomUUID()) };
    const claims = { ...employee, ...from, iat: seconds(), exp: seconds() + 60, scope: 'openid read', ...change };
    return keep(what, await signJwt({ key: provider, typ: 'oauth-id-jag+jwt', claims }));
  };
  const assert = (assertion: string) => send('/oauth/token', { grant_type: jwtBearerGrant, assertion });
  const vouched = await vouch('an identity assertion');
  const given = await assert(vouched);
  expect(given.status).toBe(200);
  keep('the token of an identity assertion', given.body['access_token']);
  refused('an identity assertion that was used', await assert(vouched));
  refused('an identity assertion for another', await assert(await vouch('one for another', { client_id: 'someone-else' })));
  refused('an identity assertion of a stranger', await assert(await vouch('a strange word', { iss: `https://${employee.sub}.example` })));
  refused('a broken identity assertion', await assert(`${await vouch('a broken word')}AA`));
  refused('an identity assertion for no resource', await assert(await vouch('a lost one', { resource: 'https://x.example' })));

  // 7. The person leaves.
  const leave = (query: Fields) => visitor.open(at(`/oauth/end_session?${new URLSearchParams(query)}`));
  refused(
    'a logout to somewhere else',
    await leave({ id_token_hint: idToken, post_logout_redirect_uri: `https://evil.example/?token=${token}` }),
  );
  refused(
    'a logout of two apps',
    await leave({ id_token_hint: idToken, client_id: registered['client_id'] ?? '', logout_hint: employee.email }),
  );
  refused('a logout with a broken address', await leave({ request: idToken, logout_hint: employee.email }));
  const left = await leave({ id_token_hint: idToken, post_logout_redirect_uri: returnUri, logout_hint: employee.email });
  expect([left.status, left.location?.href]).toEqual([303, returnUri]);
};
