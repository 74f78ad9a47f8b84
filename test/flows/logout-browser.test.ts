import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { ensureProgram } from '../support/programs.ts';
import { openWorkbench, type TestAccount } from '../support/workbench.ts';

const executable = ensureProgram('chromium');
const platform = 'leaving';

/** The app is at 127.0.0.1 and the platform at localhost: two sites, as far as a browser's cookies go. */
describe.skipIf(executable === null)('a person who signs out of an app, with a browser', () => {
  let deployment: Deployment;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let flow: ConsentFlow;
  let account: TestAccount;
  let form: Readonly<Record<string, string>> = {};
  const app = createServer((request, reply) => {
    const inputs = Object.entries(form).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
    const leave = `<form method="post" action="${deployment.publicUrl}/${platform}/oauth/end_session">${inputs.join('')}<button>Leave</button></form>`;
    reply.writeHead(200, { 'content-type': 'text/html' }).end(request.url === '/leave' ? leave : 'the app');
  });
  const at = (path: string): string => `http://127.0.0.1:${(app.address() as AddressInfo).port}${path}`;

  beforeAll(async () => {
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
    const bench = openWorkbench(deployment);
    await bench.configure(platform);
    account = await bench.account(platform);
    const extras = { postLogoutRedirectUris: [at('/bye')] };
    const client = await bench.client(platform, { name: 'The leaving app', redirectUris: [at('/callback')], extras });
    await bench.close();
    flow = createConsentFlow({ deployment, platform, client, account });
    browser = await chromium.launch({
      executablePath: executable ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    });
  });
  afterAll(async () => {
    await browser.close();
    await deployment.stop();
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
  });

  /** Somebody is signed in to the app by the platform. */
  let idToken = '';
  beforeEach(async () => {
    context = await browser.newContext({ javaScriptEnabled: false });
    page = await context.newPage();
    await page.goto(flow.authorizeUrl().replace(flow.at(''), `${deployment.publicUrl}/${platform}`));
    await page.fill('#email', account.email);
    await page.fill('#password', account.password);
    await page.click('button.primary');
    await page.click('button[value=allow]');
    await page.waitForURL(/\/callback\?/);
    const { body } = await flow.redeem(new URL(page.url()).searchParams.get('code') ?? '');
    idToken = String(body['id_token']);
    return () => context.close();
  });
  const isSignedIn = async (): Promise<boolean> => {
    const other = await context.newPage();
    await other.goto(`${deployment.publicUrl}/${platform}/security`);
    return (await other.locator('form[action$="/sign-out"]').count()) > 0;
  };

  test("is back at the app after the app's own form, which comes to the platform without cookies", async () => {
    expect(await isSignedIn()).toBe(true);
    form = { id_token_hint: idToken, post_logout_redirect_uri: at('/bye'), state: 'until tomorrow' };
    await page.goto(at('/leave'));
    await page.click('button');
    await page.waitForURL(/\/bye/);
    expect(page.url()).toBe(`${at('/bye')}?state=until+tomorrow`);
    expect(await isSignedIn()).toBe(false);
  });

  test('is asked where the app shows no ID token, and is back at the app after a click', async () => {
    form = { client_id: 'not-known', post_logout_redirect_uri: at('/bye') };
    await page.goto(at('/leave'));
    await page.click('button');
    expect(await page.innerText('main')).toContain('not known here');

    const client_id = new URL(flow.authorizeUrl()).searchParams.get('client_id') ?? '';
    form = { client_id, post_logout_redirect_uri: at('/bye'), state: 's' };
    await page.goto(at('/leave'));
    await page.click('button');
    expect(await page.innerText('main')).toContain('The leaving app has sent you here to be signed out');
    expect(await isSignedIn()).toBe(true);
    // The page's policy has to let the form lead on to the app.
    await page.click('button.primary');
    await page.waitForURL(/\/bye/);
    expect(page.url()).toBe(`${at('/bye')}?state=s`);
    expect(await isSignedIn()).toBe(false);
  });
});
