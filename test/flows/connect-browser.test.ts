import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createSignUps, type SignUps } from '../support/agent-session.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { ensureProgram } from '../support/programs.ts';
import { openWorkbench, type Workbench } from '../support/workbench.ts';

const executable = ensureProgram('chromium');
const desktop = { width: 1280, height: 900 };
const narrow = { width: 320, height: 640 };

describe.skipIf(executable === null)('a person whom an agent has sent a link', () => {
  let deployment: Deployment;
  let bench: Workbench;
  let browser: Browser;
  let agents: SignUps;
  beforeAll(async () => {
    deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1 });
    bench = openWorkbench(deployment);
    agents = createSignUps({ platform: 'arlo-health', publicUrl: `${deployment.publicUrl}/arlo-health` });
    browser = await chromium.launch({
      executablePath: executable ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(async () => {
    await browser.close();
    await bench.close();
    await deployment.stop();
  });

  const api = (): { readonly url: string } => ({ url: deployment.publicUrl });
  const visit = async (of: { readonly viewport: typeof desktop; readonly javaScriptEnabled: boolean }) => {
    const page = await (await browser.newContext({ ...of, colorScheme: 'light' })).newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    return { page, complaints };
  };
  const signIn = async (page: Page): Promise<string> => {
    const { email, password } = await bench.account('arlo-health');
    await page.fill('#email', email);
    await page.fill('#password', password);
    await page.click('button.primary');
    return email;
  };
  /** Whether nothing of the page is wider than the window. */
  const fits = async (page: Page): Promise<boolean> => {
    const { width } = (await page.locator('main').boundingBox()) ?? { width: Number.POSITIVE_INFINITY };
    const beyond = await page
      .locator('main *')
      .evaluateAll(
        (elements, edge) => elements.filter((each) => each.getBoundingClientRect().right > edge).length,
        page.viewportSize()?.width ?? 0,
      );
    return beyond === 0 && width <= (page.viewportSize()?.width ?? 0);
  };

  test.each([
    [desktop, true],
    [desktop, false],
    [narrow, false],
  ])('signs in, compares the number, and sees and ends the connection (%o, JavaScript %s)', async (viewport, javaScriptEnabled) => {
    const { page, complaints } = await visit({ viewport, javaScriptEnabled });
    const signUp = await agents.begin(api(), { webhookUrl: 'http://127.0.0.1:9/hooks/of/an/agent' });
    await page.goto(signUp.authUrl);
    const email = await signIn(page);
    const text = await page.innerText('main');
    for (const shown of [email, 'Nobody has verified it', '127.0.0.1', 'test-agent/1.0', '127.0.0.1:9', 'See your name'])
      expect(text).toContain(shown);
    expect(await fits(page)).toBe(true);
    await page.click(`button[value="${signUp.number}"]`);
    expect(await page.innerText('h1')).toBe('Connected');
    await page.click('text=your connections');
    expect(await page.innerText('main')).toContain('Unidentified agent');
    expect(await fits(page)).toBe(true);
    await page.click('text=End this connection');
    expect(await page.innerText('[role=status]')).toContain('has ended');
    await page.goto(signUp.authUrl);
    expect(await page.innerText('h1')).toBe('This link cannot be used any more');
    // Chromium itself notes that an answer was no 2xx.
    expect(complaints.filter((each) => !each.includes('410'))).toEqual([]);
  });

  test('is told when the number was another one', async () => {
    const { page } = await visit({ viewport: narrow, javaScriptEnabled: false });
    const signUp = await agents.begin(api());
    await page.goto(signUp.authUrl);
    await signIn(page);
    await page.click(`button[name=number]:not([value="${signUp.number}"])`);
    expect(await page.innerText('h1')).toBe('That was another number');
  });

  test('types the code that a device shows', async () => {
    const { page } = await visit({ viewport: narrow, javaScriptEnabled: false });
    const begun = await fetch(agents.at(api(), '/oauth/device_authorization'), {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'unidentified-agent' }),
    });
    const {
      user_code: userCode,
      verification_uri: uri,
      verification_uri_complete: complete,
    } = (await begun.json()) as Readonly<Record<string, string>>;
    expect(complete).toBeUndefined();
    await page.goto(uri ?? '');
    await page.fill('#user-code', 'wrong');
    await page.click('button.primary');
    expect(await page.innerText('[role=alert]')).toContain('eight letters');
    await page.fill('#user-code', (userCode ?? '').toLowerCase());
    await page.click('button.primary');
    await signIn(page);
    await page.click('button[value=allow]');
    expect(await page.innerText('h1')).toBe('Connected');
  });
});
