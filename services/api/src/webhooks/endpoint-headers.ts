import type { DocumentProblem } from '@grantlog/domain';
import { headerProblem } from '@grantlog/egress';
import type { WebhookHeaders } from '@grantlog/provisioning';
import { refusalProblem } from '../json-api/refusals.ts';
import { endpointWords } from './endpoint-words.ts';

const mostHeaders = 20;
const longestName = 64;
const longestValue = 4_096;

/** Ours, and what would let a webhook be taken for another sender's. */
const taken: ReadonlyMap<string, string> = new Map([
  ['content-type', 'Leave it out: webhooks are application/json.'],
  ['user-agent', 'Leave it out: it says that Grantlog sends.'],
  ['authorization', 'Give the token as webhookToken: it is sent as Authorization: Bearer, and rotated without a gap.'],
  ['traceparent', 'Leave it out: it is set for each request.'],
  ['tracestate', 'Leave it out: it is set for each request.'],
]);
const takenPrefixes = ['webhook-', 'svix-'] as const;

const problemOf = (name: string, value: string): Pick<DocumentProblem, 'problem' | 'fix'> | null => {
  const lower = name.toLowerCase();
  const why = taken.get(lower) ?? (takenPrefixes.some((prefix) => lower.startsWith(prefix)) ? 'Choose another name.' : null);
  if (why !== null) return { problem: 'is a header of ours', fix: why };
  if (name.length > longestName) return { problem: `has a name of more than ${longestName} characters`, fix: 'Choose a shorter name.' };
  if (value.length > longestValue) return { problem: `has more than ${longestValue} characters`, fix: 'Send a shorter value.' };
  // A receiver would not see it, and what it repeats would not be known again.
  if (value.trim() !== value) return { problem: 'begins or ends with a space', fix: 'Send the value alone.' };
  const unfit = headerProblem({ name, value });
  return unfit === null ? null : { problem: 'cannot be sent', fix: `${unfit}.` };
};

/** A name as an error may repeat it: never a value, and no more of a name than helps. */
const shown = (name: string): string => `headers.${name.slice(0, longestName)}`;

/**
 * Headers as an endpoint may have them.
 *
 * @throws ProblemError 422 that names each header at fault and what is wrong with it, and repeats no value.
 */
export const readHeaders = (headers: Readonly<Record<string, string>>): WebhookHeaders => {
  const names = Object.keys(headers);
  const seen = new Set<string>();
  const ofEach = names.flatMap((name): readonly DocumentProblem[] => {
    const lower = name.toLowerCase();
    if (seen.has(lower)) return [{ path: shown(name), problem: 'is given twice, in different case', fix: 'Name each header once.' }];
    seen.add(lower);
    const problem = problemOf(name, headers[name] ?? '');
    return problem === null ? [] : [{ path: shown(name), ...problem }];
  });
  const tooMany = { path: 'headers', problem: `has more than ${mostHeaders} headers`, fix: 'Send those that your receiver reads.' };
  const errors = names.length > mostHeaders ? [tooMany, ...ofEach] : ofEach;
  if (errors.length > 0) throw refusalProblem(endpointWords, 'headers_invalid', errors);
  return headers;
};
