import type { StreamId } from '@grantlog/eventsourcing';
import { Problem } from '../problem.ts';
import { type AuditServer, answerOf } from './audit-server.ts';
import { readAccount } from './read-id.ts';

/**
 * The id of an account that a person names by id or email. An email is asked for in a body, and by the events of the
 * account: the id is what goes into URLs.
 *
 * @throws Problem where no account has the email
 */
export const findAccount = async (server: AuditServer, text: string): Promise<StreamId> => {
  const named = readAccount(text);
  if ('account' in named) return named.account;
  const asked = server.post('events', { ...named, type: 'account.*', order: 'oldest', limit: 1 });
  const { events } = await answerOf<{ readonly events: readonly { readonly streamId: StreamId }[] }>(server, asked, 'events');
  const [first] = events;
  if (first === undefined)
    throw new Problem('No account there has this email', 'check its spelling; of somebody who was erased, give the id of the account');
  return first.streamId;
};
