import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { anonymous } from "../../../platform/actor.ts";
import { DeclaredError, errorType, InvalidInput } from "../../../platform/errors.ts";
import { sessionCookieName } from "../../../platform/identity/cookies.ts";
import { toTypeId } from "../../../platform/ids.ts";
import type { Interaction, Login } from "../../../modules/organizations/index.ts";
import { fieldOf, formProven, issueFormToken } from "./form.ts";
import { localPath } from "./local-path.ts";
import { passwordPage } from "./password-page.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage, sendScriptedPage } from "./respond.ts";
import { secondStepPage } from "./second-step-page.ts";
import { isThisMachine, secondsToWait, withNext } from "./sign-in.ts";

export const FormNotOurs = errorType("form-not-ours", 403, "The form did not come from this page");

/** Who gave the right password and no second factor is nobody yet. */
const wrongFactor: ReadonlySet<string> = new Set(["wrong-code", "passkey-refused"]);

/** How long the second factor may take after the password. */
const passedMs = 10 * 60_000;

type Asked = FastifyRequest<{ Params: { uid: string } }>;

interface Refused {
  name?: string;
  error?: DeclaredError;
}

/** GET and POST /sign-in/:uid: what the embedded provider asks of who signs in. */
export function mountInteraction(scope: FastifyInstance, ports: PagePorts): void {
  const { signIn, services } = ports;
  const { provider, local } = signIn;

  scope.get("/sign-in/:uid", async (request: Asked, reply) => {
    const interaction = await interactionOf(request, reply);
    if (interaction === undefined) return leadTo(reply, "/sign-in");
    if (!interaction.client.here) return withSession(request, reply);
    return show(request, reply, interaction, {});
  });

  scope.post("/sign-in/:uid", async (request: Asked, reply) => {
    const interaction = await interactionOf(request, reply);
    if (interaction === undefined) return leadTo(reply, "/sign-in");
    if (!interaction.client.here) return withSession(request, reply);
    const name = fieldOf(request, "name")?.trim() ?? "";
    try {
      await services.limiter.take({ actor: anonymous, address: request.ip });
      if (!formProven(request, ports)) throw new DeclaredError(FormNotOurs, "The form was too old, or came from elsewhere; nothing was sent on. Sign in again here.");
      return leadTo(reply, await step(request, reply, interaction, name));
    } catch (error) {
      if (!(error instanceof DeclaredError)) throw error;
      return refused(request, reply, interaction, { name, error });
    }
  });

  async function interactionOf(request: Asked, reply: FastifyReply): Promise<Interaction | undefined> {
    const found = await provider.interaction(request.raw, reply.raw);
    return found?.uid === request.params.uid && found.prompt === "login" ? found : undefined;
  }

  /** Other applications and devices are answered for who has a session of the platform, however that began. */
  async function withSession(request: Asked, reply: FastifyReply): Promise<FastifyReply> {
    const token = request.cookies[sessionCookieName(ports.secure)];
    const session = token === undefined ? undefined : await provider.sessionOf(token);
    if (session === undefined) return leadTo(reply, withNext("/sign-in", `/sign-in/${request.params.uid}`));
    return leadTo(reply, await signedIn(request, reply, { accountId: session.accountId, amr: session.secondFactor ? ["mfa"] : [], at: session.at, session: session.id }));
  }

  function signedIn(request: Asked, reply: FastifyReply, login: Login): Promise<string> {
    for (const name of provider.cookies.step) void reply.clearCookie(name, { path: `/sign-in/${request.params.uid}`, httpOnly: true, sameSite: "lax", secure: ports.secure });
    return provider.signedIn(request.raw, reply.raw, login);
  }

  /** One step further; the address at which it goes on. */
  async function step(request: Asked, reply: FastifyReply, interaction: Interaction, name: string): Promise<string> {
    const { raw, ip: address } = request;
    const again = `/sign-in/${interaction.uid}`;
    if (!signIn.passwords) throw new DeclaredError(InvalidInput, "Passwords are not asked for here; sign in with your organization's own account.");
    if (fieldOf(request, "anew") !== undefined) {
      await provider.passed(raw, reply.raw, undefined);
      return again;
    }
    const userId = passedUser(interaction);
    if (userId === undefined) {
      const password = fieldOf(request, "password") ?? "";
      if (name === "" || password === "") throw new DeclaredError(InvalidInput, "Give both, your name and your password.");
      const person = await local.password({ name, password, address });
      const factors = await local.factors(person.userId);
      if (!factors.any) return signedIn(request, reply, { accountId: toTypeId("usr", person.userId), amr: ["pwd"] });
      await provider.passed(raw, reply.raw, person.userId);
      return again;
    }
    const accountId = toTypeId("usr", userId);
    const passkey = fieldOf(request, "passkey");
    if (passkey !== undefined && passkey !== "") {
      await local.passkey({ userId, response: json(passkey), address });
      return signedIn(request, reply, { accountId, amr: ["pwd", "hwk"] });
    }
    const code = fieldOf(request, "code")?.trim() ?? "";
    if (code === "") throw new DeclaredError(InvalidInput, "Give the code.");
    await local.code({ userId, code: code.slice(0, 100), address });
    return signedIn(request, reply, { accountId, amr: ["pwd", "otp"] });
  }

  function passedUser({ passed }: Interaction): string | undefined {
    return passed !== undefined && services.clock.now() - passed.at < passedMs ? passed.userId : undefined;
  }

  async function show(request: Asked, reply: FastifyReply, interaction: Interaction, { name = "", error }: Refused): Promise<FastifyReply> {
    const form = { uid: interaction.uid, token: issueFormToken(request, reply, ports), ...(error !== undefined && { error }) };
    const status = error?.type.status ?? 200;
    const userId = passedUser(interaction);
    if (userId === undefined) {
      const others = signIn.party.issuers.filter(({ issuer }) => issuer !== provider.issuer);
      return sendPage(reply, passwordPage(ports.version, { ...form, name, others, next: localPath(interaction.next), here: isThisMachine(signIn.origin) }), status);
    }
    const factors = await local.factors(userId);
    const kept = interaction.passed?.challenge;
    const passkey = factors.passkeys === 0 ? undefined : await local.passkeyRequest(userId, kept);
    if (passkey !== undefined && passkey.challenge !== kept) await provider.challenged(request.raw, reply.raw, passkey.challenge);
    const text = secondStepPage(ports.version, { ...form, factors, passkey });
    return passkey === undefined ? sendPage(reply, text, status) : sendScriptedPage(reply, text, status);
  }

  function refused(request: Asked, reply: FastifyReply, interaction: Interaction, how: { name: string; error: DeclaredError }): Promise<FastifyReply> {
    if (how.error.type.status === 401) void reply.header("www-authenticate", 'Bearer realm="qinfra"');
    if (how.error.type.status === 401 || wrongFactor.has(how.error.type.code)) services.strangers.note(request.ip, "sign-in");
    const wait = secondsToWait(how.error);
    if (wait !== undefined) void reply.header("retry-after", String(wait));
    return show(request, reply, interaction, how);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DeclaredError(InvalidInput, "What the browser sent for the passkey cannot be read; try again, or give a code.");
  }
}
