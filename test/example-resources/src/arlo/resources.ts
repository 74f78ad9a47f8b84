import type { IncomingMessage } from 'node:http';
import { readBody } from '../read-body.ts';
import { readContactBody } from './contact-body.ts';
import type { Contact, Records, TrainingEvent } from './data.ts';
import { found, type Reply, refusal } from './reply.ts';
import type { Reach } from './roles.ts';
import type { Value } from './xml.ts';

/** Who may see at least something; whoever may see nothing never gets here. */
type Sight = Exclude<Reach, { readonly kind: 'nothing' }>;

export type Call = {
  readonly request: IncomingMessage;
  readonly records: Records;
  readonly sight: Sight;
  /** The public URL of the resource, without a slash at its end. */
  readonly base: string;
};

const showContact = (base: string, contact: Contact): Value => ({ ...contact, href: `${base}/contacts/${contact.contactId}/` });

const showEvent = (base: string, event: TrainingEvent): Value => ({
  ...event,
  presenterHref: `${base}/contacts/${event.presenterContactId}/`,
});

const isVisible = (sight: Sight, contactId: number): boolean => sight.kind === 'everything' || sight.contactId === contactId;

const notOwn = refusal(403, {
  error: 'not_your_own',
  error_description: 'A presenter reads its own contact and events only. Everything else needs the role administrator beside api_user',
});

export const index = ({ base }: Pick<Call, 'base'>): Reply =>
  found('Resources', {
    description: 'An example of a protected resource: training events and the people in them',
    resources: [
      { name: 'events', href: `${base}/events/`, methods: ['GET'] },
      { name: 'contacts', href: `${base}/contacts/`, methods: ['GET'] },
      { name: 'contact', href: `${base}/contacts/562/`, methods: ['GET', 'PUT'] },
    ],
    scopes: ['read', 'write'],
    mediaTypes: ['application/xml', 'application/json'],
  });

export const listEvents = ({ records, sight, base }: Call): Reply =>
  found('EventList', {
    href: `${base}/events/`,
    events: records.events().flatMap((event) => (isVisible(sight, event.presenterContactId) ? [showEvent(base, event)] : [])),
  });

export const listContacts = ({ records, sight, base }: Call): Reply =>
  found('ContactList', {
    href: `${base}/contacts/`,
    contacts: records.contacts().flatMap((contact) => (isVisible(sight, contact.contactId) ? [showContact(base, contact)] : [])),
  });

export const readContact = ({ records, sight, base }: Call, id: number): Reply => {
  // Before the look-up, so that a presenter cannot tell which contacts exist.
  if (!isVisible(sight, id)) return notOwn;
  const contact = records.contact(id);
  if (contact === undefined)
    return refusal(404, { error: 'not_found', error_description: `There is no contact ${id}. ${base}/contacts/ lists them` });
  return found('Contact', showContact(base, contact));
};

export const changeContact = async (call: Call, id: number): Promise<Reply> => {
  const { request, records, sight, base } = call;
  if (sight.kind === 'own') {
    return refusal(403, {
      error: 'read_only',
      error_description: 'A presenter reads and does not change. Changes need the role administrator beside api_user',
    });
  }
  if (records.contact(id) === undefined) return readContact(call, id);
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    return refusal(415, { error: 'unsupported_media_type', error_description: 'Send the contact as application/json' }, [
      ['Accept', 'application/json'],
    ]);
  }
  const body = await readBody(request, 4_096);
  if (body.kind === 'too_large') {
    return refusal(413, { error: 'too_large', error_description: 'A contact has at most 4096 bytes' }, [['Connection', 'close']]);
  }
  if (body.kind === 'not_text') return refusal(400, { error: 'invalid_contact', error_description: 'The body must be UTF-8' });
  const read = readContactBody(body.text);
  if (read.kind === 'wrong') {
    return refusal(400, { error: 'invalid_contact', error_description: 'The contact cannot be changed to that', problems: read.problems });
  }
  const contact = { contactId: id, ...read.change };
  records.replace(contact);
  return found('Contact', showContact(base, contact));
};
