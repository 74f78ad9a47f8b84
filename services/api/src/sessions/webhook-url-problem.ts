import type { PlatformDocument } from '@grantlog/domain';
import { type CheckedDestination, checkDestination } from '@grantlog/egress';
import type { Deps } from '../deps.ts';

type Refusal = Extract<CheckedDestination, { readonly kind: 'refused' }>['why'];

const words: Readonly<Record<Refusal, string>> = {
  malformed_url: 'webhookUrl is not an absolute URL, such as https://agent.example/hooks',
  scheme_not_allowed: 'webhookUrl has to be https',
  credentials_in_url: 'webhookUrl contains a user name or password: send webhookToken, which comes as Authorization: Bearer',
  port_not_allowed: 'webhookUrl may name port 443 or 8443 only',
  address_not_allowed: 'webhookUrl has to be on a public address: private networks and localhost are not reached from here',
  header_not_allowed: 'webhookUrl cannot be used',
  unreachable: 'webhookUrl names a host that cannot be reached from here: check its name, and that its address is public',
};

/**
 * What is wrong with a webhook's URL as its agent registers it, in words for the agent; null where events may be sent there.
 * Plain http on loopback is for development, on platforms that allow it.
 */
export const webhookUrlProblem = async (deps: Pick<Deps, 'config'>, document: PlatformDocument, url: string): Promise<string | null> => {
  const { isDevelopment, egressAllow } = deps.config;
  const checked = await checkDestination(url, {
    allowLoopback: isDevelopment && document.webhooks.allowLoopback,
    exceptions: new Set(egressAllow),
  });
  return checked.kind === 'ok' ? null : words[checked.why];
};
