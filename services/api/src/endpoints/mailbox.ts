import { SealBroken } from '@grantlog/crypto';
import { listMail, type Pool, type StoredMail } from '@grantlog/postgres';
import { type Mail, openMail } from '@grantlog/provisioning';
import { isLoopbackHost } from '@grantlog/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { UnknownPlatformRequested } from '../http/not-found.ts';
import { sendPage } from '../http/page.ts';
import { type MailboxMail, mailboxBody } from '../pages/mailbox-page.ts';

const shown = 50;

const loopbackPeer = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/;

/**
 * Whether the request was made to this computer itself. A page from elsewhere whose name was made to resolve to loopback
 * sends its own `Host`, whatever came through a tunnel or proxy was not made here, and with `HOST` the network can ask, too.
 */
const isFromHere = ({ headers, socket }: FastifyRequest): boolean => {
  const host = `http://${headers.host ?? ''}`;
  const forwarded = headers.forwarded ?? headers['x-forwarded-for'] ?? headers['x-forwarded-host'];
  const isHere = loopbackPeer.test(socket.remoteAddress ?? '');
  return isHere && forwarded === undefined && URL.canParse(host) && isLoopbackHost(new URL(host).hostname);
};

/** A mail in the clear; nothing for one that another secret sealed. */
const open = (deps: Pick<Deps, 'sealer'>, { platform, id, state, sealed, createdAt }: StoredMail): readonly MailboxMail[] => {
  let mail: Mail;
  try {
    mail = openMail(deps.sealer, { platform, id, sealed });
  } catch (error) {
    if (error instanceof SealBroken) return [];
    throw error;
  }
  return [{ platform, id, state, created_at: createdAt.toISOString(), ...mail }];
};

/**
 * `GET /mailbox`: the newest mails of all platforms, for people and, by `Accept`, for programs. In development only, and
 * only from this computer: elsewhere there is no such route, and the path reads as the name of a platform that is not there.
 */
export const mailboxEndpoint =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): void => {
    if (!deps.config.isDevelopment) return;
    // Codes stand in there, and nobody is asked who they are: right on a developer's own computer and nowhere else.
    app.get('/mailbox', { config: { authentication: 'none', errors: 'page' } }, async (request, reply) => {
      if (!isFromHere(request)) throw new UnknownPlatformRequested('mailbox');
      const mails = (await listMail(deps.pool, shown)).flatMap((stored) => open(deps, stored));
      if ((request.headers.accept ?? '').includes('text/html'))
        return sendPage(reply, 200, { title: 'Mailbox', branding: null, body: mailboxBody(mails) });
      return reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }).send({ mails });
    });
  };
