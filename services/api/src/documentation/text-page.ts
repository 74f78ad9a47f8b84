import type { PlatformDocument } from '@grantlog/domain';

/** What a page is written from: a platform as its document has it, so that no page says what is not so. */
export type Described = { readonly document: PlatformDocument; readonly issuer: string };

/** A page of documentation for programs that read text. */
export type TextPage = {
  /** The last segment of its path, before `.md`. */
  readonly slug: string;
  readonly title: string;
  /** One sentence, for the list of pages. */
  readonly about: string;
  readonly isFor: (document: PlatformDocument) => boolean;
  readonly write: (described: Described) => string;
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

/** A Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** Parts of a page, a blank line between them; what a platform does not have is null. */
export const paragraphs = (...parts: readonly (string | null)[]): string => `${parts.filter((part) => part !== null).join('\n\n')}\n`;

const units = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
] as const;

/** A number of seconds as people say it, exactly. */
export const lasting = (seconds: number): string => {
  const [size, unit] = units.find(([each]) => seconds >= each && seconds % each === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
};
