import type { DocumentProblem } from '@grantlog/domain';
import { ProblemError, problem } from '@grantlog/protocol';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { unstorable } from './unstorable.ts';

/** More would help nobody who reads them. */
const mostErrors = 50;

const spell = (path: readonly (string | number)[]): string =>
  path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`), '');

const steps = (pointer: string): readonly (string | number)[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));

type SchemaError = ReturnType<ReturnType<typeof Compile>['Errors']>[number];

const shown = (name: string): string => name.slice(0, 60).replaceAll(/\p{Cc}|\p{Cs}/gu, '\ufffd');

/** One error of the schema as what its sender can mend; nothing where another error says it better. */
const toProblems = (error: SchemaError): readonly DocumentProblem[] => {
  const at = steps(error.instancePath);
  const described: DocumentProblem = { path: spell(at), problem: error.message, fix: 'Send a value as /openapi.json describes it.' };
  switch (error.keyword) {
    case 'additionalProperties':
      return error.params.additionalProperties.map((name) => ({
        path: spell([...at, shown(name)]),
        problem: 'is not a known property',
        fix: 'Remove it; /openapi.json lists what is known here.',
      }));
    case 'required':
      return error.params.requiredProperties.map((name) => ({
        path: spell([...at, name]),
        problem: 'is missing',
        fix: 'Add it; /openapi.json says what it is.',
      }));
    // `boolean` repeats additionalProperties, `anyOf` the errors of its members, and null is never what was meant.
    case 'boolean':
    case 'anyOf':
      return [];
    case 'type':
      return error.params.type === 'null' ? [] : [described];
    default:
      return [described];
  }
};

/** A request whose contents are refused: every reason at once, each with its place. */
export const invalidContents = (where: string, errors: readonly DocumentProblem[]): ProblemError =>
  new ProblemError(
    problem({
      status: 400,
      type: 'urn:grantlog:problem:invalid_request',
      title: 'Invalid request',
      detail: `The ${where} is refused: ${errors
        .slice(0, 3)
        .map(({ path, problem: what }) => `${path === '' ? 'it' : path} ${what}`)
        .join('; ')}${errors.length > 3 ? '; …' : ''}`,
      members: { code: 'invalid_request', errors: errors.slice(0, mostErrors) },
    }),
    { headers: { 'cache-control': 'no-store' } },
  );

const partNames: Readonly<Record<string, string>> = { body: 'body', querystring: 'query', params: 'path', headers: 'header' };

/** What is wrong with a value, as its sender can mend it: by its schema, and as text that is to be stored. Empty where nothing is. */
export const checkerOf = (schema: TSchema): ((value: unknown) => readonly DocumentProblem[]) => {
  const validator = Compile(schema);
  return (value) => {
    const texts = unstorable(value).map(({ path, ...text }) => ({ ...text, path: spell(path) }));
    if (texts.length > 0 || validator.Check(value)) return texts;
    const problems = validator.Errors(value).flatMap(toProblems);
    return problems.length > 0
      ? problems
      : [{ path: '', problem: 'has not the shape that is described', fix: 'Send a value as /openapi.json describes it.' }];
  };
};

/**
 * Validates with TypeBox, and answers in problems. Bodies are taken as they are; parts of a URL, which are all text, are
 * converted first. A request without a body counts as `{}`: commands whose every member is optional need none.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'body' }) => {
  const problemsOf = checkerOf(schema);
  const where = partNames[httpPart] ?? httpPart;
  return (value: unknown) => {
    const read = httpPart === 'body' ? (value ?? {}) : Value.Convert(schema, { ...(value as object) });
    const problems = problemsOf(read);
    return problems.length > 0 ? { error: invalidContents(where, problems) } : { value: read };
  };
};
