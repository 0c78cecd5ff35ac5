import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modules } from "../../app/modules.ts";
import { createRegistry } from "../../platform/operation/registry.ts";
import { commandWords } from "./command-line.ts";
import { localCommands } from "./local/commands.ts";
import { toManifest, type OperationManifest } from "./manifest.ts";
import { testManifest } from "./testing/operations.ts";
import { createCliPlace, sentInput, type CliPlace } from "./testing/run.ts";

const platform = toManifest(createRegistry(modules));
const local = new Set(localCommands.map((command) => command.name));

/** Operations that are commands of their own, with each of their examples. */
function examples(manifest: OperationManifest) {
  const commands = manifest.operations.filter((operation) => operation.cli !== undefined && operation.body === undefined && !local.has(operation.cli.name));
  return commands.flatMap((operation) => operation.examples.map(({ input }) => ({ id: operation.id, operation, input })));
}

describe.each([["shapes", testManifest()], ["the platform", platform]])("the examples in the help of %s", (_name, manifest) => {
  let place: CliPlace;
  beforeAll(async () => {
    place = await createCliPlace(manifest);
  });
  afterAll(() => place.remove());

  it.each(examples(manifest))("$id: the command line sends the example's input", async ({ operation, input }) => {
    const sent = await sentInput(place, operation, commandWords(operation, input));
    expect(sent.stderr).toBe("");
    expect(sent.input).toEqual(input);
  });
});

describe("the platform's local commands", () => {
  const called = ["sessions.create", "sessions.exchange", "sessions.sign-in-options", "users.me", "sessions.delete", "users.set-password", "vulnerabilities.scan", "inventory.record-scan", "images.register", "vulnerabilities.get-image-report", "vulnerabilities.get-asset-report", "feeds.import", "feeds.sync"];
  it.each(called)("%s, which they call, is there and open over HTTP", (id) => {
    expect(platform.operations.find((operation) => operation.id === id)?.doors).toContain("http");
  });
});
