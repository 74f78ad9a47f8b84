import { createFormBrowser } from '@grantlog/cli';
import type { PlatformId } from '@grantlog/eventsourcing';
import { setContexts } from '@grantlog/provisioning';
import { by, type TestAccount } from '../../../support/workbench.ts';
import type { Along } from './along.ts';

/** Two of the Safes that the MCP server of the example resources knows. */
export const safes = [
  { id: 'safe_home', name: 'Home' },
  { id: 'safe_work', name: 'Work' },
] as const;

/** Somebody who has two Safes. */
export const ownerOfSafes = async ({ account, bench }: Pick<Along, 'account' | 'bench'>): Promise<TestAccount> => {
  const person = await account();
  const set = await setContexts(bench.context, by, { platform: 'along' as PlatformId, account: person.id, contexts: safes });
  if ('refusal' in set) throw new Error(set.refusal);
  return person;
};

/** Signs in and allows what a client has sent its person for, with the Safe that they choose; returns where the browser is led. */
export const allowWithSafe = async (url: URL, person: TestAccount, safe: string): Promise<URL> => {
  const browser = createFormBrowser();
  const signIn = await browser.open(url.href);
  const consent = await browser.submit(signIn, { email: person.email, password: person.password });
  if (!consent.html.includes('value="safe_home"')) throw new Error(`no Safe is offered (${consent.status}): ${consent.html}`);
  const decided = await browser.submit(consent, { decision: 'allow', context: safe });
  if (decided.location === null) throw new Error(`the decision was answered with ${decided.status}: ${decided.html}`);
  return new URL(decided.location);
};
