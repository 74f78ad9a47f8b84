import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { ensureProgram } from '../support/programs.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

const executable = ensureProgram('chromium');
const platform = 'memory' as PlatformId;

/** What a real browser does with a consent that is remembered, and what pages of others can make it do. */
describe.skipIf(executable === null)('a person with a browser, who has allowed an app before', () => {
  let deployment: Deployment;
  let bench: Workbench;
  let browser: Browser;
  let client: TestClient;
  /** A page of somebody else on the same site (`localhost`), whose requests therefore carry cookies. */
  let hostile: Server;
  let hostileBody = '';

  beforeAll(async () => {
    deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
    bench = openWorkbench(deployment);
    await bench.configure(platform, { consent: { remember: true } });
    client = await bench.client(platform);
    hostile = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(`<!doctype html>${hostileBody}`));
    await new Promise<void>((resolve) => hostile.listen(0, 'localhost', resolve));
    browser = await chromium.launch({ executablePath: executable ?? '', args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] });
  });
  afterAll(async () => {
    await browser.close();
    hostile.close();
    await bench.close();
    await deployment.stop();
  });

  const urlOf = (account: TestAccount, change: Readonly<Record<string, string>> = {}): string => {
    const path = new URL(createConsentFlow({ deployment, platform, client, account }).authorizeUrl(change));
    return `${deployment.publicUrl}${path.pathname}${path.search}`;
  };
  /** Where at the client the browser is led. Nobody answers there: what counts is where it was sent. */
  const ledBy = async (page: Page, work: () => Promise<unknown>): Promise<URL> => {
    const request = page.waitForRequest((each) => each.url().startsWith(client.redirect_uri), { timeout: 10_000 });
    await Promise.all([request, work().catch(() => {})]);
    return new URL((await request).url());
  };
  /** A new browser at the sign-in page of a request, with everything filled in but not sent. */
  const atSignIn = async (account: TestAccount): Promise<Page> => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(urlOf(account));
    await page.fill('#email', account.email);
    await page.fill('#password', account.password);
    return page;
  };
  /** A browser whose person has signed in and allowed the request. */
  const allowed = async (account: TestAccount): Promise<Page> => {
    const page = await atSignIn(account);
    await page.click('button[type=submit]');
    expect((await ledBy(page, () => page.click('button[value=allow]'))).searchParams.has('code')).toBe(true);
    return page;
  };
  const during = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const { pool } = bench.context;
    const before = await readHead(pool, platform);
    await work();
    return (await readEventsAfter(pool, { platform, after: before, limit: 100 })).map(({ type }) => type);
  };

  test('goes straight on after signing in: no policy of the page holds up the redirect', async () => {
    const account = await bench.account(platform);
    const page = await allowed(account);
    const other = await atSignIn(account);
    expect((await ledBy(other, () => other.click('button[type=submit]'))).searchParams.has('code')).toBe(true);
    // Signed in, and allowed before: there is nothing to see at all.
    const led = await ledBy(page, () => page.goto(urlOf(account, { prompt: 'none', state: 'state-2' })));
    expect([led.searchParams.get('state'), led.searchParams.has('code')]).toEqual(['state-2', true]);
  });

  test('gives nothing to a page that embeds, fetches or prefetches the request', async () => {
    const account = await bench.account(platform);
    const page = await (await allowed(account)).context().newPage();
    const [shown, silent] = [urlOf(account), urlOf(account, { prompt: 'none' })].map((url) => url.replaceAll('&', '&amp;'));
    hostileBody = `<title>prizes</title><img src="${silent}"><img src="${shown}"><script src="${silent}"></script><iframe src="${shown}"></iframe>
<object data="${silent}"></object><link rel="prefetch" href="${shown}">
<script>fetch(${JSON.stringify(urlOf(account))}, { mode: 'no-cors', credentials: 'include' }).finally(() => { document.title = 'done'; });</script>`;
    const visited: string[] = [];
    page.on('request', (request) => visited.push(new URL(request.url()).pathname));
    const types = await during(async () => {
      await page.goto(`http://localhost:${(hostile.address() as AddressInfo).port}/`, { waitUntil: 'networkidle' });
      await page.waitForFunction(`document.title === 'done'`);
    });
    expect(visited.filter((path) => path === `/${platform}/oauth/authorize`).length).toBeGreaterThanOrEqual(6);
    expect(types).toEqual([]);
  });

  test('has what it has renewed by a hidden frame of the app, which asks for nothing to be shown', async () => {
    const account = await bench.account(platform);
    const page = await (await allowed(account)).context().newPage();
    hostileBody = `<title>the app</title><iframe src="${urlOf(account, { prompt: 'none' }).replaceAll('&', '&amp;')}"></iframe>`;
    const types = await during(() =>
      page.goto(`http://localhost:${(hostile.address() as AddressInfo).port}/`, { waitUntil: 'networkidle' }),
    );
    expect(types).toEqual(['grant.authorized']);
  });
});
