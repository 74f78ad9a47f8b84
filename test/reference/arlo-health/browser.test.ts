import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ensureProgram } from '../../support/programs.ts';
import { type ArloHealth, startArloHealth, type Tokens } from './support/arlo-health.ts';
import { startAgentReceiver } from './support/receiver.ts';

const executable = ensureProgram('chromium');
const shot = (name: string): string => join(tmpdir(), `grantlog-arlo-health-${name}.png`);

describe.skipIf(executable === null)('a person with a browser whom an agent brings in', () => {
  let health: ArloHealth;
  let browser: Browser;
  beforeAll(async () => {
    health = await startArloHealth(inject('databaseUrl'));
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
    await health?.stop();
  });

  const openBrowser = async (): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> => {
    const page = await (await browser.newContext()).newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    return { page, complaints };
  };

  /** The code that was mailed to an address last, as its owner reads it. */
  const mailedCode = async (email: string): Promise<string> => {
    const page = await fetch(`${health.deployment.publicUrl}/mailbox`, { headers: { accept: 'text/html' } });
    const mail = (await page.text()).split('<article>').find((each) => each.includes(email)) ?? '';
    return /The code is: ([^\s<]+)/.exec(mail)?.[1] ?? '';
  };

  test('creates an account on the way, grants the agent access, and is back; the agent goes on by itself', async () => {
    const receiver = await startAgentReceiver('secret-token-123');
    const door = health.door('client v2 negotiating');
    const begun = await health.begin(door, { webhookUrl: receiver.url, webhookToken: receiver.token });
    receiver.learn(begun.webhook?.publicKey);

    const { page, complaints } = await openBrowser();
    await page.goto(begun.authUrl);
    await page.screenshot({ path: shot('sign-in'), fullPage: true });
    await page.click('form[action$="/sign-up"] button');
    const email = `${crypto.randomUUID()}@people.example`;
    await page.fill('#email', email);
    await page.fill('#name', 'Grace Hopper');
    await page.fill('#password', 'correct horse battery staple');
    await page.screenshot({ path: shot('sign-up'), fullPage: true });
    await page.click('button[type=submit]');
    await page.waitForSelector('#code');
    await page.fill('#code', await mailedCode(email));
    await page.click('button[type=submit]');
    await page.waitForSelector('button[name=number]');
    const asked = await page.innerText('main');
    for (const shown of [
      'Nobody has verified it',
      email,
      new URL(receiver.url).host,
      'test-agent 3.2.1',
      'Stay connected while you are away',
    ])
      expect(asked).toContain(shown);
    await page.screenshot({ path: shot('numbers'), fullPage: true });
    await page.click(`button[value="${begun.number}"]`);
    const last = await page.innerText('main');
    await page.screenshot({ path: shot('connected'), fullPage: true });
    expect(last).toMatch(/You are back at Arlo Health, .*you may close this page/);

    await receiver.waitFor('session.linked');
    expect((await door.call('check_account_status', { sessionId: begun.sessionId })).body).toMatchObject({ status: 'complete' });
    const tokens = (await health.redeem(begun)).body as unknown as Tokens;
    expect((await door.call('check_account_status', {}, tokens.access_token)).body).toMatchObject({ userName: 'Grace Hopper' });

    await page.goto(`${health.issuer}/connections`);
    expect(await page.innerText('main')).toContain('nobody has verified it');
    await page.click('text=End this connection');
    expect((await receiver.waitFor('session.revoked')).data).toMatchObject({ reason: 'by_account' });
    expect((await door.call('check_account_status', { sessionId: begun.sessionId })).body).toMatchObject({ status: 'revoked' });
    expect([receiver.refused, complaints]).toEqual([[], []]);
    await receiver.close();
  });

  test('may say no, and the agent is told', async () => {
    const door = health.door('SDK 1.32');
    const begun = await health.begin(door);
    const { account } = await health.person('Ada');
    const { page } = await openBrowser();
    await page.goto(begun.authUrl);
    await page.fill('#email', account.email);
    await page.fill('#password', account.password);
    await page.click('button.primary');
    await page.click('button[value=deny]');
    expect(await page.innerText('main')).toContain('Not connected');
    expect((await door.call('check_account_status', { sessionId: begun.sessionId })).body).toMatchObject({ status: 'denied' });
    await page.goto(begun.authUrl);
    expect(await page.innerText('main')).toContain('This link was refused');
  });
});
