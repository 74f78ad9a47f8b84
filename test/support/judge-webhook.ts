import { type EventType, eventTypes } from '@grantlog/domain';
import { Compile } from 'typebox/schema';

type Open = { readonly properties: { readonly data: object } };

/** The schema that is published, and closed to what it does not describe: receivers put up with that, our tests do not. */
const closed = ({ schema }: EventType): object => {
  const { properties } = schema as unknown as Open;
  const data = { ...properties.data, additionalProperties: false };
  return { ...schema, additionalProperties: false, properties: { ...properties, data } };
};

const validators = new Map(eventTypes.map((described) => [described.type, Compile(closed(described))]));

/** How the body of a webhook differs from what the catalogue says of its type; empty where it does not. */
export const judgeWebhook = (body: { readonly type: string }): readonly string[] => {
  const validator = validators.get(body.type);
  if (validator === undefined) return [`${body.type} is in no catalogue`];
  const [, errors] = validator.Errors(body);
  return errors.map(({ instancePath, message, params }) => `${body.type} ${instancePath} ${message}: ${JSON.stringify(params)}`);
};
