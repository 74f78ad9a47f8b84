import { clientDecider, foldVersion, type GrantEvent, type SignInEvent } from '@grantlog/domain';
import { fold, type LoadedStream, type PlatformId, type RecordedEvent, type StreamId } from '@grantlog/eventsourcing';
import {
  clientsOfSignIns,
  endSignIns,
  loadBatch,
  noteSignInClients,
  type RawStream,
  readFirstEvents,
  type SignInClient,
  type Subscription,
  type Transaction,
} from '@grantlog/postgres';
import { endedSignIns } from './ended-sign-ins.ts';

const day = 86_400_000;

/** Longer than any sign-in lasts (30 days), and as long again: an app's own session may outlive the sign-in that began it. */
export const rememberedDays = 60;
/** Older ends are history: a checkpoint that was lost must not tell everybody everything again. Below what notices are kept. */
const newsFor = 7 * day;
/** For how long what became of a notice can be looked up. */
export const keptNoticeDays = 14;

type Authorized = RecordedEvent<Extract<GrantEvent, { readonly type: 'grant.authorized' }>>;
type Succeeded = Extract<SignInEvent, { readonly type: 'sign_in.succeeded' }>;
type Login = Pick<SignInClient, 'signIn' | 'client' | 'account' | 'seenAt'> & { readonly position: number };

const isAuthorized = (event: RecordedEvent): event is Authorized => event.type === 'grant.authorized';

/** What an app learns of a sign-in by an ID token, its `sub` and `sid`; null for a grant that gives none. */
const loginOf = (event: RecordedEvent): Login | null => {
  if (!isAuthorized(event)) return null;
  const { signIn, client, account, scopes, flow } = event.data;
  // By the other flows nobody signed in to the app.
  const givesIdToken = (flow === 'authorization_code' || flow === 'device_code') && scopes.includes('openid');
  if (!givesIdToken || signIn === null || account === null) return null;
  return { position: event.position, signIn, client, account, seenAt: event.recordedAt };
};

/** By position, the apps to which these events gave ID tokens. */
const seenIn = async (
  client: Transaction,
  { platform, events }: { readonly platform: PlatformId; readonly events: readonly RecordedEvent[] },
): Promise<ReadonlyMap<number, SignInClient>> => {
  const logins = events.flatMap((event) => loginOf(event) ?? []);
  const firsts = await readFirstEvents(client, { platform, streamIds: [...new Set(logins.map(({ signIn }) => signIn))] });
  return new Map(
    logins.flatMap(({ position, ...login }): readonly [number, SignInClient][] => {
      const first = firsts.get(login.signIn);
      if (first?.type !== 'sign_in.succeeded') return [];
      // The type says whose data it is.
      const { amr } = first.data as Succeeded['data'];
      return [[position, { ...login, firstPosition: first.position, secondFactor: amr.includes('mfa') }]];
    }),
  );
};

/** Folds without snapshots: these streams are short, and there is no MAC to check. */
const loadedOf = ({ streamId, events, credentials, dataKey }: RawStream): LoadedStream => ({
  streamId,
  version: events.at(-1)?.version ?? 0,
  snapshot: null,
  events,
  credentials,
  dataKey,
});

/** Those of these apps that want to be told of an end now. */
const listeningOf = async (
  client: Transaction,
  { platform, apps }: { readonly platform: PlatformId; readonly apps: readonly StreamId[] },
): Promise<readonly StreamId[]> => {
  const requests = apps.map((streamId) => ({ platform, streamId, follow: false, withSecrets: false }));
  const { streams } = await loadBatch(client, requests, { foldVersion, useSnapshots: false });
  return [...streams.values()].flatMap((raw) => {
    const state = fold(clientDecider, loadedOf(raw));
    return state.status === 'active' && state.backchannelLogout !== null ? [raw.streamId] : [];
  });
};

/**
 * Notes which apps each sign-in leads to, and at its end puts a notice into the outbox for each that asked to be told
 * (OIDC Back-Channel Logout §2). Both in the transaction of the checkpoint: exactly one notice an end and app.
 */
export const createTellClients = (options: { readonly now?: () => number } = {}): Subscription => {
  const { now = Date.now } = options;
  return {
    name: 'tell-clients',
    handle: async (client, { platform, events }) => {
      const seen = await seenIn(client, { platform, events: events.filter(({ recordedAt }) => recordedAt > now() - rememberedDays * day) });
      const noted = new Map<string, SignInClient>();
      const flush = async (): Promise<void> => {
        await noteSignInClients(client, { platform, seen: [...noted.values()] });
        noted.clear();
      };
      for (const event of events) {
        const login = seen.get(event.position);
        if (login !== undefined) noted.set(`${login.signIn} ${login.client}`, login);
        const ended = endedSignIns(event);
        if (ended === null) continue;
        await flush();
        const apps = await clientsOfSignIns(client, { platform, ended });
        if (apps.length === 0) continue;
        const listening = event.recordedAt < now() - newsFor ? [] : await listeningOf(client, { platform, apps });
        await endSignIns(client, { platform, ended, position: event.position, listening });
      }
      await flush();
    },
  };
};
