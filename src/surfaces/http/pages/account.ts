import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { relyingParty } from "../../../modules/organizations/index.ts";
import { ConfirmationNeeded, DeclaredError, InvalidInput, Unauthenticated } from "../../../platform/errors.ts";
import { accountData } from "./account-data.ts";
import { accountPage, type AccountPage } from "./account-page.ts";
import type { Me } from "./answers.ts";
import { passkeyPage, recoveryCodesPage, totpPage } from "./enrolment-pages.ts";
import { fieldOf } from "./form.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage, sendScriptedPage } from "./respond.ts";
import { secondsToWait, withNext } from "./sign-in.ts";
import { visitorOf, whoOf, type Visitor } from "./visitor.ts";

interface Enrolled {
  recoveryCodes?: string[];
  endedSessions: number;
}

const freshMs = 9 * 60_000; // a little less than what the operations allow

/** /account and the forms on it. */
export function mountAccount(scope: FastifyInstance, ports: PagePorts): void {
  const { services, version } = ports;

  scope.get("/account", async (request, reply) => show(request, reply, visitorOf(ports, request, reply)));

  form("/account/totp", async (request, reply, visitor) => {
    const begun = await visitor.call<{ secret: string; uri: string }>("second-factors.add-totp", currentPassword(request));
    return sendPage(reply, totpPage({ who: await whoIsThere(visitor), version, ...begun }));
  });

  form("/account/totp/confirm", async (request, reply, visitor) => {
    const uri = fieldOf(request, "uri") ?? "";
    try {
      return await enrolled(reply, visitor, await visitor.call<Enrolled>("second-factors.confirm-totp", { code: fieldOf(request, "code")?.trim() ?? "" }));
    } catch (error) {
      const secret = secretIn(uri);
      const again = error instanceof DeclaredError && ["wrong-code", "invalid-input", "too-many-requests"].includes(error.type.code);
      if (!again || secret === undefined) throw error;
      const said = error.type.code === InvalidInput.code ? new DeclaredError(InvalidInput, "A code has six digits.") : error;
      return sendPage(waiting(reply, said), totpPage({ who: await whoIsThere(visitor), version, uri, secret, error: said }), said.type.status);
    }
  });

  form("/account/passkeys/begin", async (request, reply, visitor) => {
    const { options } = await visitor.call<{ options: unknown }>("second-factors.begin-passkey", currentPassword(request));
    return sendScriptedPage(reply, passkeyPage({ who: await whoIsThere(visitor), version, options }));
  });

  form("/account/passkeys", async (request, reply, visitor) => {
    const name = fieldOf(request, "name")?.trim() ?? "";
    return enrolled(reply, visitor, await visitor.call<Enrolled>("second-factors.add-passkey", { name: name === "" ? "Passkey" : name, credential: credentialIn(request) }));
  });

  form("/account/recovery-codes", async (_request, reply, visitor) => {
    const { recoveryCodes } = await visitor.call<{ recoveryCodes: string[] }>("second-factors.new-recovery-codes", {});
    return enrolled(reply, visitor, { recoveryCodes, endedSessions: 0 });
  });

  form("/account/second-factors/remove", async (request, reply, visitor) => {
    await visitor.call("second-factors.remove", { id: fieldOf(request, "id") ?? "" });
    return leadTo(reply, "/account#second-factors");
  });

  form("/account/sessions/end", async (request, reply, visitor) => {
    await visitor.call("sessions.delete", { id: fieldOf(request, "id") ?? "" });
    return leadTo(reply, "/account#sessions");
  });

  form("/account/api-keys/revoke", async (request, reply, visitor) => {
    await visitor.call("api-keys.revoke", { id: fieldOf(request, "id") ?? "" });
    return leadTo(reply, "/account#api-keys");
  });

  /** A form of the page. What is refused is said on the page itself; what asks for a second factor leads to where it is given. */
  function form(path: string, answer: (request: FastifyRequest, reply: FastifyReply, visitor: Visitor) => Promise<FastifyReply>): void {
    scope.get(path, async (_request, reply) => leadTo(reply, "/account"));
    scope.post(path, async (request, reply) => {
      const visitor = visitorOf(ports, request, reply);
      try {
        return await answer(request, reply, visitor);
      } catch (error) {
        if (!(error instanceof DeclaredError) || error.type.status >= 500) throw error;
        if (error.type.code === ConfirmationNeeded.code) return leadTo(reply, withNext("/account/confirm", "/account"));
        if (error.type.code === Unauthenticated.code || error.type.code === "csrf-missing") throw error;
        return show(request, waiting(reply, error), visitor, error);
      }
    });
  }

  async function show(request: FastifyRequest, reply: FastifyReply, visitor: Visitor, error?: DeclaredError): Promise<FastifyReply> {
    if (visitor.session === undefined) return leadTo(reply, withNext("/sign-in", "/account"));
    const data = await accountData(visitor);
    const now = services.clock.now();
    const current = data.sessions.find((session) => session.current);
    const text = accountPage({
      data, who: whoOf(ports, visitor, data.me), now, version, passwords: ports.signIn.passwords, passkeys: passkeysAt(request),
      asksPassword: ports.signIn.passwords && (current === undefined || now - Date.parse(current.createdAt) > freshMs || error?.type.code === "sign-in-again"),
      required: (request.query as Record<string, unknown>)["why"] === "second-factor-required",
      ...(error !== undefined && { error }),
    });
    return sendPage(reply, text, error?.type.status ?? 200);
  }

  /** Passkeys work under one name only. */
  function passkeysAt({ headers }: FastifyRequest): AccountPage["passkeys"] {
    const party = relyingParty(ports.signIn.origin);
    if (party === undefined) return { state: "nowhere" };
    return headers.host === new URL(party.origin).host ? { state: "here" } : { state: "elsewhere", url: `${party.origin}/account` };
  }

  async function enrolled(reply: FastifyReply, visitor: Visitor, { recoveryCodes, endedSessions }: Enrolled): Promise<FastifyReply> {
    if (recoveryCodes === undefined) return leadTo(reply, "/account#second-factors");
    return sendPage(reply, recoveryCodesPage({ who: await whoIsThere(visitor), version, codes: recoveryCodes, endedSessions }));
  }

  async function whoIsThere(visitor: Visitor) {
    return whoOf(ports, visitor, await visitor.call<Me>("users.me", {}));
  }
}

/** The reply with the time to wait, where there were too many attempts. */
function waiting(reply: FastifyReply, error: DeclaredError): FastifyReply {
  const wait = secondsToWait(error);
  return wait === undefined ? reply : reply.header("retry-after", String(wait));
}

function currentPassword(request: FastifyRequest): { currentPassword?: string } {
  const password = fieldOf(request, "current") ?? "";
  return password === "" ? {} : { currentPassword: password };
}

/** What the browser answered for a passkey; the script of the page put it there. */
export function credentialIn(request: FastifyRequest): unknown {
  try {
    return JSON.parse(fieldOf(request, "passkey") ?? "") as unknown;
  } catch {
    throw new DeclaredError(InvalidInput, "What the browser sent for the passkey cannot be read; try again.");
  }
}

/** The secret of an address that this page gave out, so that it can be shown again after a wrong code. */
function secretIn(uri: string): string | undefined {
  if (uri.length > 500 || !uri.startsWith("otpauth://totp/") || !URL.canParse(uri)) return undefined;
  const secret = new URL(uri).searchParams.get("secret") ?? "";
  return /^[A-Z2-7]{16,64}$/.test(secret) ? secret : undefined;
}
