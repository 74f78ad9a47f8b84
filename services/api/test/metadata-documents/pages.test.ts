import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Described, openDescribed, plain } from './support/described.ts';

const request = {
  response_type: 'code',
  redirect_uri: plain.redirect_uris[0],
  code_challenge: 'a'.repeat(43),
  code_challenge_method: 'S256',
} as const;

let world: Described;
beforeAll(async () => {
  world = await openDescribed(inject('databaseUrl'));
});
afterAll(() => world.close());

const metadataOf = async (platform: string) =>
  (await world.app.inject(`/${platform}/.well-known/oauth-authorization-server`)).json() as Readonly<Record<string, unknown>>;

describe('a platform', () => {
  test('advertises documents together with clients that have no secret, which clients look for together', async () => {
    const metadata = await metadataOf('home');
    expect(metadata['client_id_metadata_document_supported']).toBe(true);
    expect(metadata['token_endpoint_auth_methods_supported']).toContain('none');
    const presetOnly = await world.configurePlatform('preset-only', { policy: ['preset'] });
    expect(await metadataOf(presetOnly)).not.toHaveProperty('client_id_metadata_document_supported');
  });

  test('that takes no documents fetches none', async () => {
    const url = world.site.describe('/not-taken', plain);
    const platform = await world.configurePlatform('closed', { policy: ['preset'] });
    const page = await world.open(url, {}, platform);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('takes no apps that describe themselves')]);
    expect(world.site.asked).not.toContain('/not-taken');
  });

  test.each([
    ['allow', { allow: ['elsewhere.example'] }, 400],
    ['allow', { allow: ['*.localhost'] }, 400],
    ['allow', { allow: ['localhost'] }, 200],
    ['deny', { deny: ['localhost'] }, 400],
    ['both', { allow: ['localhost'], deny: ['localhost'] }, 400],
  ])('takes documents of the sites that its lists say: %s %j', async (_, metadataDocuments, status) => {
    const path = `/lists-${crypto.randomUUID()}`;
    const url = world.site.describe(path, plain);
    const platform = await world.configurePlatform(`lists-${crypto.randomUUID().slice(0, 8)}`, { metadataDocuments });
    const page = await world.open(url, {}, platform);
    expect(page.status).toBe(status);
    if (status === 400) expect(page.text).toContain('This platform takes no apps that are described at localhost');
    expect(world.site.asked.includes(path)).toBe(status === 200);
  });

  test('gives a client whose site is denied later neither grants nor tokens, until it is taken again', async () => {
    const url = world.site.describe('/denied-later', plain);
    const platform = await world.configurePlatform('fickle');
    const at = await world.atConsent(url, {}, platform);
    const second = await world.atConsent(url, {}, platform);
    const { body } = await world.redeem(await world.decide(at), at);
    const refresh = () => world.refresh(body['refresh_token'] ?? '', url, platform);
    await world.configurePlatform('fickle', { metadataDocuments: { deny: ['localhost'] } });
    expect((await world.open(url, {}, platform)).text).toContain('takes no apps that are described at localhost');
    expect((await world.decide(second)).types).toEqual([]);
    expect((await refresh()).body['error']).toBe('unauthorized_client');
    await world.configurePlatform('fickle');
    expect((await refresh()).status).toBe(200);
  });
});

describe('the page of a client that cannot be used', () => {
  test.each([
    ['http://localhost/client', 'must be https'],
    ['https://localhost/a/../client', 'dot segments'],
    ['https://localhost', 'no path'],
    ['https://LOCALHOST/client', 'normal form'],
    ['https://me@localhost/client', 'user name'],
    ['https://localhost/client#a', 'fragment'],
  ])('says of %s what is wrong with it (MC-10)', async (clientId, why) => {
    const page = await world.open(clientId);
    expect([page.status, page.location]).toEqual([400, undefined]);
    expect(page.text).toContain(why);
  });

  test.each([
    'https://10.0.0.1/client',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::ffff:10.0.0.1]/client',
    'https://127.0.0.1/client',
    'https://nobody.invalid/client',
  ])('says of %s no more than that it could not be reached (MC-14)', async (written) => {
    const clientId = new URL(written).href;
    const page = await world.open(clientId);
    expect([page.status, page.location]).toEqual([400, undefined]);
    const { hostname } = new URL(clientId);
    expect(page.text).toContain(`describes itself at ${hostname}, and this description cannot be used: The server could not be reached`);
  });

  test('leaves to the log what the page does not say', async () => {
    await world.open('https://10.0.0.2/client');
    expect(world.lines.join()).toContain('the request was not sent: address_not_allowed');
  });

  test('repeats nothing of what was fetched', async () => {
    const { site } = world;
    site.answer('/leak', (_, reply) => reply.writeHead(200, { 'content-type': 'text/html' }).end('<b>internal secret</b>'));
    site.answer('/moved-away', (_, reply) => reply.writeHead(301, { location: 'https://internal.example/secret' }).end());
    for (const path of ['/leak', '/moved-away']) {
      const page = await world.open(`${site.origin}${path}`);
      expect(page.status).toBe(400);
      expect(page.text).not.toMatch(/secret|internal\./);
    }
  });

  test('never redirects, neither to the document’s own redirect URIs nor for a prompt of none', async () => {
    const url = world.site.describe('/redirects', { ...plain, grant_types: ['implicit'] });
    for (const change of [{}, { prompt: 'none' }, { response_type: 'token' }]) {
      const page = await world.open(url, change);
      expect([page.status, page.location]).toEqual([400, undefined]);
    }
  });

  test('does not send people on with an error before somebody has signed in', async () => {
    const url = world.site.describe('/errors', plain);
    const page = await world.open(url, { scope: 'no-such-scope' });
    expect([page.status, page.location]).toEqual([400, undefined]);
    const trusting = await world.configurePlatform('trusting', { metadataDocuments: { trusted: ['localhost'] } });
    const answered = await world.open(url, { scope: 'no-such-scope' }, trusting);
    expect(answered.location).toContain('error=invalid_scope');
  });

  test('refuses a redirect URI that is not in the document', async () => {
    const url = world.site.describe('/strict', plain);
    expect((await world.open(url, { redirect_uri: 'https://robot.example/cb/' })).status).toBe(400);
  });
});

test('the sign-in page names the client, after a wrong password as before', async () => {
  const url = world.site.describe('/named', plain);
  const browser = world.createBrowser(world.home);
  const form = await browser.open(`/oauth/authorize?${new URLSearchParams({ ...request, client_id: url })}`);
  expect(form.text).toContain('<strong>Robot</strong> wants to use your account');
  const again = await browser.post('/sign-in', { ...form.hidden, email: 'nobody@people.example', password: 'wrong' });
  expect([again.status, again.text]).toEqual([400, expect.stringContaining('<strong>Robot</strong> wants to use your account')]);
});

describe('the consent page', () => {
  test('names the site, and says that nobody has verified the name', async () => {
    const url = world.site.describe('/unverified', { ...plain, client_name: 'Your Bank' });
    const { page } = await world.atConsent(url);
    expect(page.text).toContain('<bdi>Your Bank</bdi></strong>, an app of <code>localhost</code>');
    expect(page.text).toContain('nobody has verified its name');
    expect(page.text).toContain('has verified this app. Allow it only if you began this yourself.');
    expect(page.text).toContain('<code>robot.example</code>');
  });

  test('says of a site that the operator trusts that they do', async () => {
    const url = world.site.describe('/verified', plain);
    const platform = await world.configurePlatform('vouching', { metadataDocuments: { trusted: ['localhost'] } });
    const { page } = await world.atConsent(url, {}, platform);
    expect(page.text).toContain('a site that the operator of this platform trusts');
    expect(page.text).not.toContain('nobody has verified');
  });

  test('warns of an app on this device, whoever vouches for it', async () => {
    const url = world.site.describe('/device', { ...plain, redirect_uris: ['http://127.0.0.1/callback'] });
    const redirect = { redirect_uri: 'http://127.0.0.1:49152/callback' };
    for (const platform of [world.home, await world.configurePlatform('vouching-too', { metadataDocuments: { trusted: ['localhost'] } })]) {
      const { page } = await world.atConsent(url, redirect, platform);
      expect(page.text).toContain('any program here could ask in its name');
    }
  });
});

test('a crowd of a thousand at the authorization endpoint makes one request of the site (MC-15)', async () => {
  const url = world.site.describe('/thousand', plain);
  const pages = await Promise.all(Array.from({ length: 1_000 }, () => world.open(url)));
  expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([200]));
  expect(world.site.asked.filter((path) => path === '/thousand')).toHaveLength(1);
});

test('one address can make us fetch no more than its budget, and what is known stays open to it', async () => {
  const known = world.site.describe('/known', plain);
  await world.open(known);
  const visitor = world.createBrowser(world.home);
  const ask = (clientId: string) => visitor.open(`/oauth/authorize?${new URLSearchParams({ ...request, client_id: clientId })}`);
  const before = world.site.asked.length;
  const pages = [];
  for (let n = 0; n < 35; n += 1) pages.push(await ask(`${world.site.origin}/made-up-${n}`));
  expect(world.site.asked.length - before).toBeLessThanOrEqual(31);
  expect(pages.at(-1)?.text).toContain('Too many apps that are new here were asked for from your address');
  expect((await ask(known)).text).not.toContain('Too many');
  expect((await world.open(world.site.describe('/new-for-others', plain))).status).toBe(200);
});
