import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createSafes, family, type Safes, work } from '../support/contexts.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { ensureProgram } from '../support/programs.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

const executable = ensureProgram('chromium');

describe.skipIf(executable === null)('a person with a browser', () => {
  let deployment: Deployment;
  let bench: Workbench;
  let browser: Browser;
  beforeAll(async () => {
    deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
    bench = openWorkbench(deployment);
    browser = await chromium.launch({
      executablePath: executable ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
  });
  afterAll(async () => {
    await browser.close();
    await bench.close();
    await deployment.stop();
  });

  const atConsent = async (world: Safes, account: TestAccount): Promise<Page> => {
    const page = await (await browser.newContext()).newPage();
    // The pages live where PUBLIC_URL says, and forms are checked to come from there.
    const url = new URL(world.flowOf(account).authorizeUrl({ resource: world.resource }));
    await page.goto(`${deployment.publicUrl}${url.pathname}${url.search}`);
    await page.fill('#email', account.email);
    await page.fill('#password', account.password);
    await page.click('button[type=submit]');
    return page;
  };
  const callbackOf = async (page: Page, button: string): Promise<URL> => {
    const request = page.waitForRequest((each) => each.url().startsWith('https://client.example'));
    // Nobody listens there: what counts is where the browser was sent.
    await page.click(button).catch(() => {});
    return new URL((await request).url());
  };

  test('chooses a Safe by its name', async () => {
    const world = await createSafes({ deployment, bench, platform: 'safes', required: false });
    const account = await world.person(family, work);
    const page = await atConsent(world, account);
    expect(await page.getByRole('radio', { name: 'None for now' }).isChecked()).toBe(true);
    await page.getByRole('radio', { name: family.name }).check();
    const code = (await callbackOf(page, 'button[value=allow]')).searchParams.get('code');
    expect(code).not.toBeNull();
  });

  test('cannot allow without a Safe where one is required, and can always deny', async () => {
    const world = await createSafes({ deployment, bench, platform: 'strict', required: true });
    const page = await atConsent(world, await world.person(family, work));
    await page.click('button[value=allow]');
    expect(await page.getByRole('group').evaluate((group) => group.matches(':invalid'))).toBe(true);
    expect((await callbackOf(page, 'button[value=deny]')).searchParams.get('error')).toBe('access_denied');
    const only = await atConsent(world, await world.person(work));
    expect(await only.getByRole('radio', { name: 'Work' }).isChecked()).toBe(true);
    expect((await callbackOf(only, 'button[value=allow]')).searchParams.get('code')).not.toBeNull();
  });
});
