import type { AccountId, PlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type By, type Provisioning, setContexts } from '@grantlog/provisioning';
import type { DemoPlatform } from './contract.ts';
import { SeedRefused } from './ensure-account.ts';
import { ensureResourceServer } from './ensure-resource-server.ts';

/** The Safes of the demo account; the example resources know what is in them. */
const safes = [
  { id: 'safe_home', name: 'Home' },
  { id: 'safe_work', name: 'Work' },
];

/**
 * What Along's MCP server needs: the client as which it asks about tokens, and an account that has Safes. Answers with the
 * credentials, those of an earlier start kept.
 */
export const ensureAlongSafes = async (
  context: Provisioning,
  by: By,
  { document, demo, account }: { readonly document: PlatformDocument; readonly demo: DemoPlatform; readonly account: AccountId },
): Promise<DemoPlatform> => {
  const set = await setContexts(context, by, { platform: document.name as PlatformId, account, contexts: safes });
  if ('refusal' in set) throw new SeedRefused(`the Safes of the demo account were refused: ${set.refusal}`);
  const server = await ensureResourceServer(context, by, document, { name: 'Along MCP server', kept: demo.resourceServer });
  return { ...demo, ...server };
};
