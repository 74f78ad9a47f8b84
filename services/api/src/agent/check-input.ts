import type { PlatformDocument } from '@grantlog/domain';
import type { Deps } from '../deps.ts';
import { webhookUrlProblem } from '../sessions/webhook-url-problem.ts';
import { AgentError } from './errors.ts';

const comparable = (url: URL): string => url.pathname.replace(/\/+$/, '');

/**
 * Whether an agent knows whom it talks to: `baseUrl` is one of this server's own URLs, of which slashes at the end, case
 * of the host and the ports that go without saying make no difference.
 *
 * @throws AgentError `invalid_request`, saying what it should be
 */
export const checkBaseUrl = (
  sent: string,
  server: { readonly issuer: string; readonly publicUrl: string; readonly resource: string | null },
): void => {
  const expected = server.resource ?? server.issuer;
  const url = URL.parse(sent);
  const own = [server.issuer, server.publicUrl, ...(server.resource === null ? [] : [server.resource])].flatMap((each) => {
    const known = new URL(each);
    return [known, new URL('/', known)];
  });
  const isOurs =
    url !== null &&
    url.username === '' &&
    url.password === '' &&
    own.some((known) => known.origin === url.origin && comparable(known) === comparable(url));
  if (!isOurs) throw new AgentError('invalid_request', `baseUrl must be this server: ${expected}`);
};

const mostContext = 4_096;

/**
 * What is said of a webhook has to have one, and what it wants echoed has to be small enough for every body.
 *
 * @throws AgentError `invalid_request`
 */
export const checkWebhookInput = (input: {
  readonly webhookUrl?: string;
  readonly webhookToken?: string;
  readonly deliveryContext?: Readonly<Record<string, unknown>>;
  readonly conversationSessionKey?: string;
}): void => {
  const { webhookUrl, deliveryContext } = input;
  if (webhookUrl === undefined) {
    const alone = (['webhookToken', 'deliveryContext', 'conversationSessionKey'] as const).find((name) => input[name] !== undefined);
    if (alone !== undefined)
      throw new AgentError('invalid_request', `${alone} is about a webhook: send webhookUrl with it, or leave it out`);
  }
  if (deliveryContext !== undefined && new TextEncoder().encode(JSON.stringify(deliveryContext)).byteLength > mostContext)
    throw new AgentError(
      'invalid_request',
      `deliveryContext has more than ${mostContext} bytes of JSON: keep what you need to find the conversation, and no more`,
    );
};

/**
 * Whether webhooks could arrive there at all, asked before anything is recorded.
 *
 * @throws AgentError `invalid_request`
 */
export const checkWebhookUrl = async (deps: Pick<Deps, 'config'>, document: PlatformDocument, url: string): Promise<void> => {
  const problem = await webhookUrlProblem(deps, document, url);
  if (problem !== null) throw new AgentError('invalid_request', problem);
};
