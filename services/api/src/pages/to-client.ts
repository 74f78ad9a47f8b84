import type { FastifyReply } from 'fastify';

/** Sends the browser back to the app. 303, so that no form is sent on to it (RFC 9700 §4.12); what stood here stays here. */
export const toClient = (reply: FastifyReply, location: string): FastifyReply =>
  reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(location, 303);
