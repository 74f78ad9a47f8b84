import { recordAuditRead } from '@grantlog/provisioning';
import { listAuditEvents } from '@grantlog/read-models';
import Type from 'typebox';
import type { Deps } from '../deps.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { EventDoor } from './event-routes.ts';
import { notSignedYet, openSigned, receiptAnswer, receiptOf, sendReceipt } from './receipt.ts';
import { auditWords } from './words.ts';

/**
 * Receipts of the events that a door shows, for whoever they concern: what proves to a third party that the log says so.
 *
 * A leaf is given whole, for one without a member proves nothing. Beyond the event as the door shows it, it has the digest of
 * ciphertext and the nonces that tokens are computed from: of grants of this account or client, and good for nothing without the
 * platform's token key.
 */
export const receiptRoutes =
  (deps: Deps & Pick<AuditDeps, 'pool'>, door: EventDoor) =>
  (app: JsonApi): void => {
    const { pool } = deps;
    app.get(
      `${door.prefix}/receipts/:position`,
      {
        ...door.route,
        schema: {
          tags: ['Audit'],
          summary: 'A receipt of an event that is shown here, a .tlog-proof with its leaf as extra: proves offline that the log has it',
          params: Type.Object({ ...door.params.properties, position: Type.Integer({ minimum: 1 }) }),
          response: { 200: receiptAnswer },
        },
      },
      async (request, reply) => {
        const { names, by, own, isOfOthers } = await door.ask(request);
        const { platform } = names;
        // The gate has judged the rest of the path.
        const { position } = request.params as { readonly position: number };
        // How far the tree and the index have come is the same for everybody; only then is it asked whose the event is.
        const signed = await openSigned(pool, { platform, position });
        const filter = { ...own, from: position, to: position };
        const { entries, through } = await listAuditEvents(pool, { platform, filter, order: 'oldest', limit: 1, minPosition: position });
        if (through < position) throw notSignedYet();
        if (isOfOthers) await recordAuditRead(deps.provisioning, by, { platform, question: 'entries', about: { position, ...own } });
        if (entries.length === 0) throw refusalProblem(auditWords, 'unknown_event');
        return sendReceipt(reply, await receiptOf(pool, signed));
      },
    );
  };
