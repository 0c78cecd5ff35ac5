import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ConfirmationNeeded, DeclaredError, errorType, Internal, InvalidInput, NotFound, PasswordChangeRequired, TooLarge, Unauthenticated, UnsupportedMediaType } from "../../../platform/errors.ts";
import { mountAccount } from "./account.ts";
import { mountConfirm } from "./account-confirm.ts";
import { mountAuth } from "./auth.ts";
import { mountConsent } from "./consent.ts";
import { errorPage } from "./error-page.ts";
import { mountFindings } from "./findings.ts";
import { formLimit, parseForm } from "./form.ts";
import { mountInteraction } from "./interaction.ts";
import { mountJoin } from "./join.ts";
import { mountOidc } from "./oidc.ts";
import { passkeyScript, passkeyScriptPath } from "./passkey-script.ts";
import type { PagePorts } from "./ports.ts";
import { mountReference } from "./reference.ts";
import { mountReset } from "./reset.ts";
import { leadTo, securityHeaders, sendPage } from "./respond.ts";
import { secondFactorRequired } from "./second-factor-parts.ts";
import { mountSetPassword } from "./set-password.ts";
import { mountSignIn, withNext } from "./sign-in.ts";
import { mountStatus } from "./status.ts";
import { stylesheet, stylesheetPath } from "./stylesheet.ts";
import { visitorOf } from "./visitor.ts";

/** Adds the pages for browsers to the server. They work without JavaScript. */
export function addPages(server: FastifyInstance, ports: PagePorts): void {
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string", bodyLimit: formLimit }, (_request, body, done) => done(null, parseForm(body as string)));
    scope.addHook("onRequest", async (_request, reply) => securityHeaders(reply));
    scope.setErrorHandler((error, request, reply) => showError(ports, error, request, reply));
    mountSignIn(scope, ports);
    mountAuth(scope, ports);
    mountInteraction(scope, ports);
    mountConsent(scope, ports);
    mountOidc(scope, ports);
    mountSetPassword(scope, ports);
    mountReset(scope, ports);
    mountAccount(scope, ports);
    mountConfirm(scope, ports);
    mountJoin(scope, ports);
    mountStatus(scope, ports);
    mountFindings(scope, ports);
    mountReference(scope, ports);
    scope.get(stylesheetPath, (_request, reply) => reply.header("cache-control", "public, max-age=31536000, immutable").type("text/css; charset=utf-8").send(stylesheet));
    scope.get(passkeyScriptPath, (_request, reply) => reply.header("cache-control", "public, max-age=31536000, immutable").type("text/javascript; charset=utf-8").send(passkeyScript));
    // A person who mistyped an address gets a page; a program still gets problem details.
    scope.get("/*", (request, reply) => {
      if (!wantsHtml(request)) return reply.callNotFound();
      throw new DeclaredError(NotFound, `There is no page ${request.url.split("?")[0]} here.`);
    });
  });
}

function wantsHtml(request: FastifyRequest): boolean {
  return request.headers.accept?.includes("text/html") === true && !request.url.startsWith("/api/");
}

async function showError(ports: PagePorts, error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const declared = declaredOf(ports, error, request);
  const here = request.method === "GET" ? request.url : "/";
  if (declared.type.code === Unauthenticated.code) return leadTo(reply, withNext("/sign-in", here));
  if (declared.type.code === PasswordChangeRequired.code) return leadTo(reply, withNext("/set-password", here));
  if (declared.type.code === ConfirmationNeeded.code) return leadTo(reply, withNext("/account/confirm", here));
  if (secondFactorRequired(declared)) return leadTo(reply, "/account?why=second-factor-required");
  const wait = declared.data?.["retryAfterSeconds"];
  if (typeof wait === "number") void reply.header("retry-after", String(Math.ceil(wait)));
  // Where the platform itself cannot answer, its visitor's name is not worth another wait.
  const who = declared.type.status >= 500 ? undefined : await visitorOf(ports, request, reply).who();
  return sendPage(reply, errorPage(declared, { requestId: request.id, version: ports.version, who }), declared.type.status);
}

function declaredOf(ports: PagePorts, error: unknown, request: FastifyRequest): DeclaredError {
  if (error instanceof DeclaredError) return error;
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  if (statusCode === 413) return new DeclaredError(TooLarge, "The form is larger than any form of ours.");
  if (statusCode === 415) return new DeclaredError(UnsupportedMediaType, "Send the form as application/x-www-form-urlencoded, as a browser does.");
  if (statusCode >= 400 && statusCode < 500) return new DeclaredError(errorType(InvalidInput.code, statusCode, InvalidInput.title), `The request cannot be read: ${message}`);
  ports.services.log.error({ err: error, requestId: request.id }, "a page failed unexpectedly");
  return new DeclaredError(Internal, `Something went wrong on our side; the log has it under request ${request.id}.`);
}
