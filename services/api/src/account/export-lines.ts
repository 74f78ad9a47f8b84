import { SealBroken } from '@grantlog/crypto';
import type { AccountId, SessionId } from '@grantlog/domain';
import { listArchives } from '@grantlog/postgres';
import { type PlatformNames, readContexts, readPersonal } from '@grantlog/provisioning';
import {
  type AuditEvent,
  type ListedClient,
  type ListedGrant,
  listClients,
  listGrants,
  readAuditEvents,
  readPersonalParts,
  streamAuditEvents,
} from '@grantlog/read-models';
import { eventViewOf } from '../audit/event-view.ts';
import type { Deps } from '../deps.ts';
import { accountViewOf } from '../management/account-view.ts';
import { foldAccount, foldSession } from '../platforms/load-parties.ts';

/** One line of an export: its part says what the other members are. */
export type ExportLine = { readonly part: 'account' | 'grant' | 'session' | 'client' | 'event' | 'end' } & Readonly<
  Record<string, unknown>
>;

type Of = { readonly names: PlatformNames; readonly account: AccountId };

/** What is computed from a secret, or names where one is kept. It says nothing of a person and may help to guess. */
const unshown: ReadonlySet<string> = new Set([
  ...['tokenNonce', 'tokenKeyId', 'credentialId', 'secretCredential', 'secretCredentials', 'codeChallenge'],
  // The keyed hash of an address that somebody else may have asked for.
  'ip',
]);
const shown = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => (unshown.has(name) ? [] : [[name, shown(member)]])));
};

/** The account as it stands and the key of its own data, asked anew each time: an erasure counts from its event on. */
const standing = async (deps: Deps, { names, account }: Of) => {
  const { platform } = names;
  const loaded = await deps.log.load(platform, [{ streamId: account, withSecrets: true }]);
  const state = foldAccount(loaded, account);
  const stream = loaded.stream(account);
  return { state, stream, wrappedKey: state === null || state.status === 'erased' ? null : stream.dataKey };
};

const accountLine = async (deps: Deps, of: Of): Promise<ExportLine> => {
  const { platform } = of.names;
  const { state, stream, wrappedKey } = await standing(deps, of);
  if (state === null || state.status === 'none') throw new Error(`${of.account} asks for its data and is not there`);
  const view = accountViewOf(deps.sealer, { platform, accountId: of.account, state, wrappedKey });
  const contexts = readContexts(deps.sealer, { platform, account: state, stream: { ...stream, dataKey: wrappedKey } });
  const identityProviders = 'externalSubjects' in state ? state.externalSubjects.map(({ issuer }) => issuer) : [];
  return { part: 'account', platform, ...view, contexts, identityProviders };
};

const grantLine = ({ client: _, account: __, position: ___, firstPosition, ...grant }: ListedGrant): ExportLine => ({
  part: 'grant',
  ...grant,
  position: firstPosition,
});
const clientLine = ({ client: _, owner: __, firstPosition: ___, ...client }: ListedClient): ExportLine => ({ part: 'client', ...client });

/** What the account has granted, newest first, each with the session of the agent that it began as. */
async function* grantLines(deps: Deps, { names, account }: Of): AsyncGenerator<readonly ExportLine[]> {
  const { platform } = names;
  for (let before: number | undefined; ; ) {
    const page = await listGrants(deps.provisioning.pool, { platform, account, limit: 200, ...(before === undefined ? {} : { before }) });
    const ids = page.grants.flatMap(({ session }) => (session === null ? [] : [session as SessionId]));
    const loaded =
      ids.length === 0
        ? null
        : await deps.log.load(
            platform,
            ids.map((streamId) => ({ streamId })),
          );
    const sessions = ids.flatMap((id): readonly ExportLine[] => {
      const state = loaded === null ? null : foldSession(loaded, id);
      if (state === null || state.status === 'none') return [];
      const { terms, status, startedAt } = state;
      const { clientId, via, scopes } = terms;
      return [{ part: 'session', sessionId: id, status, clientId, via, scopes, startedAt: new Date(startedAt).toISOString() }];
    });
    yield [...page.grants.map(grantLine), ...sessions];
    if (page.next === null) return;
    before = page.next;
  }
}

async function* clientLines(deps: Deps, { names, account }: Of): AsyncGenerator<readonly ExportLine[]> {
  const { platform } = names;
  for (let before: number | undefined; ; ) {
    const page = await listClients(deps.provisioning.pool, {
      ...{ platform, owner: account, limit: 200 },
      ...(before === undefined ? {} : { before }),
    });
    yield page.clients.map(clientLine);
    if (page.next === null) return;
    before = page.next;
  }
}

/** Events with what of them is sealed under the account's own key opened; what is sealed for anybody else stays shut. */
const eventLines = async (deps: Deps, of: Of, events: readonly AuditEvent[]): Promise<readonly ExportLine[]> => {
  const { platform } = of.names;
  const sealed = await readPersonalParts(deps.provisioning.pool, { platform, places: events.filter(({ hasPersonal }) => hasPersonal) });
  const parts = new Map(sealed.map((part) => [`${part.streamId} ${part.version}`, part]));
  // Read after the parts: whoever was erased meanwhile has no key any more.
  const { wrappedKey } = await standing(deps, of);
  const opened = ({ streamId, version }: AuditEvent): unknown => {
    const part = parts.get(`${streamId} ${version}`);
    if (part === undefined) return null;
    try {
      const personal = { sealed: part.sealed.toBase64(), streamId, version };
      return readPersonal(deps.sealer, { platform, subject: of.account, wrappedKey, personal });
    } catch (error) {
      if (error instanceof SealBroken) return 'sealed';
      throw error;
    }
  };
  return events.map((event) => {
    const { data, hasPersonal: _, ...view } = eventViewOf(event);
    return { part: 'event', ...view, data: shown(data), personal: opened(event) };
  });
};

/**
 * Everything that is kept about an account, as its owner may have it: page by page, so that it takes no memory for its length. What is
 * recorded meanwhile is left out. The last line says how far the events go; without it the export was cut off.
 */
export async function* exportLines(deps: Deps, of: Of): AsyncGenerator<readonly ExportLine[]> {
  const { pool } = deps.provisioning;
  const { platform } = of.names;
  yield [await accountLine(deps, of)];
  yield* grantLines(deps, of);
  yield* clientLines(deps, of);
  let counted = 0;
  let last = 0;
  for await (const { entries, through } of streamAuditEvents(pool, { platform, filter: { account: of.account }, order: 'oldest' })) {
    yield await eventLines(deps, of, await readAuditEvents(pool, { platform, entries }));
    counted += entries.length;
    last = through;
  }
  // What of it is over may have left the log with these.
  const months = new Set((await listArchives(pool, { platform })).map(({ month }) => month));
  yield [{ part: 'end', events: counted, through: last, archivedMonths: [...months] }];
}
