import type { EndpointId } from '@grantlog/domain';
import { standingKinds, webhookEndpointDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { type By, type PlatformNames, seenBy, type WebhookManager } from '@grantlog/provisioning';
import type { FastifyContextConfig, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { standingIdOf } from '../management/standing-id.ts';
import type { LivingEndpoint } from './endpoint-schemas.ts';
import { endpointWords } from './endpoint-words.ts';

/** Who came in to manage webhook endpoints, and what they may choose. */
export type EndpointPassage = {
  readonly names: PlatformNames;
  readonly by: By;
  readonly manager: WebhookManager;
  /** Lets a URL be chosen. @throws ProblemError 422 for one that cannot be sent to, 429 after too many */
  readonly admitUrl: (url: string) => Promise<void>;
};

/** One of the doors by which webhook endpoints are managed: what is behind them is the same. */
export type EndpointDoor = {
  /** Of all endpoints; of one with its id behind. */
  readonly path: string;
  readonly tags: readonly string[];
  /** Lets in, before a body is read. */
  readonly route: { readonly config: FastifyContextConfig; readonly onRequest: (request: FastifyRequest) => Promise<void> };
  readonly passed: (request: FastifyRequest) => Promise<EndpointPassage>;
};

/** The id that a path names. @throws ProblemError 404 for what is no endpoint's */
export const endpointIdOf = (text: string): EndpointId => {
  const id = standingIdOf<EndpointId>(standingKinds.webhookEndpoint, text);
  if (id === null) throw refusalProblem(endpointWords, 'unknown_endpoint');
  return id;
};

/** Endpoints as who came in may see them. */
export const loadEndpoints = async (
  { log }: Pick<Deps, 'log'>,
  { names, manager }: Pick<EndpointPassage, 'names' | 'manager'>,
  ids: readonly EndpointId[],
) => {
  if (ids.length === 0) return [];
  const loaded = await log.load(
    names.platform,
    ids.map((streamId) => ({ streamId })),
  );
  return ids.map((id) => ({ id, state: seenBy(manager, fold(webhookEndpointDecider, loaded.stream(id))) }));
};

/** One endpoint of who came in. @throws ProblemError 404 where it is not there for them, 409 where it was deleted */
export const loadEndpoint = async (
  deps: Pick<Deps, 'log'>,
  passage: Pick<EndpointPassage, 'names' | 'manager'>,
  text: string,
): Promise<{ readonly id: EndpointId; readonly state: LivingEndpoint }> => {
  const id = endpointIdOf(text);
  const [found] = await loadEndpoints(deps, passage, [id]);
  if (found === undefined || found.state.status === 'none') throw refusalProblem(endpointWords, 'unknown_endpoint');
  if (found.state.status === 'deleted') throw refusalProblem(endpointWords, 'endpoint_deleted');
  return { id, state: found.state };
};
