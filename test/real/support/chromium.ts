import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { program } from "./peer.ts";

/** What the tests use of playwright-core, which is a peer and so has no types here. */
export interface Page {
  goto(url: string): Promise<unknown>;
  url(): string;
  content(): Promise<string>;
  fill(selector: string, text: string): Promise<void>;
  click(selector: string): Promise<void>;
  waitForURL(url: string | RegExp): Promise<void>;
  waitForSelector(selector: string): Promise<unknown>;
  textContent(selector: string): Promise<string | null>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  screenshot(options: { path: string; fullPage: boolean }): Promise<unknown>;
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): void;
}

export interface Context {
  newPage(): Promise<Page>;
  newCDPSession(page: Page): Promise<{ send<T>(method: string, parameters?: object): Promise<T> }>;
  close(): Promise<void>;
}

export interface Chromium {
  newContext(options?: object): Promise<Context>;
  close(): Promise<void>;
}

/** Starts Chromium without a window. */
export async function openChromium(): Promise<Chromium> {
  const index = join(dirname(program("chromium", "playwright-core")), "../playwright-core/index.mjs");
  const { chromium } = (await import(pathToFileURL(index).href)) as { chromium: { launch(options: object): Promise<Chromium> } };
  return chromium.launch({ executablePath: program("chromium"), args: ["--no-sandbox", "--disable-gpu"], timeout: 60_000 });
}

/** An authenticator in the browser itself (CDP, domain WebAuthn), whose owner is present and verified. */
export async function addVirtualAuthenticator(context: Context, page: Page): Promise<{ credentials(): Promise<number> }> {
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send<{ authenticatorId: string }>("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  return {
    credentials: async () => (await session.send<{ credentials: unknown[] }>("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
  };
}
