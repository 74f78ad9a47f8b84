import type { AccountId, EndpointId, WebhookEndpointCommand, WebhookEndpointEvent, WebhookEndpointState } from '@grantlog/domain';
import { accountDecider, platformStream, sameJson, sessionDecider, webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, LoadRequest, NewEvent } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change, type Intent } from './change.ts';
import { holdsBearer, sealBearer } from './endpoint-bearer.ts';
import type { ShownEndpointSecret } from './endpoint-secret.ts';
import { sealPersonalOf } from './personal-data.ts';
import type { By, Provisioning } from './provisioning.ts';
import { endpointDataKey, mayLoop, newSessionWebhook, sessionWebhookId } from './session-webhook.ts';
import type { SessionWebhookRefusal, SessionWebhookRequest } from './session-webhook-request.ts';
import { requestProblem, sessionKeyOf } from './session-webhook-request.ts';
import { echoFields, readWebhookEcho, type WebhookEcho } from './webhook-echo.ts';

/** How long a receiver that does not know the new token yet is offered the previous one. */
const overlapSeconds = 86_400;

export type SessionWebhookPut =
  | {
      readonly endpoint: EndpointId;
      readonly sessionKey: string;
      readonly created: boolean;
      /** Only of one that was made here: what its receiver verifies with is shown once. */
      readonly shown: ShownEndpointSecret | null;
      readonly position: number;
    }
  | { readonly refusal: SessionWebhookRefusal };

type Living = Extract<WebhookEndpointState, { readonly status: 'active' | 'disabled' }>;

/** Whose session it is; null unless it is alive and somebody has linked it. */
const accountOf = (loaded: Loaded, { session }: SessionWebhookRequest): AccountId | null => {
  const state = fold(sessionDecider, loaded.stream(session));
  return state.status === 'linked' || state.status === 'redeemed' ? state.account : null;
};

/** What to record so that an endpoint is as it is asked for; nothing where it is. */
const changesOf = (
  context: Provisioning,
  of: SessionWebhookRequest,
  at: {
    readonly loaded: Loaded;
    readonly endpoint: EndpointId;
    readonly state: Living;
    readonly wrappedKey: Uint8Array;
    /** Credential id of the token asked for. */
    readonly bearer: string | null;
  },
): readonly NewEvent[] | { readonly refusal: SessionWebhookRefusal } => {
  const { platform, url, webhookToken, deliveryContext, conversationSessionKey } = of;
  const { loaded, endpoint, state, wrappedKey, bearer } = at;
  const { version } = loaded.stream(endpoint);
  // Another URL is another receiver: nothing goes there that was given for the one before, whoever holds the session's tokens.
  const moves = url !== state.url;
  if (moves && bearer === null && state.bearers.length > 0) return { refusal: 'webhook_token_missing' };
  const current = readWebhookEcho(context.sealer, { platform, endpoint, wrappedKey, personal: state.personal });
  const kept = moves ? null : current;
  const echo: WebhookEcho = {
    sessionKey: sessionKeyOf(of),
    deliveryContext: deliveryContext ?? kept?.deliveryContext ?? null,
    conversationSessionKey: conversationSessionKey ?? kept?.conversationSessionKey ?? null,
  };
  const previousValidUntil = Math.floor(loaded.now / 1000) + (moves ? 0 : overlapSeconds);
  const isHeld = webhookToken !== null && holdsBearer(context, { platform, endpoint, token: webhookToken }, loaded);
  const rotates = bearer !== null && (moves || !isHeld);

  const commands: readonly WebhookEndpointCommand[] = [
    // What failed until now may answer at the address that the agent names; what an operator stopped stays stopped.
    ...(state.status === 'disabled' && state.reason !== 'operator' ? [{ type: 'enable' } as const] : []),
    ...(moves ? [{ type: 'update', changes: { url }, allowLoopback: mayLoop(loaded, of.isDevelopment) } as const] : []),
    ...(rotates ? [{ type: 'rotateBearer', credentialId: bearer, previousValidUntil } as const] : []),
    ...(sameJson(echo, current) ? [] : [{ type: 'setContext', hasDeliveryContext: echo.deliveryContext !== null } as const]),
  ];
  const events: WebhookEndpointEvent[] = [];
  for (const command of commands) {
    const decision = webhookEndpointDecider.decide(command, state);
    if (decision.refusal !== undefined) return { refusal: decision.refusal };
    events.push(...decision.events);
  }
  return events.map((event, index) =>
    event.type === 'webhook_endpoint.context_set'
      ? {
          ...event,
          personal: sealPersonalOf(context.sealer, {
            platform,
            subject: endpoint,
            wrappedKey,
            streamId: endpoint,
            version: version + index + 1,
            fields: echoFields(echo),
          }),
        }
      : event,
  );
};

/**
 * Gives a linked session a webhook, or changes the one of the same key: what it echoes, and its token, whose predecessor
 * stays good for a day. What is null in the request stays as it is; but another URL gets only what is given for it, and
 * wants a token of its own where there was one. Asking twice records nothing.
 *
 * The session's account is read with it: nothing personal is sealed for somebody who has been erased meanwhile.
 */
export const putSessionWebhook = async (context: Provisioning, by: By, of: SessionWebhookRequest): Promise<SessionWebhookPut> => {
  const { platform, session, webhookToken } = of;
  const problem = requestProblem(of);
  if (problem !== null) return { refusal: problem };
  const endpoint = sessionWebhookId(of);
  const requests: readonly LoadRequest[] = [{ streamId: session }, { streamId: endpoint, withSecrets: true }, { streamId: platformStream }];
  const before = await context.log.load(platform, requests);
  // Whoever is linked to a session stays so, and an endpoint that is there stays there.
  const account = accountOf(before, of);
  if (account === null) return { refusal: 'unknown_session' };
  const fresh = before.stream(endpoint).version === 0 ? await newSessionWebhook(context, of) : null;
  const sealed = fresh !== null || webhookToken === null ? null : sealBearer(context, { platform, endpoint, token: webhookToken });
  if (sealed !== null) await insertCredentials(context.pool, [sealed]);
  const bearer = fresh?.bearer ?? sealed?.id ?? null;
  const wrappedKey = await endpointDataKey(context, { platform, endpoint });
  let created = false;

  const changed = await change<SessionWebhookRefusal>(context, by, {
    platform,
    requests: [...requests, { streamId: account }],
    decide: (loaded): Intent<SessionWebhookRefusal> => {
      const erased = fold(accountDecider, loaded.stream(account)).status === 'erased';
      if (erased || accountOf(loaded, of) === null) return { refusal: 'unknown_session' };
      const reads = [platformStream, session, account];
      const state = fold(webhookEndpointDecider, loaded.stream(endpoint));
      created = state.status === 'none';
      switch (state.status) {
        case 'deleted':
          return { refusal: 'endpoint_deleted' };
        case 'none': {
          const named = sessionDecider.decide({ type: 'registerWebhook', endpoint }, fold(sessionDecider, loaded.stream(session)));
          if (named.refusal !== undefined)
            return { refusal: named.refusal === 'too_many_webhooks' ? 'too_many_webhooks' : 'unknown_session' };
          if (fresh === null) throw new Error(`webhook ${endpoint} was there and is not`);
          const write = fresh.write(loaded);
          return 'refusal' in write ? write : { writes: [write, { streamId: session, events: named.events }], reads };
        }
        case 'active':
        case 'disabled': {
          const events = changesOf(context, of, { loaded, endpoint, state, wrappedKey, bearer });
          return 'refusal' in events ? events : { writes: [{ streamId: endpoint, events }], reads };
        }
      }
    },
  });
  if ('refusal' in changed) return changed;
  const shown = created ? (fresh?.shown ?? null) : null;
  return { endpoint, sessionKey: sessionKeyOf(of), created, shown, position: changed.position };
};
