import type { Reply } from './reply.ts';
import { type Call, changeContact, index, listContacts, listEvents, readContact } from './resources.ts';

/** What one method of one place does, and the scope it needs. */
type Operation = { readonly scope: 'read' | 'write'; readonly run: (call: Call) => Reply | Promise<Reply> };

/** A place by its path: open to everybody, or with an operation for each method. */
export type Route =
  | { readonly kind: 'open'; readonly answer: (place: Pick<Call, 'base'>) => Reply }
  | { readonly kind: 'protected'; readonly operations: Readonly<Partial<Record<'GET' | 'PUT', Operation>>> };

const read = (run: Operation['run']): Operation => ({ scope: 'read', run });

/** Finds the place of a path, with or without a slash at its end; null where there is none. */
export const findRoute = (path: string): Route | null => {
  const place = path.replace(/\/$/, '');
  if (place === '/arlo') return { kind: 'open', answer: index };
  if (place === '/arlo/events') return { kind: 'protected', operations: { GET: read(listEvents) } };
  if (place === '/arlo/contacts') return { kind: 'protected', operations: { GET: read(listContacts) } };
  const id = /^\/arlo\/contacts\/([1-9]\d{0,8})$/.exec(place)?.[1];
  if (id === undefined) return null;
  return {
    kind: 'protected',
    operations: {
      GET: read((call) => readContact(call, Number(id))),
      PUT: { scope: 'write', run: (call) => changeContact(call, Number(id)) },
    },
  };
};

/** The value of Allow (RFC 9110 §10.2.1). HEAD goes wherever GET does. */
export const methodsOf = (route: Route): readonly string[] =>
  (route.kind === 'open' ? ['GET'] : Object.keys(route.operations)).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
