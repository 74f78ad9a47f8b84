import {
  type ClientStreamId,
  type EndpointId,
  type PlatformDocument,
  satisfies,
  standingKinds,
  webhookEndpointDecider,
} from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { bearerError } from '@grantlog/protocol';
import { type By, type EndpointManager, listOwnEndpoints, type PlatformNames, seenBy } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { standingIdOf } from '../management/standing-id.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { admitUrlOf, identify } from '../webhooks/agent-door.ts';
import type { LivingEndpoint } from '../webhooks/endpoint-schemas.ts';
import { signalWords } from './signal-words.ts';

/** The scopes of receivers: to read what their streams are, to manage and poll them, and to hear of the whole platform. */
const signalScopes = { read: 'ssf.read', manage: 'ssf.manage', platform: 'ssf.platform' } as const;

/** Whether a platform transmits security events: it has the scope by which receivers come in. */
export const isTransmitter = ({ scopes }: Pick<PlatformDocument, 'scopes'>): boolean =>
  scopes.some(({ name }) => name === signalScopes.manage);

/** A receiver of security events that came in. */
export type SignalPassage = {
  readonly names: PlatformNames;
  readonly issuer: string;
  readonly by: By;
  readonly client: ClientStreamId;
  readonly clientId: string;
  readonly manager: EndpointManager;
  /** Whether its streams hear of the whole platform. */
  readonly isWide: boolean;
  readonly admitUrl: (url: string) => Promise<void>;
};

/** A stream of who came in. */
export type OwnStream = {
  readonly id: EndpointId;
  readonly state: LivingEndpoint & { readonly signals: NonNullable<LivingEndpoint['signals']> };
};

/**
 * Lets a client in by a token that it got for itself.
 *
 * @throws OAuthError 401 with a challenge, 403 for a token without the scope or of a person
 */
export const admitReceiver = async (deps: Deps, request: FastifyRequest, need: 'read' | 'manage'): Promise<SignalPassage> => {
  const names = await resolvePlatform(deps, request);
  const live = await identify(deps, names, request);
  const { document } = live;
  const { account, client, clientId } = live.grant.terms;
  const has = (scope: string): boolean => satisfies(live.token.scopes, [scope], document);
  const scope = signalScopes[need];
  if (account !== null || !(has(scope) || has(signalScopes.manage))) {
    throw bearerError({
      code: 'insufficient_scope',
      description:
        account === null
          ? `The access token lacks the scope ${scope}`
          : 'Security events are received by clients with tokens of their own (client_credentials), and this token is of a person',
      realm: names.platform,
      scope: [scope],
    });
  }
  return {
    names,
    issuer: issuerOf(document, deps.config.publicUrl),
    by: { actor: { kind: 'client', id: client }, correlationId: request.traceparent },
    client,
    clientId,
    manager: { kind: 'receiver', client },
    isWide: has(signalScopes.platform),
    admitUrl: admitUrlOf(deps, { names, document, address: request.ip, member: 'delivery.endpoint_url' }),
  };
};

const loadStreams = async (
  { log }: Pick<Deps, 'log'>,
  { names, manager }: SignalPassage,
  ids: readonly EndpointId[],
): Promise<readonly OwnStream[]> => {
  if (ids.length === 0) return [];
  const loaded = await log.load(
    names.platform,
    ids.map((streamId) => ({ streamId })),
  );
  return ids.flatMap((id) => {
    const state = seenBy(manager, fold(webhookEndpointDecider, loaded.stream(id)));
    return (state.status === 'active' || state.status === 'disabled') && state.signals !== null
      ? [{ id, state: state as OwnStream['state'] }]
      : [];
  });
};

/** Every stream of who came in, exact at once. */
export const listStreams = async (deps: Deps, passage: SignalPassage): Promise<readonly OwnStream[]> =>
  loadStreams(deps, passage, await listOwnEndpoints(deps, { names: passage.names, manager: passage.manager }));

/** One stream of who came in. @throws ProblemError 404 */
export const loadStream = async (deps: Deps, passage: SignalPassage, text: string): Promise<OwnStream> => {
  const id = standingIdOf<EndpointId>(standingKinds.webhookEndpoint, text);
  const [found] = id === null ? [] : await loadStreams(deps, passage, [id]);
  if (found === undefined) throw refusalProblem(signalWords, 'unknown_stream');
  return found;
};
