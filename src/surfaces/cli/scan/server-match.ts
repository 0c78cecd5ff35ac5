import type { Component } from "../../../modules/software/component.ts";
import type { ScanReport } from "../../../modules/vulnerabilities/domain/report.ts";
import { callOperation } from "../client.ts";
import type { Connection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { say } from "../io.ts";
import type { CliContext } from "../local-command.ts";
import { createProgressLine } from "../progress.ts";
import type { ScannedInput } from "./read-scan-input.ts";
import type { Recording, ScanOptions } from "./scan-options.ts";

/** Lets the server match, which keeps nothing. */
export async function matchThere(context: CliContext, connection: Connection, components: readonly Component[], target: NonNullable<ScanReport["target"]>): Promise<ScanReport> {
  const answer = await call(context, connection, "vulnerabilities.scan", { components: components.map(plain) });
  return { ...checked(answer, connection), target };
}

/** Records or registers the input, waits for its findings and answers them. Throws CliError where they are not known. */
export async function recordThere(context: CliContext, connection: Connection, software: ScannedInput, input: ScanOptions["input"], recording: Recording): Promise<ScanReport> {
  const { os } = software;
  const common = { components: software.components.map(plain), ...(os !== undefined && { os: { ...os } }) };
  const recorded = recording.kind === "image" ? await registerImage(context, connection, software, input, recording, common) : await recordAsset(context, connection, software, recording, common);
  say(context.io, `${recorded.what} (${recorded.id}).`);
  const { event } = recorded;
  if (event !== undefined && event.state !== "handled") {
    const how = event.state === "pending" ? "are not known yet" : "could not be worked out: matching failed";
    throw new CliError(`${recorded.what}, but its findings ${how} (event ${event.id}, ${event.state}).`, {
      next: event.state === "pending" ? `ask again in a moment: qinfra ${recorded.report.command} ${recorded.id}` : "look at the server's log, then scan again",
    });
  }
  const found = (await call(context, connection, recorded.report.operation, { id: recorded.id })) as { state?: string; report?: unknown };
  if (found.report === null || found.report === undefined) {
    throw new CliError(`${recorded.what}, but its findings are not known (state ${found.state ?? "unknown"}).`, { next: `ask again in a moment: qinfra ${recorded.report.command} ${recorded.id}` });
  }
  if (found.state === "stale") say(context.io, "warning: the advisories changed while the scan ran; these findings are of those before");
  return checked(found.report, connection);
}

interface Recorded {
  what: string;
  id: string;
  event?: { id: string; state: string };
  report: { operation: string; command: string };
}

type Common = { components: Component[]; os?: object };

async function registerImage(context: CliContext, connection: Connection, { image }: ScannedInput, input: ScanOptions["input"], { family, version }: Extract<Recording, { kind: "image" }>, common: Common): Promise<Recorded> {
  const answer = (await call(context, connection, "images.register", { family, version, source: input.kind, ...common, ...(image?.digest !== undefined && { digest: image.digest }) })) as { image: { id: string }; event?: Recorded["event"] };
  return {
    what: `Registered as image ${family}:${version}`, id: answer.image.id, ...(answer.event && { event: answer.event }),
    report: { operation: "vulnerabilities.get-image-report", command: "images report" },
  };
}

async function recordAsset(context: CliContext, connection: Connection, { host }: ScannedInput, recording: Extract<Recording, { kind: "asset" }>, common: Common): Promise<Recorded> {
  const name = recording.name ?? host?.name;
  const about = host ?? { source: "import" };
  const answer = (await call(context, connection, "inventory.record-scan", { ...about, name, ...common })) as { asset: { id: string }; event?: Recorded["event"] };
  return {
    what: `Recorded as asset ${name}`, id: answer.asset.id, ...(answer.event && { event: answer.event }),
    report: { operation: "vulnerabilities.get-asset-report", command: "assets report" },
  };
}

async function call({ io, operation }: CliContext, connection: Connection, id: string, input: Record<string, unknown>): Promise<unknown> {
  const line = createProgressLine(io);
  try {
    return await callOperation(io, connection, operation(id), { input, progress: (progress) => line.show(progress) });
  } finally {
    line.end();
  }
}

/** What a parser may add beyond the three fields is not the server's. */
function plain({ name, version, purl }: Component): Component {
  return { name, ...(version !== undefined && { version }), ...(purl !== undefined && { purl }) };
}

function checked(answer: unknown, connection: Connection): ScanReport {
  if ((answer as { schema?: unknown } | null)?.schema === "qinfra.scan/1") return answer as ScanReport;
  throw new CliError(`The server at ${connection.url} answered with a report of another kind.`, { next: "use the qinfra of the server's version" });
}
