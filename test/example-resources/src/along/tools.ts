import type { Guard } from '@grantlog/guard';
import type { Safe, Safes } from './safes.ts';

/** Who calls, as the guard has just said, and for which Safe: `pinned` where the URL names it. */
export type Caller = {
  readonly guard: Guard;
  readonly token: string;
  readonly safes: Safes;
  /** What the account may open. */
  readonly allowed: readonly string[];
  /** What the grant is for; null where nothing was chosen. */
  readonly selected: string | null;
  readonly pinned: boolean;
};

/** What a tool cannot do for its caller, in words that its model can act on. */
export class ToolRefusal extends Error {
  override readonly name = 'ToolRefusal';
}

type Input = Readonly<Record<string, unknown>>;

export type Tool = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** What the token needs: the guard has looked for it before the tool runs. */
  readonly scope: 'vault:read' | 'vault:write';
  readonly annotations: { readonly readOnlyHint: boolean; readonly idempotentHint: boolean };
  readonly properties: Readonly<Record<string, { readonly type: 'string'; readonly description: string; readonly maxLength: number }>>;
  /** @throws ToolRefusal */
  readonly run: (caller: Caller, input: Input) => object | Promise<object>;
};

const textOf = (input: Input, name: string): string => {
  const value = input[name];
  if (typeof value !== 'string' || value.trim() === '') throw new ToolRefusal(`${name} is required`);
  return value;
};

const openSafe = ({ safes, selected }: Caller): Safe => {
  if (selected === null) throw new ToolRefusal('No Safe is selected. Call along_list_safes, then along_select_safe with a safeId');
  const safe = safes.find(selected);
  if (safe === null) throw new ToolRefusal('Safe not found or not active');
  return safe;
};

const listSafes = ({ safes, allowed, selected, pinned }: Caller): object => ({
  safes: allowed
    .filter((safeId) => !pinned || safeId === selected)
    .flatMap((safeId) => safes.find(safeId) ?? [])
    .map(({ safeId, name }) => ({ safeId, name, selected: safeId === selected })),
});

const forOneSafe = 'This connection is for one Safe. Connect to the server without a safeId in its URL to choose another';

const selectSafe = async ({ guard, token, safes, allowed, pinned }: Caller, input: Input): Promise<object> => {
  const safeId = textOf(input, 'safeId');
  if (pinned) throw new ToolRefusal(forOneSafe);
  const safe = safes.find(safeId);
  // Whoever may not see a Safe is not told whether it is there.
  if (safe === null || !allowed.includes(safeId))
    throw new ToolRefusal(safe === null ? 'Safe not found or not active' : 'You do not have access to this safe');
  const changed = await guard.selectContext({ token, context: safeId });
  if (changed.kind === 'selected')
    return { message: `Now using ${safe.name}`, previousSafeId: changed.previous, newSafeId: safeId, newSafeName: safe.name };
  switch (changed.reason) {
    case 'context_pinned':
      throw new ToolRefusal(forOneSafe);
    case 'unknown_context':
      throw new ToolRefusal('You do not have access to this safe');
    case 'invalid_token':
    case 'unsupported':
    case 'unavailable':
      throw new ToolRefusal('Could not update session. Please reconnect.');
  }
};

const ask = (caller: Caller, input: Input): object => {
  const safe = openSafe(caller);
  const words = textOf(input, 'query')
    .toLowerCase()
    .split(/\W+/)
    .filter((word) => word.length > 3);
  const answers = safe.notes.filter((note) => words.some((word) => note.toLowerCase().includes(word)));
  return { safeId: safe.safeId, safeName: safe.name, answers };
};

const remember = (caller: Caller, input: Input): object => {
  const { safeId, name } = openSafe(caller);
  caller.safes.add(safeId, textOf(input, 'note'));
  return { safeId, safeName: name, message: 'Remembered' };
};

const documented: readonly Tool[] = [
  {
    name: 'along_list_safes',
    title: 'List Safes',
    description: 'The Safes that this connection may open, and which one is selected.',
    scope: 'vault:read',
    annotations: { readOnlyHint: true, idempotentHint: true },
    properties: {},
    run: listSafes,
  },
  {
    name: 'along_select_safe',
    title: 'Select a Safe',
    description: 'Selects the Safe that later questions are about. The choice belongs to the connection and outlives refreshes.',
    scope: 'vault:read',
    annotations: { readOnlyHint: false, idempotentHint: true },
    properties: { safeId: { type: 'string', description: 'The safeId of a Safe that along_list_safes names', maxLength: 64 } },
    run: selectSafe,
  },
  {
    name: 'along',
    title: 'Ask a Safe',
    description: 'Looks up what the selected Safe knows about a question.',
    scope: 'vault:read',
    annotations: { readOnlyHint: true, idempotentHint: true },
    properties: { query: { type: 'string', description: 'What you want to know', maxLength: 1_000 } },
    run: ask,
  },
];

const previewed: Tool = {
  name: 'along_remember',
  title: 'Add to a Safe',
  description: 'Adds a note to the selected Safe.',
  scope: 'vault:write',
  annotations: { readOnlyHint: false, idempotentHint: false },
  properties: { note: { type: 'string', description: 'What to remember', maxLength: 1_000 } },
  run: remember,
};

/** The tools that the documentation names; with `preview` also the one whose scope it reserves for the future. */
export const toolsOf = (preview: boolean): readonly Tool[] => (preview ? [...documented, previewed] : documented);
