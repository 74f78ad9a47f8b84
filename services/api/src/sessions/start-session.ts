import { createDataKey, createUserCode, randomToken, sealPersonal, uuidv7 } from '@grantlog/crypto';
import type { ClientStreamId, SessionId, SessionTerms, SessionVia } from '@grantlog/domain';
import { deviceCodeGrant, keyRingStream, nameDecider, platformStream, sessionDecider, standing } from '@grantlog/domain';
import type { Loaded, NewEvent, Plan, StreamId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { insertDataKey } from '@grantlog/postgres';
import { OAuthError } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import { commitOn, sealDataKey } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { checkResources } from '../endpoints/authorize/check-resources.ts';
import { checkScopes } from '../endpoints/authorize/check-scopes.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { numbersOf, type SessionSource, sessionTokenOf } from './session-tokens.ts';

/** What an agent wants of a session, its parameters read and well-formed. */
export type SessionRequest = {
  readonly via: SessionVia;
  readonly clientId: string;
  /** Space separated, as on the wire; undefined for the platform's defaults. */
  readonly scope: string | undefined;
  readonly resources: readonly string[];
  readonly codeChallenge: string | null;
  /** From where the agent asks, for the person to read: sealed under the session's own key. */
  readonly from: { readonly address: string; readonly userAgent: string };
  /** Whether a person may type a code instead of following the link (RFC 8628 §3.2). */
  readonly withUserCode: boolean;
  readonly correlationId: string;
};

/** What is committed together with the beginning of a session. */
export type SessionCompanion = {
  readonly requests: readonly StreamId[];
  /** May run several times. */
  readonly decide: (loaded: Loaded) => {
    readonly writes: readonly { readonly streamId: StreamId; readonly events: readonly NewEvent[] }[];
    /** Events of the session itself, after its first. */
    readonly ofSession: readonly NewEvent[];
  };
};

/** A session as its agent is told of it. `sessionId`, `link` and `userCode` are secrets. */
export type StartedSession = {
  readonly id: SessionId;
  readonly sessionId: string;
  /** For the person, as part of a URL of ours. */
  readonly link: string;
  readonly userCode: string | null;
  /** The number that the agent shows and the person chooses on the page. */
  readonly number: number;
  readonly issuer: string;
  /** Whole seconds. */
  readonly expiresIn: number;
  readonly interval: number;
};

const alone = async (): Promise<SessionCompanion> => ({ requests: [], decide: () => ({ writes: [], ofSession: [] }) });

/** What a session is begun with, as platform and client stand at a load. */
const checkStart = (
  deps: Pick<Deps, 'config'>,
  loaded: Loaded,
  asked: Pick<SessionRequest, 'scope' | 'resources'> & { readonly clientStream: ClientStreamId },
) => {
  const platform = foldPlatform(loaded);
  const client = foldClient(loaded, asked.clientStream);
  if (platform.status !== 'active')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  if (client.status === 'none' || client.status === 'deleted')
    throw new OAuthError('invalid_client', { description: 'No client of this id is registered here' });
  if (client.status !== 'active' || standing({ firstPosition: null, platform, client, account: null }) !== 'good')
    throw new OAuthError('unauthorized_client', { description: 'The client may not act now: it is disabled, or not approved yet' });
  const { document } = platform;
  if (!document.grantTypes.includes(deviceCodeGrant) || !client.grantTypes.includes(deviceCodeGrant))
    throw new OAuthError('unauthorized_client', { description: `The client is not registered for ${deviceCodeGrant}` });
  const issuer = issuerOf(document, deps.config.publicUrl);
  const scopes = checkScopes(document, client, asked.scope);
  const { resources } = checkResources(document, issuer, asked.resources);
  return { document, client, issuer, scopes, resources };
};

/**
 * Begins a session: one commit of its first event, the claim on its user code and what comes along.
 *
 * @throws OAuthError `invalid_client`, `unauthorized_client`, `invalid_scope`, `invalid_target`, `temporarily_unavailable`
 * @see RFC 8628 §3.1
 */
export const startSession = async (
  deps: Deps,
  names: PlatformNames,
  request: SessionRequest,
  /** Prepared for the session's id, once: secrets are sealed for it and stored before the commit. */
  accompany: (session: SessionId) => Promise<SessionCompanion> = alone,
): Promise<StartedSession> => {
  const { platform } = names;
  const clientStream = names.client(request.clientId);
  const first = await deps.log.load(platform, [...platformStreams, { streamId: clientStream }]);
  // Before anything is stored: what is refused leaves nothing behind.
  checkStart(deps, first, { ...request, clientStream });
  const { now } = first;
  const id = uuidv7(now) as SessionId;
  const dataKey = createDataKey();
  await insertDataKey(deps.provisioning.pool, {
    platform,
    subject: id,
    sealed: sealDataKey(deps.sealer, { platform, subject: id, dataKey }),
  });
  const tokenNonce = randomToken(32);
  const code = request.withUserCode ? createUserCode() : null;
  // The code is sealed along, so that the page which the link opens can show it to be compared (RFC 8628 §3.3.1).
  const fields = { ...request.from, ...(code === null ? {} : { userCode: code }) };
  const personal = sealPersonal({ dataKey, platform, streamId: id, version: 1, fields });
  const companion = await accompany(id);

  const { outcome } = await execute({
    log: deps.log,
    platform,
    requests: [
      ...platformStreams,
      { streamId: clientStream },
      { streamId: id },
      ...companion.requests.map((streamId) => ({ streamId })),
      // A code runs out within a day, so its claim is in this month or the next one: both are asked for.
      ...(code === null ? [] : codeStreams(names, code, now).map((streamId) => ({ streamId }))),
    ],
    decide: async (loaded): Promise<Plan<StartedSession>> => {
      const { document, client, issuer, scopes, resources } = checkStart(deps, loaded, { ...request, clientStream });
      const keys = await deps.keys.of(platform, foldKeyRing(loaded));
      const seconds = Math.floor(loaded.now / 1000);
      const terms: SessionTerms = {
        client: clientStream,
        clientId: client.clientId,
        via: request.via,
        scopes,
        resources,
        codeChallenge: request.codeChallenge,
        expiresAt: seconds + document.lifetimes.signUpLinkSeconds,
        intervalSeconds: document.agentSignUp?.intervalSeconds ?? 5,
        tokenKeyId: keys.mintingTokenKeyId,
        tokenNonce,
      };
      const begun = sessionDecider.decide({ type: 'start', terms }, sessionDecider.initial);
      const along = companion.decide(loaded);
      const nameStream = code === null ? null : names.userCode(code, terms.expiresAt * 1000);
      const claim =
        nameStream === null
          ? { events: [] }
          : nameDecider.decide({ type: 'claim', kind: 'user_code', owner: id }, fold(nameDecider, loaded.stream(nameStream)));
      // One in 25,600,000,000: not worth a second draw, and never another session's code.
      if (claim.refusal !== undefined)
        throw new OAuthError('temporarily_unavailable', { description: 'Try again', headers: { 'retry-after': '1' } });
      const source: SessionSource = { platform, keys, session: id, terms };
      return {
        commit: commitOn(
          loaded,
          { actor: { kind: 'client', id: clientStream }, correlationId: request.correlationId },
          {
            writes: [
              { streamId: id, events: [...begun.events.map((event) => ({ ...event, personal })), ...along.ofSession] },
              ...(nameStream === null ? [] : [{ streamId: nameStream, events: claim.events }]),
              ...along.writes,
            ],
            reads: [platformStream, keyRingStream, clientStream],
          },
        ),
        outcome: {
          id,
          sessionId: sessionTokenOf(source, 'session', document),
          link: sessionTokenOf(source, 'link', document),
          userCode: code,
          number: numbersOf(source).answer,
          issuer,
          expiresIn: terms.expiresAt - seconds,
          interval: terms.intervalSeconds,
        },
      };
    },
  });
  return outcome;
};

const day = 86_400_000;

/** Where a user code that runs out within a day may be claimed: by this month's name or the next one's. */
export const codeStreams = (names: PlatformNames, code: string, now: number): readonly StreamId[] => [
  ...new Set<StreamId>([names.userCode(code, now), names.userCode(code, now + day)]),
];
