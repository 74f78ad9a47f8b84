import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createAgent, pkce } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { ensureProgram } from '../support/programs.ts';

const executable = ensureProgram('chromium');

describe.skipIf(executable === null)('a person with a browser', () => {
  let deployment: Deployment;
  let browser: Browser;
  beforeAll(async () => {
    deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
    browser = await chromium.launch({
      executablePath: executable ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(async () => {
    await browser.close();
    await deployment.stop();
  });

  const visit = async (javaScriptEnabled: boolean) => {
    const demo = deployment.demo.platforms['arlo-health'] as NonNullable<Deployment['demo']['platforms'][string]>;
    const agent = createAgent({ name: 'arlo-health', demo });
    const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    const { verifier, challenge } = pkce();
    await page.goto(agent.authorizationUrl({ url: deployment.publicUrl }, challenge));
    return { page, agent, demo, verifier, complaints };
  };

  const callbackOf = async (page: Awaited<ReturnType<typeof visit>>['page'], redirectUri: string, button: string): Promise<URL> => {
    const request = page.waitForRequest((each) => each.url().startsWith(redirectUri));
    // Nobody listens there: what counts is where the browser was sent.
    await page.click(button).catch(() => {});
    return new URL((await request).url());
  };

  test.each([true, false])('signs in, reads who asks for what, and allows it (JavaScript %s)', async (javaScriptEnabled) => {
    const { page, agent, demo, verifier, complaints } = await visit(javaScriptEnabled);
    await page.fill('#email', demo.account.email);
    await page.fill('#password', demo.account.password);
    await page.click('button[type=submit]');
    const text = await page.innerText('main');
    for (const shown of ['Demo Agent', 'arlo-health-agent', '127.0.0.1', demo.account.email, 'Stay connected while you are away'])
      expect(text).toContain(shown);
    const callback = await callbackOf(page, demo.client.redirect_uri, 'button[value=allow]');
    expect(callback.searchParams.get('iss')).toBe(demo.issuer);
    const api = { url: deployment.publicUrl };
    expect(await agent.redeem(api, { code: callback.searchParams.get('code') ?? '', verifier })).toMatchObject({ status: 200 });
    expect(complaints).toEqual([]);
  });

  test('is told of a wrong password, and may deny', async () => {
    const { page, demo } = await visit(true);
    await page.fill('#email', demo.account.email);
    await page.fill('#password', 'not the password');
    await page.click('button[type=submit]');
    expect(await page.innerText('[role=alert]')).toContain('wrong');
    await page.fill('#email', demo.account.email);
    await page.fill('#password', demo.account.password);
    await page.click('button[type=submit]');
    const callback = await callbackOf(page, demo.client.redirect_uri, 'button[value=deny]');
    expect(callback.searchParams.get('error')).toBe('access_denied');
  });

  test('sees what runs here on the front page', async () => {
    const page = await browser.newPage();
    await page.goto(deployment.publicUrl);
    const text = await page.innerText('main');
    for (const name of ['Arlo Health', 'Along', 'http://localhost', 'PUBLIC_URL']) expect(text).toContain(name);
  });
});
