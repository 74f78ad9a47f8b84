import { OAuthError } from '@grantlog/protocol';
import { foldClient } from '../platforms/load-parties.ts';
import { startSession } from '../sessions/start-session.ts';
import { admitRequest } from './admit.ts';
import { checkBaseUrl, checkWebhookInput, checkWebhookUrl } from './check-input.ts';
import type { AgentContext } from './context.ts';
import { AgentError } from './errors.ts';
import { openSignUp } from './open-sign-up.ts';
import type { InitSignupInput, InitSignupResult } from './schemas.ts';
import { signUpWebhook } from './sign-up-webhook.ts';

/** People read it on the page; more of it says nothing to them. */
const longestUserAgent = 256;

/**
 * A client with a secret proves itself when it begins (RFC 8628 §3.1), which an agent cannot do here: nobody else should
 * be able to ask people in its name.
 */
const refuseUnprovedClient = async ({ deps, names }: AgentContext, clientId: string): Promise<void> => {
  const stream = names.client(clientId);
  const client = foldClient(await deps.log.load(names.platform, [{ streamId: stream }]), stream);
  if (client.status !== 'none' && client.status !== 'deleted' && client.kind === 'confidential')
    throw new AgentError(
      'invalid_request',
      'clientId: a client with a secret begins at the device authorization endpoint, where it proves itself',
    );
};

/** A request that the platform or its client does not allow, by the name of the field that asks for it. */
const inOwnWords = (error: unknown): unknown => {
  // What is over in a moment is answered as everywhere: 503.
  if (!(error instanceof OAuthError) || error.status >= 500) return error;
  const field = error.code === 'invalid_scope' ? 'scope' : error.code === 'invalid_target' ? 'resource' : 'clientId';
  return new AgentError('invalid_request', `${field}: ${error.description}`, { reason: `${error.code}: ${error.reason}`, cause: error });
};

const instructionsOf = ({ number, interval, expiresIn }: Pick<InitSignupResult, 'number' | 'interval' | 'expiresIn'>): string =>
  [
    `Give the person authUrl to open in their browser, and tell them the number ${number}: the page shows three, and they choose this one.`,
    `Then ask check_account_status with sessionId, at most every ${interval} seconds, for ${Math.floor(expiresIn / 60)} minutes.`,
    'Keep sessionId to yourself.',
  ].join(' ');

/**
 * An agent begins to bring a person in: RFC 8628 §3.1 by another name. Nobody is asked for credentials here; who asks is
 * shown to the person, and what it gets by asking is a link that somebody has to sign in behind.
 *
 * @param options.showSecret whether a shared signing secret may be in the result, this once: over REST, never in a tool's.
 * @throws AgentError `invalid_request`, `rate_limited`
 * @throws PathNotOnPlatform where agents cannot begin a sign-up
 * @throws OAuthError `temporarily_unavailable`
 */
export const initSignup = async (
  context: AgentContext,
  input: InitSignupInput,
  options: { readonly showSecret: boolean } = { showSecret: false },
): Promise<InitSignupResult> => {
  const { deps, names, from, correlationId } = context;
  const { document, agentSignUp, issuer } = await openSignUp(context);
  const { webhookUrl, codeChallenge = null, clientId = agentSignUp.unidentifiedClient } = input;
  checkBaseUrl(input.baseUrl, { issuer, publicUrl: deps.config.publicUrl, resource: document.mcpServer?.resource ?? null });
  checkWebhookInput(input);
  if (codeChallenge === null && agentSignUp.codeChallengeRequired)
    throw new AgentError('invalid_request', 'codeChallenge is required here: base64url of SHA-256 of a fresh code verifier (S256)');
  await admitRequest(context, webhookUrl);
  // After the throttle: it looks a name up that a stranger has chosen.
  if (webhookUrl !== undefined) await checkWebhookUrl(deps, document, webhookUrl);
  await refuseUnprovedClient(context, clientId);

  const webhook = webhookUrl === undefined ? null : signUpWebhook(context, { ...input, webhookUrl }, { clientId, ...options });
  const request = {
    via: 'init_signup',
    clientId,
    scope: input.scope,
    // The tokens are for the server that the agent talks to, whatever else the platform protects (RFC 8707 §2).
    resources: document.mcpServer === null ? [] : [document.mcpServer.resource],
    codeChallenge,
    from: { address: from.address, userAgent: from.userAgent.slice(0, longestUserAgent) },
    withUserCode: false,
    correlationId,
  } as const;
  const { sessionId, link, number, expiresIn, interval } = await startSession(deps, names, request, webhook?.accompany).catch(
    (error: unknown) => {
      throw inOwnWords(error);
    },
  );
  return {
    authUrl: `${issuer}/connect/${link}`,
    sessionId,
    expiresIn,
    interval,
    number,
    clientId,
    instructions: instructionsOf({ number, interval, expiresIn }),
    ...(webhook === null ? {} : { webhook: webhook.result() }),
  };
};
