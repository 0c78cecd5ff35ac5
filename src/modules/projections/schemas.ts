import { Type, type Static } from "typebox";

export const ProjectionName = Type.String({
  pattern: "^[a-z][a-z0-9-]*\\.[a-z][a-z0-9-]*$", maxLength: 100, description: "Name of a projection", examples: ["analytics.activity"],
});
export const BuildReason = Type.Enum(["first", "version", "asked"], { description: "Why it was built: `version` is that its code changed" });
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const Position = (description: string) => Type.Integer({ minimum: 0, description });
const Problem = Maybe(Type.String({ description: "Why it does not go on; it is tried again" }));

export const Rebuild = Type.Object({
  build: Type.Integer({ minimum: 1 }),
  reason: BuildReason,
  position: Position("Up to where in the log it is built"),
  startedAt: Type.String({ format: "date-time" }),
  problem: Problem,
});

export const Projection = Type.Object({
  name: ProjectionName,
  state: Type.Enum(["current", "behind", "failing"], { description: "`behind`: there are events that it has not counted yet. `failing`: the next ones cannot be counted" }),
  version: Type.Integer({ minimum: 0, description: "Of the code that built it" }),
  build: Type.Integer({ minimum: 1, description: "Number of the build that is read" }),
  reason: BuildReason,
  position: Position("Up to where in the log it counts"),
  head: Position("Last position of the log"),
  lag: Position("Events of the log that it has not looked at"),
  lagSeconds: Type.Number({ minimum: 0, description: "Age of the oldest of them" }),
  events: Position("Events that it was made of"),
  activeSince: Type.String({ format: "date-time", description: "Since when this build is read" }),
  matches: Maybe(Type.Boolean({ description: "Whether it was found to be the same as the build before; null where that could not be compared" })),
  problem: Problem,
  rebuild: Maybe(Rebuild),
  removing: Type.Boolean({ description: "Rows of builds that are not read any more are being removed" }),
}, { $id: "Projection" });
export type Projection = Static<typeof Projection>;
