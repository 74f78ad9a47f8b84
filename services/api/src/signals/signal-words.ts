import { conflicting, missing, unfit } from '../json-api/refusals.ts';
import { endpointWords } from '../webhooks/endpoint-words.ts';

/** What is told of each refusal to receivers of security events. */
export const signalWords = {
  ...endpointWords,
  unknown_stream: missing('No such stream: GET lists those of this client'),
  unknown_client: missing('The client of this token is not there any more'),
  unknown_endpoint: missing('No such stream: GET lists those of this client'),
  too_many_endpoints: conflicting('The client has as many streams and webhook endpoints as it may have: delete one'),
  method_fixed: unfit('delivery.method cannot be changed: delete the stream and make another'),
  url_missing: unfit(`delivery.endpoint_url is needed for ${'urn:ietf:rfc:8935'}`),
  poll_url_given: unfit('delivery.endpoint_url of urn:ietf:rfc:8936 is given by the transmitter: leave it out'),
  not_polled: conflicting('The stream is pushed to its URL: make one whose delivery.method is urn:ietf:rfc:8936 to poll'),
  audience_fixed: unfit('aud and iss cannot be changed'),
  subject_unknown: unfit(
    'subject has to name an account: {"format":"iss_sub","iss":"<issuer>","sub":"<account id>"}, alone or as user of a complex one',
  ),
} as const;
