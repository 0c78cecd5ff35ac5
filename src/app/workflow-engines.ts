import type pg from "pg";
import type { Config } from "../platform/config.ts";
import type { EngineTls } from "../platform/tls/index.ts";
import type { EnginePorts, WorkflowEngine } from "../platform/workflow/index.ts";
import { temporalBundle, workflowsEntry } from "./worker-entry.ts";

/** Where workflows run. */
export interface WorkflowSetting {
  /** Program of the thread that runs them on DBOS. */
  entry: URL;
  /** Past a pooler, as the system role. */
  connection: pg.ClientConfig;
  /** Given where they run on Temporal; the URL as in WORKFLOWS_URL. */
  temporal?: { url: string; tls?: EngineTls };
}

export function workflowSetting({ workflowsUrl }: Pick<Config, "workflowsUrl">, connection: pg.ClientConfig, tls: EngineTls | undefined): WorkflowSetting {
  return { entry: workflowsEntry(), connection, ...(workflowsUrl === "dbos" ? {} : { temporal: { url: workflowsUrl, ...(tls === undefined ? {} : { tls }) } }) };
}

/** Loaded when it is called: a server answers before its workflows run, and needs the packages of one engine only. */
export async function openWorkflowEngine({ temporal, ...dbos }: WorkflowSetting, ports: EnginePorts): Promise<WorkflowEngine> {
  if (temporal === undefined) return (await import("../platform/workflow/engines/dbos/engine.ts")).createDbosEngine({ ...dbos, ...ports });
  const { createTemporalEngine } = await import("../platform/workflow/engines/temporal/engine.ts");
  const { url, tls } = temporal;
  return createTemporalEngine({ ...ports, url, bundle: await temporalBundle(), ...(tls === undefined ? {} : { tls: { ca: tls.ca, cert: tls.cert, key: tls.key } }) });
}
