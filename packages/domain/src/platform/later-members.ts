import type { PlatformDocument } from './document.ts';
import { consentDefaults, registrationDefaults } from './document-clients.ts';

type Later = 'agentSignUp' | 'mcpServer' | 'consent' | 'contexts' | 'trustedIssuers';

/** A document as an event of an earlier version may have it: without the members that came since. */
type Earlier = Omit<PlatformDocument, Later> & Partial<Pick<PlatformDocument, Later>>;

/**
 * The document of an event, complete: events are never rewritten, so what came later has its default until the operator
 * applies the document again.
 */
export const withLaterMembers = (recorded: PlatformDocument): PlatformDocument => {
  const document: Earlier = recorded;
  return {
    ...document,
    agentSignUp: document.agentSignUp ?? null,
    mcpServer: document.mcpServer ?? null,
    consent: document.consent ?? consentDefaults,
    contexts: document.contexts ?? null,
    trustedIssuers: document.trustedIssuers ?? [],
    registration: { ...registrationDefaults, ...document.registration },
    resources: document.resources.map((resource) => ({ ...resource, perContext: resource.perContext ?? false })),
  };
};
