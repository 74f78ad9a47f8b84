import { type GrantId, parseStreamId } from '@grantlog/domain';
import { registerEndpoint } from '@grantlog/provisioning';
import type { Static } from 'typebox';
import type { Deps } from '../deps.ts';
import { orThrow, refusalProblem } from '../json-api/refusals.ts';
import type { EndpointPassage } from './endpoint-door.ts';
import { readHeaders } from './endpoint-headers.ts';
import type { NewEndpointBody, registeredEndpoint } from './endpoint-schemas.ts';
import { endpointWords, refuseUnknownTypes } from './endpoint-words.ts';

const readGrants = (texts: readonly string[] | null): readonly GrantId[] | null => {
  if (texts === null) return null;
  // Whether they are grants, the log says.
  const ids = texts.flatMap((text) => (parseStreamId(text) as GrantId | null) ?? []);
  if (ids.length < texts.length) throw refusalProblem(endpointWords, 'grants_unknown');
  return ids;
};

/** Registers an endpoint for who came in, and answers as both doors do. @throws ProblemError */
export const registerFor = async (
  deps: Pick<Deps, 'provisioning' | 'config'>,
  { names, by, manager, admitUrl }: EndpointPassage,
  body: NewEndpointBody,
): Promise<Static<typeof registeredEndpoint>> => {
  const { platform } = names;
  const headers = readHeaders(body.headers ?? {});
  const grants = readGrants(body.grants ?? null);
  await admitUrl(body.url);
  const registered = await registerEndpoint(deps.provisioning, by, {
    platform,
    manager,
    clientId: body.clientId ?? null,
    grants,
    url: body.url,
    types: body.types ?? null,
    ordered: body.ordered ?? false,
    skipSuperseded: body.skipSuperseded ?? false,
    concurrency: body.concurrency ?? 8,
    ratePerSecond: body.ratePerSecond ?? null,
    description: body.description ?? '',
    signature: body.signature ?? 'v1',
    webhookToken: body.webhookToken ?? null,
    headers,
    isDevelopment: deps.config.isDevelopment,
  });
  refuseUnknownTypes(registered, { platform, types: body.types });
  const { endpoint, shown, position } = orThrow(endpointWords, registered);
  return { endpointId: endpoint, ...shown, position };
};
