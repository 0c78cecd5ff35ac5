import type { EmbeddedProvider, LocalSignIn } from "../../../modules/organizations/index.ts";
import type { Actor } from "../../../platform/actor.ts";
import type { RelyingParty } from "../../../platform/identity/relying-party.ts";
import type { Registry } from "../../../platform/operation/registry.ts";
import type { Services } from "../../../platform/operation/services.ts";

/** What was found on the machine that the server runs on. */
export type MachineView =
  | { state: "reading" }
  | { state: "unknown"; why: string }
  | {
    state: "read"; name: string; os: string; kernel: string; architecture: string;
    packages: readonly { type: string; count: number }[]; components: readonly unknown[]; readAt: string;
  };

export interface RoleRow {
  permission: string;
  roles: readonly string[];
  platformOnly: boolean;
}

export interface Health {
  ready: boolean;
  checks: Readonly<Record<string, string>>;
}

/** What signs people in. */
export interface SignInPorts {
  /** Where people reach the platform. */
  origin: string;
  /** Whether names and passwords are asked for. */
  passwords: boolean;
  local: LocalSignIn;
  provider: EmbeddedProvider;
  party: RelyingParty;
  /** Signs what a browser keeps between the question to an issuer and its answer. */
  flowKey: Uint8Array;
}

/** What the pages need of the platform. What they read or change of its data goes through `services` and the pipeline. */
export interface PagePorts {
  services: Services;
  registry: Registry;
  version: string;
  /** TLS stands before the platform: cookies are `Secure`. */
  secure: boolean;
  csrfKey: Uint8Array;
  signIn: SignInPorts;
  /** Text that nobody can guess. */
  nonce(): string;
  machine(): MachineView;
  /** Names of somebody who is signed in and of the organization that they work in; undefined for nobody. */
  whoIs(actor: Actor): Promise<{ user: string; organization: string } | undefined>;
  /** What /readyz reports: for each part `ok`, or what is degraded. */
  health(): Promise<Health>;
  roles: readonly string[];
  /** Which roles have each permission that an operation asks for. */
  roleTable: readonly RoleRow[];
  /** The command line that calls the operation; undefined where it has no such door. */
  commandLine(operationId: string, input: Record<string, unknown>): string | undefined;
}
