import { unknownTypes } from '@grantlog/domain';
import type { ChangeEndpointRefusal, RegisterEndpointRefusal } from '@grantlog/provisioning';
import { conflicting, missing, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { eventTypesPath } from './event-types.ts';

/** What is told of each refusal, by whichever door a webhook endpoint is managed. */
export const endpointWords = {
  unknown_platform: missing('No such platform'),
  unknown_endpoint: missing('No such webhook endpoint'),
  unknown_client: unfit('clientId names no client of this platform'),
  grants_unknown: unfit('grants names what is no grant of the client, or not the one of this token'),
  grants_invalid: unfit('grants has 1 to 100 grants of one client, each once'),
  grants_without_client: unfit('grants are those of one client: name it as clientId'),
  too_many_endpoints: conflicting('There are as many webhook endpoints as there may be: delete one, or change one that is there'),
  endpoint_of_session: conflicting(
    "The endpoint belongs to an agent's session, and only that agent says where it is told and with what token",
  ),
  endpoint_exists: conflicting('The endpoint is registered already'),
  endpoint_deleted: conflicting('The endpoint has been deleted'),
  endpoint_disabled: conflicting('The endpoint is disabled: enable it first'),
  endpoint_unverified: conflicting('The endpoint has not proved its URL: nothing is sent to it until it answers the verification with 2xx'),
  recovery_running: conflicting('The endpoint is being recovered: wait for that to end, or cancel it'),
  too_many_subjects: unfit('At most 1,000 subjects can be removed from one stream; make another for those that are wanted'),
  secret_missing: unfit('An endpoint needs a signing secret'),
  too_many_secrets: unfit('An endpoint has at most two signing secrets'),
  url_invalid: unfit('url is not an absolute URL'),
  url_insecure: unfit(
    'url has to be https; plain http works on loopback only, in development, where the platform document sets webhooks.allowLoopback',
  ),
  url_with_credentials: unfit('url contains a user name or password; use the webhook token or the signature'),
  url_with_fragment: unfit('url has a fragment'),
  url_unreachable: unfit('url cannot be sent to from here'),
  types_invalid: unfit('types has 1 to 100 event types, or is null for all'),
  types_unknown: unfit('types names what is no event type; /{platform}/webhooks/event-types lists them, and grant.* is all that begin so'),
  concurrency_out_of_range: unfit('concurrency is from 1 to 100'),
  rate_out_of_range: unfit('ratePerSecond is a whole number from 1 to 1,000, or null for no limit'),
  description_too_long: unfit('description has at most 500 characters'),
  headers_invalid: unfit('headers cannot be sent as they are'),
} as const satisfies Record<ChangeEndpointRefusal | RegisterEndpointRefusal | 'url_unreachable' | 'headers_invalid', RefusalWords>;

/** Tells types that do not exist one by one, where that is why something was refused. */
export const refuseUnknownTypes = (
  outcome: object,
  { platform, types }: { readonly platform: string; readonly types: readonly string[] | null | undefined },
): void => {
  if (!('refusal' in outcome) || outcome.refusal !== 'types_unknown' || types == null) return;
  const errors = unknownTypes(types).map((type) => ({
    path: `types[${types.indexOf(type)}]`,
    problem: `names no event type: ${type}`,
    fix: `Name types that GET ${eventTypesPath(platform)} lists, or all of a kind, such as grant.*.`,
  }));
  throw refusalProblem(endpointWords, 'types_unknown', errors);
};
