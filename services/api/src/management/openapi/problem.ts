import Type from 'typebox';

/** How every refusal of the JSON APIs looks. */
export const problem = {
  description: 'A problem (RFC 9457)',
  content: {
    'application/problem+json': {
      schema: Type.Object({
        type: Type.String(),
        title: Type.String(),
        status: Type.Integer(),
        detail: Type.Optional(Type.String()),
        instance: Type.Optional(Type.String()),
        code: Type.Optional(Type.String({ description: 'What programs read' })),
        oldest: Type.Optional(Type.Union([Type.Integer(), Type.Null()], { description: 'The first position of which everything is kept' })),
        after: Type.Optional(Type.String({ description: 'What to go on after' })),
        role: Type.Optional(Type.String({ description: 'The role that is missing' })),
        error: Type.Optional(Type.String({ description: 'The same as code, where agents are told' })),
        resolution: Type.Optional(Type.String({ description: 'What an agent should do about it' })),
        retry_after: Type.Optional(Type.Integer({ description: 'Seconds' })),
        eventTypes: Type.Optional(Type.Array(Type.String(), { description: 'Those that there are, where another was asked for' })),
        errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), problem: Type.String(), fix: Type.String() }))),
      }),
    },
  },
};
