import { readHeader, type ShownHeader, type WebhookHeaders } from '../receiving/headers.ts';

/** The list of signatures. Headers that somebody has joined put a second comma into one of its entries. */
export const readSignatures = (headers: WebhookHeaders): ShownHeader => {
  const shown = readHeader(headers, 'webhook-signature');
  return shown.kind === 'one' && /,[^ ]*,/.test(shown.value) ? { kind: 'repeated' } : shown;
};
