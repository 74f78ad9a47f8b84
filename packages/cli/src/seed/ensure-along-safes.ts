import type { AccountId, PlatformDocument } from '@grantlog/domain';
import type { By, Provisioning } from '@grantlog/provisioning';
import type { DemoPlatform } from './contract.ts';
import { ensureResourceServer } from './ensure-resource-server.ts';

/** What Along's MCP server needs: the client as which it asks about tokens. Answers with the credentials, those of an earlier start kept. */
export const ensureAlongSafes = async (
  context: Provisioning,
  by: By,
  { document, demo }: { readonly document: PlatformDocument; readonly demo: DemoPlatform; readonly account: AccountId },
): Promise<DemoPlatform> => ({
  ...demo,
  ...(await ensureResourceServer(context, by, document, { name: 'Along MCP server', kept: demo.resourceServer })),
});
