import { parseArgs } from 'node:util';
import type { GrantId } from '@grantlog/domain';
import { tellGrant } from '../audit/tell-grant.ts';
import type { Command } from '../command.ts';
import { createNarrator } from '../demo/narrator.ts';
import { tellSignUp } from '../demo/sign-up-story.ts';
import { tellStory } from '../demo/story.ts';
import { findTarget, startTarget, type Target } from '../demo/target.ts';
import { Ended, listenForEnd, unlessEnded } from '../launcher/end-request.ts';
import { Problem } from '../problem.ts';

/** `grantlog demo`. */
export const demoCommand: Command = {
  name: 'demo',
  summary: "play an agent's whole life against the server here, step by step",
  usage: `grantlog demo [--platform <name>]

Discovery, sign-in and consent, code, tokens, userinfo, refresh, webhooks, revocation, refusal, and on a platform with an
example API (arlo) a call of it before and after; then, where agents sign people up (arlo-health), how one without a browser
brings the person in. Each step is printed with what went over the wire, secrets shortened.
Runs against the server that start has up, else against one of its own with a database of its own, which it removes again.
Exits with 1 at the first deviation. The platform is arlo-health unless named.`,
  run: async (argv, io) => {
    const { values } = parseArgs({ args: [...argv], options: { platform: { type: 'string', default: 'arlo-health' } } });
    const end = listenForEnd();
    let target: Target | null = null;
    try {
      target = (await findTarget(io)) ?? (await startTarget(io, end.signal));
      const { demo, owned } = target;
      io.out(`An agent's life on ${demo.platforms[values.platform]?.issuer ?? values.platform}`);
      const narrator = createNarrator(io.out);
      const grantId = await unlessEnded(end.signal, tellStory(demo, values.platform, narrator));
      await unlessEnded(end.signal, tellSignUp(demo, values.platform, narrator));
      io.out('');
      if (owned === null) {
        io.out(`Everything held. Its story in the log: npx -y pnpm@12 grantlog audit grant ${grantId}`);
      } else {
        io.out('Everything held. Its story in the log, as grantlog audit prints it:');
        for (const line of await tellGrant({ ...owned, grantId: grantId as GrantId, platform: values.platform })) io.out(line);
      }
      return 0;
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (error instanceof Ended) return 130;
      io.note(`The demo met a deviation: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    } finally {
      await target?.stop();
      end.dispose();
    }
  },
};
