import type { ClientRecord, ClientState, ClientStreamId, PlatformDocument } from '@grantlog/domain';
import { isOwnedBy } from '@grantlog/provisioning';
import type { AccountPassage } from '../access/account-gate.ts';
import type { Deps } from '../deps.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { clientWords } from '../management/client-view.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';

export type OwnClient = {
  readonly stream: ClientStreamId;
  readonly state: Extract<ClientState, ClientRecord>;
  readonly document: PlatformDocument;
  readonly now: number;
};

/**
 * A developer's own client as the log has it.
 *
 * @throws ProblemError 404 for one that is not there, was deleted or is somebody else's: which of them, nobody is told.
 */
export const openOwnClient = async (deps: Pick<Deps, 'log'>, developer: AccountPassage, clientId: string): Promise<OwnClient> => {
  const { names, account } = developer;
  const stream = names.client(clientId);
  const loaded = await deps.log.load(names.platform, [...platformStreams, { streamId: stream }]);
  const platform = foldPlatform(loaded);
  const state = foldClient(loaded, stream);
  if (platform.status === 'none' || !isOwnedBy(state, account)) throw refusalProblem(clientWords, 'unknown_client');
  return { stream, state, document: platform.document, now: loaded.now };
};
