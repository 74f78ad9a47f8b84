import { generateSigningKey, importSigningKey, type SigningKey, signJwt } from '@grantlog/crypto';
import { tokenExchangeGrant } from '@grantlog/domain';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, post } from '../support/agent.ts';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createProofKey } from '../support/proof-key.ts';
import { openWorkbench } from '../support/workbench.ts';

/** Two platforms as alike as they can be, with one client of one key on both: what is signed, pushed or registered on one. */
type Side = { readonly name: string; readonly issuer: string; readonly flow: ConsentFlow };
type Fields = Readonly<Record<string, string>>;

const clientId = 'same-signer';
const resource = 'https://shared.example/api';
const returnUri = 'https://client.example/bye';
const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials', tokenExchangeGrant] as const;

let deployment: Deployment;
let key: SigningKey;
const sides = new Map<string, Side>();

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  const bench = openWorkbench(deployment);
  const generated = await generateSigningKey('ES256');
  key = importSigningKey(generated);
  const extras = { jwks: { keys: [generated.publicJwk] } as never, postLogoutRedirectUris: [returnUri] };
  for (const name of ['gamma', 'delta']) {
    await bench.configure(name, { resources: [{ uri: resource, name: 'Shared', scopes: ['read'] }], grantTypes });
    const client = await bench.client(name, { clientId, authMethods: ['private_key_jwt'], grantTypes, serves: [resource], extras });
    const account = await bench.account(name, { email: 'same@person.example', password: 'the same password' });
    const flow = createConsentFlow({ deployment, platform: name, client, account });
    sides.set(name, { name, issuer: `${deployment.publicUrl}/${name}`, flow });
  }
  await bench.close();
});
afterAll(() => deployment.stop());

const assertionFor = (aud: string, jti: string = crypto.randomUUID()): Promise<string> =>
  signJwt({ key, typ: 'JWT', claims: { iss: clientId, sub: clientId, aud, jti, exp: Math.floor(Date.now() / 1000) + 60 } });
const credentials = (assertion: string): Fields => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: assertion,
});
const send = (at: Side, path: string, form: Fields, assertion: string, headers: Fields = {}): Promise<Answer> =>
  post(at.flow.at(path), { ...credentials(assertion), ...form }, headers);
const byItself = { grant_type: 'client_credentials', scope: 'read', resource };

describe.each([
  ['gamma', 'delta'],
  ['delta', 'gamma'],
] as const)('what is of %s gives nothing on %s', (homeName, foreignName) => {
  const sideOf = (name: string): Side => {
    const side = sides.get(name);
    if (side === undefined) throw new Error(`no ${name}`);
    return side;
  };
  const [home, foreign] = [() => sideOf(homeName), () => sideOf(foreignName)];
  const connect = async (headers: Fields = {}): Promise<Answer> => {
    const code = await home().flow.code({ resource });
    return home().flow.redeem(code, credentials(await assertionFor(home().issuer)), headers);
  };

  test('an assertion of the client: unknown there, at every endpoint, and not used up by it', async () => {
    const assertion = await assertionFor(home().issuer);
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/par'])
      expect(await send(foreign(), path, { ...byItself, token: 'x' }, assertion)).toMatchObject({
        status: 401,
        body: { error: 'invalid_client' },
      });
    expect((await send(home(), '/oauth/token', byItself, assertion)).status).toBe(200);
  });

  test('the jti of an assertion: free there', async () => {
    const jti = crypto.randomUUID();
    for (const side of [home(), foreign()])
      expect((await send(side, '/oauth/token', byItself, await assertionFor(side.issuer, jti))).status).toBe(200);
  });

  test('a pushed request: no request there, and still one here', async () => {
    const asked = Object.fromEntries(new URL(home().flow.authorizeUrl()).searchParams);
    const { body } = await send(home(), '/oauth/par', asked, await assertionFor(home().issuer));
    const query = new URLSearchParams({ client_id: clientId, request_uri: String(body['request_uri']) });
    const visitor = home().flow.newVisitor();
    const there = await visitor.open(foreign().flow.at(`/oauth/authorize?${query}`));
    expect([there.status, there.location]).toEqual([400, null]);
    expect((await visitor.open(home().flow.at(`/oauth/authorize?${query}`))).text).toContain('name="password"');
  });

  test('a proof of possession: refused there, and not spent by it', async () => {
    const proofKey = createProofKey();
    const dpop = proofKey.proof({ method: 'POST', url: `${home().issuer}/oauth/token` });
    const refused = await send(foreign(), '/oauth/token', byItself, await assertionFor(foreign().issuer), { dpop });
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    const taken = await send(home(), '/oauth/token', byItself, await assertionFor(home().issuer), { dpop });
    expect(taken).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  test('a bound token with a good proof for there: no token there', async () => {
    const proofKey = createProofKey();
    const { body } = await connect({ dpop: proofKey.proof({ method: 'POST', url: `${home().issuer}/oauth/token` }) });
    const token = String(body['access_token']);
    const statusAt = async ({ issuer, flow }: Side): Promise<number> => {
      const dpop = proofKey.proof({ method: 'GET', url: `${issuer}/oauth/userinfo`, token });
      return (await fetch(flow.at('/oauth/userinfo'), { headers: { authorization: `DPoP ${token}`, dpop } })).status;
    };
    expect([await statusAt(foreign()), await statusAt(home())]).toEqual([401, 200]);
  });

  test('an access token: exchanged here alone', async () => {
    const token = String((await connect()).body['access_token']);
    const form = {
      grant_type: tokenExchangeGrant,
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    const there = await send(foreign(), '/oauth/token', form, await assertionFor(foreign().issuer));
    expect(there).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect((await send(home(), '/oauth/token', form, await assertionFor(home().issuer))).status).toBe(200);
  });

  test('an ID token: signs nobody out there, and leads nowhere', async () => {
    const idToken = String((await connect()).body['id_token']);
    const { visitor } = await foreign().flow.atConsent();
    const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: returnUri, client_id: clientId });
    const asked = await visitor.open(foreign().flow.at(`/oauth/end_session?${query}`));
    expect([asked.status, asked.location]).toEqual([200, null]);
    expect(asked.text).toContain('Until you say so, you stay signed in');
    const elsewhere = { origin: 'https://client.example' };
    const carried = await home().flow.newVisitor().post(home().flow.at('/oauth/end_session'), { id_token_hint: idToken }, elsewhere);
    const request = carried.location?.searchParams.get('request') ?? '';
    expect(request).not.toBe('');
    expect((await visitor.open(foreign().flow.at(`/oauth/end_session?${new URLSearchParams({ request })}`))).status).toBe(400);
    expect((await visitor.open(foreign().flow.authorizeUrl())).text).toContain('name="decision"');
  });

  test('a registration token: manages nothing there', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ redirect_uris: [returnUri] });
    const register = async (side: Side) =>
      (await (await fetch(side.flow.at('/oauth/register'), { method: 'POST', headers, body })).json()) as Fields;
    const [own, other] = [await register(home()), await register(foreign())];
    const authorization = `Bearer ${own['registration_access_token']}`;
    const statusOf = async (side: Side, id = ''): Promise<number> =>
      (await fetch(side.flow.at(`/oauth/register/${id}`), { headers: { authorization } })).status;
    expect(await statusOf(home(), own['client_id'])).toBe(200);
    for (const [side, id] of [
      [foreign(), own['client_id']],
      [foreign(), other['client_id']],
      [home(), clientId],
    ] as const)
      expect(await statusOf(side, id)).toBe(401);
  });
});
