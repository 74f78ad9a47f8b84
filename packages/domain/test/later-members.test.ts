import { specification } from '@grantlog/eventsourcing';
import { expect, test } from 'vitest';
import { type PlatformDocument, platformDecider } from '../src/index.ts';
import { documentOf } from './documents.ts';

const { replay } = specification(platformDecider);

test('a document recorded before a member came has the default of that member', () => {
  const today = documentOf({ resources: [{ uri: 'https://a.example/mcp', name: 'A' }] });
  const { agentSignUp, mcpServer, consent, contexts, trustedIssuers, registration, resources, ...rest } = today;
  const earlier = {
    ...rest,
    registration: { policy: registration.policy },
    resources: resources.map(({ perContext: _, ...resource }) => resource),
  } as unknown as PlatformDocument;
  expect(replay([{ type: 'platform.configured', data: { document: earlier } }])).toMatchObject({ document: today });
});
