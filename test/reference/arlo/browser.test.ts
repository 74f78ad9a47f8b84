import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemoPlatform } from '@grantlog/cli';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, pkce, post } from '../../support/agent.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { ensureProgram } from '../../support/programs.ts';

const executable = ensureProgram('chromium');
const shot = (name: string): string => join(tmpdir(), `grantlog-arlo-${name}.png`);

describe.skipIf(executable === null)('a person with a browser on Arlo', () => {
  let deployment: Deployment;
  let demo: DemoPlatform;
  let events: string;
  let browser: Browser;
  beforeAll(async () => {
    deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0, examples: true });
    const found = deployment.demo.platforms['arlo'];
    if (found === undefined) throw new Error('the demo has no arlo');
    demo = found;
    events = `${demo.resource}/events/`;
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
    await browser?.close();
    await deployment?.stop();
  });

  const authorizeUrl = (challenge: string): string =>
    `${demo.issuer}/oauth/connect/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: demo.client.client_id,
      redirect_uri: demo.client.redirect_uri,
      scope: 'openid profile offline_access read all_claims',
      state: 'mebnpJ49AnMwDv',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })}`;

  /** The consent page, after signing in at the documented path. */
  const atConsent = async (challenge: string) => {
    const page = await (await browser.newContext()).newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(authorizeUrl(challenge));
    await page.screenshot({ path: shot('sign-in') });
    await page.fill('#email', demo.account.email);
    await page.fill('#password', demo.account.password);
    await page.click('button[type=submit]');
    await page.waitForSelector('button[value=allow]');
    await page.screenshot({ path: shot('consent'), fullPage: true });
    const decide = async (decision: 'allow' | 'deny'): Promise<URL> => {
      const request = page.waitForRequest((each) => each.url().startsWith(demo.client.redirect_uri));
      // Nobody listens there: what counts is where the browser was sent.
      await page.click(`button[value=${decision}]`).catch(() => {});
      return new URL((await request).url());
    };
    return { page, decide, complaints };
  };

  test('signs in at the documented path, reads every scope, allows it, and the token opens the API', async () => {
    const { verifier, challenge } = pkce();
    const { page, decide, complaints } = await atConsent(challenge);
    const text = await page.innerText('main');
    for (const shown of [
      'Demo Agent',
      'arlo-agent',
      demo.account.email,
      'Stay connected while you are away',
      'Do everything that your role allows',
    ])
      expect(text).toContain(shown);
    const callback = await decide('allow');
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({ state: 'mebnpJ49AnMwDv', iss: demo.issuer });
    const tokens = await post(
      `${demo.issuer}/oauth/connect/token`,
      {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: demo.client.redirect_uri,
      },
      { authorization: basic(demo.client) },
    );
    expect(tokens.status).toBe(200);
    const answer = await fetch(events, { headers: { accept: 'application/json', authorization: `Bearer ${tokens.body['access_token']}` } });
    expect(answer.status).toBe(200);
    expect(complaints).toEqual([]);
  });

  test('may say no, and the state goes back with the error', async () => {
    const { decide } = await atConsent(pkce().challenge);
    expect(Object.fromEntries((await decide('deny')).searchParams)).toMatchObject({ error: 'access_denied', state: 'mebnpJ49AnMwDv' });
  });

  test('is prompted for credentials at the API, and sees its events as XML', async () => {
    const { email: username, password } = demo.account;
    // Given when the API asks for them, as a person gives them, and to this origin alone.
    const context = await browser.newContext({
      httpCredentials: { username, password, origin: deployment.publicUrl, send: 'unauthorized' },
    });
    const page = await context.newPage();
    const response = await page.goto(events);
    await page.screenshot({ path: shot('basic-events') });
    expect(response?.status()).toBe(200);
    expect(response?.headers()['content-type']).toMatch(/^application\/xml/);
    expect(await response?.text()).toMatch(/^<\?xml .{0,60}<EventList>/s);
    expect(response?.headers()['warning']).toContain('exploration');
  });

  test.each([
    ['nothing', null],
    ['a wrong password', 'not the password'],
  ])('who answers the prompt with %s sees nothing of the API', async (_, password) => {
    const context = await browser.newContext(
      password === null ? {} : { httpCredentials: { username: demo.account.email, password, origin: deployment.publicUrl } },
    );
    const page = await context.newPage();
    const first = page.waitForResponse(events);
    // Chromium ends the navigation where its prompt is dismissed, as it is without a window.
    await page.goto(events).catch(() => null);
    const response = await first;
    expect(response.status()).toBe(401);
    const challenges = await response.headerValues('www-authenticate');
    expect(challenges.map((challenge) => challenge.split(' ', 1)[0])).toEqual(['Bearer', 'Basic']);
    // Polled, since a page that the browser is still replacing by its own cannot be read.
    await expect.poll(() => page.content()).not.toContain('Event');
  });
});
