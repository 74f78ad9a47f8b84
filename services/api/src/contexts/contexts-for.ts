import { type AccountContext, type PlatformNames, readContexts } from '@grantlog/provisioning';
import type { LiveToken } from '../access/resolve-access.ts';
import type { Deps } from '../deps.ts';
import { foldAccount } from '../platforms/load-parties.ts';
import { isPinned } from './standing-context.ts';

/**
 * What the resource server of a token may offer its bearer to choose from, names included: of a pinned grant the one that
 * it has. It is read by itself, so that platforms without contexts load no keys for a question about a token.
 */
export const contextsFor = async (
  deps: Pick<Deps, 'log' | 'sealer'>,
  { platform }: Pick<PlatformNames, 'platform'>,
  { document, grant, account }: Pick<LiveToken, 'document' | 'grant' | 'account'>,
): Promise<{ readonly contexts?: readonly AccountContext[] }> => {
  const id = grant.terms.account;
  if (document.contexts === null || id === null) return {};
  if (account?.status !== 'active' || account.contexts.ids.length === 0) return { contexts: [] };
  const loaded = await deps.log.load(platform, [{ streamId: id, withSecrets: true }]);
  const contexts = readContexts(deps.sealer, { platform, account: foldAccount(loaded, id), stream: loaded.stream(id) });
  return { contexts: isPinned(grant) ? contexts.filter((context) => context.id === grant.context) : contexts };
};
