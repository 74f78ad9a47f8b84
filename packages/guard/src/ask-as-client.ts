import { type Answer, ask } from './ask.ts';
import type { Asking } from './options.ts';
import type { OnProblem } from './problem.ts';

type Body = Readonly<Record<string, unknown>>;

/** A judgement of the authorization server, or that there is none and when to ask again, in seconds. */
export type Judgement = { readonly kind: 'answered'; readonly body: Body } | { readonly kind: 'unavailable'; readonly retryAfter: number };

/** Seconds after which a client may try again where the authorization server names none. */
export const defaultRetryAfter = 5;

const formEncode = (text: string): string => new URLSearchParams({ text }).toString().slice('text='.length);

/** `client_secret_basic`: both halves form-urlencoded before base64 (RFC 6749 §2.3.1). */
const clientAuthorization = (client: { readonly clientId: string; readonly clientSecret: string }): string =>
  `Basic ${Buffer.from(`${formEncode(client.clientId)}:${formEncode(client.clientSecret)}`).toString('base64')}`;

/** What the authorization server will not do, in its words. */
export type Refusal = { readonly kind: 'refused'; readonly body: Body };

const judge = (answer: Answer, at: { readonly settings: Asking; readonly report: OnProblem; readonly url: string }): Judgement => {
  const { settings, report, url } = at;
  switch (answer.kind) {
    case 'json':
      return { kind: 'answered', body: answer.body };
    case 'abandoned':
      return { kind: 'unavailable', retryAfter: defaultRetryAfter };
    case 'failed':
      report({ kind: 'unreachable', message: `${url} ${answer.why}` });
      return { kind: 'unavailable', retryAfter: defaultRetryAfter };
    case 'unusable':
      report({ kind: 'unusable_answer', message: `${url} ${answer.why}` });
      return { kind: 'unavailable', retryAfter: defaultRetryAfter };
    case 'status': {
      const { status, retryAfter } = answer;
      if (status === 401 || status === 400 || status === 403) {
        const client = `the client ${settings.clientId}`;
        const message = `${url} answered ${status} to ${client}: check clientId and clientSecret, and that it is a confidential client that serves ${settings.resource}`;
        report({ kind: 'client_refused', message });
      } else report({ kind: status >= 500 || status === 429 ? 'unreachable' : 'unusable_answer', message: `${url} answered ${status}` });
      return { kind: 'unavailable', retryAfter: retryAfter ?? defaultRetryAfter };
    }
  }
};

/** Asks an endpoint that wants to know which client asks. Every answer but a 200 with JSON is unavailability, and reported. */
export const askAsClient = async (settings: Asking, report: OnProblem, url: string, form: URLSearchParams): Promise<Judgement> =>
  judge(await ask(settings, url, { headers: { authorization: clientAuthorization(settings) }, form }), { settings, report, url });

/** The same of an endpoint that may refuse what is asked for: 400, 403, 404 or 409 with a JSON object that has an `error` of its own. */
export const askRefusably = async (
  settings: Asking,
  report: OnProblem,
  url: string,
  form: URLSearchParams,
): Promise<Judgement | Refusal> => {
  const answer = await ask(settings, url, {
    headers: { authorization: clientAuthorization(settings) },
    form,
    readable: [400, 403, 404, 409],
  });
  // Refusing this client is what `judge` has words for.
  const own: readonly unknown[] = ['invalid_client', 'unauthorized_client', 'invalid_request', undefined];
  if (answer.kind === 'status' && answer.body !== null && !own.includes(answer.body['error']))
    return { kind: 'refused', body: answer.body };
  return judge(answer, { settings, report, url });
};
