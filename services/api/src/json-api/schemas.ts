import Type, { type Static, type TProperties, type TSchema } from 'typebox';

/** An object that takes exactly these members. */
export const exactly = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: false });

export const label = Type.String({ minLength: 1, maxLength: 100 });
export const instant = Type.String({ description: 'RFC 3339, UTC' });
export const position = Type.Integer({
  minimum: 0,
  description: "A position in the platform's log; give it as minPosition to read what was just written",
});
export const overlapSeconds = Type.Integer({ minimum: 0, maximum: 2_592_000, description: 'How long the previous secret stays good' });

/** Fixed phrases only: reasons stand in events, and a free text could name a person. */
const reason = Type.Enum(['unspecified', 'requested', 'compromised', 'abuse', 'inactive', 'maintenance']);
export const reasonBody = exactly({ reason: Type.Optional(reason) });
export const keyReason = Type.Enum(['routine', 'compromised']);
export const noBody = exactly({});

/** What every command answers. */
export const changed = Type.Object({
  position,
  changed: Type.Boolean({ description: 'False where everything was already as asked' }),
});

export type Changed = Static<typeof changed>;

export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
export const platformParams = Type.Object({ platform: Type.String() });
