import { standingId } from '@grantlog/crypto';
import type {
  ClientStreamId,
  EndpointId,
  EndpointSettings,
  GrantEvent,
  GrantId,
  WebhookEndpointRefusal,
  WebhookSignature,
} from '@grantlog/domain';
import { clientDecider, platformDecider, platformStream, standingKinds, webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials, readFirstEvents } from '@grantlog/postgres';
import { change, type Intent } from './change.ts';
import { sealBearer } from './endpoint-bearer.ts';
import type { WebhookManager } from './endpoint-manager.ts';
import type { ShownEndpointSecret } from './endpoint-secret.ts';
import { newEndpointSecret } from './endpoint-secret.ts';
import { claimSlot, slotsOf } from './endpoint-slots.ts';
import type { PlatformNames } from './platform-directory.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealHeaders, type WebhookHeaders } from './sealed-headers.ts';

export type NewEndpoint = EndpointSettings & {
  readonly platform: PlatformId;
  /** Who registers it; a client and a grant name nobody else's client and grants. */
  readonly manager: WebhookManager;
  /** The client whose events an operator's endpoint hears; null for all of the platform's, and for that of the manager itself. */
  readonly clientId: string | null;
  /** The grants of that client whose events alone it hears; null for all, or for that of the manager itself. */
  readonly grants: readonly GrantId[] | null;
  readonly signature: WebhookSignature;
  /** What its deliveries carry as `Authorization: Bearer …`, 1 to 512 visible characters of ASCII; null for none. */
  readonly webhookToken: string | null;
  /** Such as may be sent: names and values are judged before. */
  readonly headers: WebhookHeaders;
  /** Whether the server is in development: only then may the platform's document allow loopback. */
  readonly isDevelopment: boolean;
};

/** `too_many_endpoints`: of those that a client or a grant registers itself. */
export type RegisterEndpointRefusal =
  | 'unknown_platform'
  | 'unknown_client'
  | 'grants_unknown'
  | 'too_many_endpoints'
  | WebhookEndpointRefusal;

export type EndpointRegistered =
  | { readonly endpoint: EndpointId; readonly shown: ShownEndpointSecret; readonly position: number }
  | { readonly refusal: RegisterEndpointRefusal };

type Heard = { readonly client: ClientStreamId | null; readonly grants: readonly GrantId[] | null };

const heardBy = (names: PlatformNames, { manager, clientId, grants }: NewEndpoint): Heard | null => {
  switch (manager.kind) {
    case 'operator':
      return { client: clientId === null ? null : names.client(clientId), grants };
    case 'client':
      return { client: manager.client, grants };
    case 'grant':
      return grants === null || (grants.length === 1 && grants[0] === manager.grant)
        ? { client: manager.client, grants: [manager.grant] }
        : null;
  }
};

/** Whether each of these is a grant that this client was given: a grant's first event says so for good. */
const areGrantsOf = async (context: Pick<Provisioning, 'pool'>, platform: PlatformId, { client, grants }: Heard): Promise<boolean> => {
  if (grants === null || client === null) return true;
  const found = await readFirstEvents(context.pool, { platform, streamIds: grants });
  return grants.every((id) => {
    const first = found.get(id);
    if (first?.type !== 'grant.authorized') return false;
    // The log holds under a type what its decider recorded.
    return (first.data as Extract<GrantEvent, { type: 'grant.authorized' }>['data']).client === client;
  });
};

/** Registers a webhook endpoint with a signing secret of its own, which is shown here and never again. */
export const registerEndpoint = async (context: Provisioning, by: By, endpoint: NewEndpoint): Promise<EndpointRegistered> => {
  const { platform, manager, clientId: _, grants: __, signature, webhookToken, headers, isDevelopment, ...settings } = endpoint;
  const { sealer } = context;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_platform' };
  const heard = heardBy(names, endpoint);
  if (heard === null || !(await areGrantsOf(context, platform, heard))) return { refusal: 'grants_unknown' };

  const id = standingId(standingKinds.webhookEndpoint) as EndpointId;
  const slots = slotsOf(names, manager);
  const { credential: secret, shown } = newEndpointSecret(sealer, { platform, endpoint: id, signature });
  const bearer = webhookToken === null ? null : sealBearer(context, { platform, endpoint: id, token: webhookToken });
  const headerNames = Object.keys(headers);
  const sealedHeaders = headerNames.length === 0 ? null : sealHeaders(sealer, { platform, endpoint: id, headers });

  const { client } = heard;
  const ofClient = client === null ? [] : [client];
  const requests = [platformStream, id, ...ofClient, ...slots].map((streamId) => ({ streamId }));
  const decide = (loaded: Loaded): Intent<RegisterEndpointRefusal> => {
    const owner = fold(platformDecider, loaded.stream(platformStream));
    if (owner.status === 'none') return { refusal: 'unknown_platform' };
    const status = client === null ? null : fold(clientDecider, loaded.stream(client)).status;
    if (status === 'none' || status === 'deleted') return { refusal: 'unknown_client' };
    const slot = claimSlot(loaded, slots, id);
    if (slot === null && slots.length > 0) return { refusal: 'too_many_endpoints' };
    const { events, refusal } = webhookEndpointDecider.decide(
      {
        type: 'register',
        ...settings,
        ...heard,
        registeredBy: manager.kind,
        slot: slot?.streamId ?? null,
        signature,
        secretCredentials: [secret.id],
        bearerCredential: bearer?.id ?? null,
        headers: sealedHeaders === null ? null : { credentialId: sealedHeaders.id, names: headerNames },
        allowLoopback: isDevelopment && owner.document.webhooks.allowLoopback,
      },
      fold(webhookEndpointDecider, loaded.stream(id)),
    );
    if (refusal !== undefined) return { refusal };
    return { writes: [{ streamId: id, events }, ...(slot === null ? [] : [slot])], reads: [platformStream, ...ofClient] };
  };
  // What would be refused stores nothing.
  const early = decide(await context.log.load(platform, requests));
  if ('refusal' in early) return early;
  await insertCredentials(
    context.pool,
    [secret, bearer, sealedHeaders].filter((credential) => credential !== null),
  );
  const changed = await change(context, by, { platform, requests, decide });
  return 'refusal' in changed ? changed : { endpoint: id, shown, position: changed.position };
};
