import type { IncomingMessage } from 'node:http';
import type { Guard } from '@grantlog/guard';
import { presenterContactId, type Records } from './data.ts';
import { mediaTypes, negotiate } from './negotiation.ts';
import { type Reply, refusal } from './reply.ts';
import { reachOf } from './roles.ts';
import { findRoute, methodsOf } from './routes.ts';

export type Resource = {
  readonly guard: Guard;
  readonly records: Records;
  /** The public URL of the resource, without a slash at its end. */
  readonly base: string;
  /** The presenter's account; null where there is none. */
  readonly presenter: string | null;
};

/** The proxy in front says who asked, as the last value or the only one; what stands before it may be anybody's invention. */
const clientAddressOf = (request: IncomingMessage): string | undefined => {
  const header = request.headers['x-forwarded-for'];
  const forwarded = Array.isArray(header) ? header.join(',') : header;
  return forwarded?.split(',').at(-1)?.trim() || request.socket.remoteAddress;
};

/** Answers a request: where, how, what as, who, what they may, and only then what is there. */
export const answer = async ({ guard, records, base, presenter }: Resource, request: IncomingMessage): Promise<Reply> => {
  const route = findRoute((request.url ?? '').split('?')[0] ?? '');
  if (route === null) return refusal(404, { error: 'not_found', error_description: `Nothing is here. ${base}/ lists what there is` });

  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const operation = route.kind === 'protected' && (method === 'GET' || method === 'PUT') ? route.operations[method] : undefined;
  if (operation === undefined && !(route.kind === 'open' && method === 'GET')) {
    const allowed = methodsOf(route).join(', ');
    return refusal(405, { error: 'method_not_allowed', error_description: `Here are ${allowed}` }, [['Allow', allowed]]);
  }
  if (negotiate(request.headers.accept) === null) {
    return refusal(406, { error: 'not_acceptable', error_description: `Accept names nothing of what there is: ${mediaTypes.join(', ')}` });
  }
  if (route.kind === 'open') return route.answer({ base });
  if (operation === undefined) throw new Error('a protected route without an operation was answered above');

  const outcome = await guard.check({
    authorization: request.headersDistinct['authorization'],
    scope: [operation.scope],
    clientAddress: clientAddressOf(request),
    request,
    // The proxy in front maps the resource's URI to this path.
    url: base + (request.url ?? '').replace(/^\/arlo/, ''),
  });
  if (outcome.kind === 'refused') return refusal(outcome.status, { ...outcome.body }, outcome.headers);

  const sight = reachOf(outcome, { account: presenter, contactId: presenterContactId });
  const reply =
    sight.kind === 'nothing'
      ? refusal(403, { error: 'insufficient_role', error_description: sight.reason })
      : await operation.run({ request, records, sight, base });
  // Whoever came by HTTP Basic is told of its end with every answer, whatever it is.
  return { ...reply, headers: [...outcome.headers, ...reply.headers] };
};
