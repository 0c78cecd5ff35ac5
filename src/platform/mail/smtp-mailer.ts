import type { ConnectionOptions } from "node:tls";
import { DeclaredError } from "../errors.ts";
import { MailRefused, MailUnreachable } from "./errors.ts";
import type { SmtpServer } from "./smtp-url.ts";
import type { Mailer } from "./types.ts";

export interface SmtpOptions {
  server: SmtpServer;
  /** Address of the sender, with or without a name: `QL-RF <qinfra@example.org>`. */
  from: string;
  /** Authority of a private network. */
  tls?: Pick<ConnectionOptions, "ca">;
  /** For a whole message, in milliseconds; 60,000 unless given. */
  timeoutMs?: number;
}

interface SmtpFailure {
  code?: string;
  responseCode?: number;
  response?: string;
}

const connectMs = 10_000;
const silenceMs = 20_000;

/** Sends by SMTP (RFC 5321), a connection a message; the library is loaded with the first. */
export function createSmtpMailer({ server, from, tls, timeoutMs = 60_000 }: SmtpOptions): Mailer {
  const { host, port, user, password } = server;
  const domain = /@([^>@]+)>?$/.exec(from)?.[1] ?? host;

  return {
    async send({ to, subject, text, id, signal }) {
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({
        host, port, secure: server.tls === "implicit", requireTLS: server.tls === "starttls", ignoreTLS: server.tls === "none",
        connectionTimeout: connectMs, greetingTimeout: connectMs, socketTimeout: silenceMs, dnsTimeout: connectMs,
        disableFileAccess: true, disableUrlAccess: true,
        ...(tls?.ca === undefined ? {} : { tls: { ca: tls.ca } }),
        ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
      });
      const late = AbortSignal.timeout(timeoutMs);
      try {
        const { response, rejected } = await transport.sendMail({
          from, to: [...to], subject, text, messageId: `<${id}@${domain}>`, headers: { "Auto-Submitted": "auto-generated" }, signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        });
        return { response: response ?? "", rejected: rejected ?? [] };
      } catch (error) {
        signal?.throwIfAborted();
        if (late.aborted) throw new DeclaredError(MailUnreachable, `${host} has not taken the message within ${timeoutMs / 1_000} s. See whether it is overloaded, or holds mail of this sender back.`, { code: "ETIMEDOUT" });
        throw declared(error as SmtpFailure, host);
      } finally {
        transport.close();
      }
    },
  };
}

/** What the server said is kept: it is about the message, and holds no credential. */
function declared({ code = "unknown error", responseCode, response }: SmtpFailure, host: string): DeclaredError {
  const said = response === undefined ? "" : `: ${response.slice(0, 300)}`;
  const data = { code, ...(responseCode === undefined ? {} : { status: responseCode }) };
  if (code === "EAUTH") return new DeclaredError(MailUnreachable, `${host} does not accept the name and password of SMTP_URL${said}`, data);
  if (responseCode !== undefined) return new DeclaredError(MailRefused, `${host} answered ${responseCode}${said}`, data);
  return new DeclaredError(MailUnreachable, `${host} cannot be reached or broke the connection off (${code}). Check SMTP_URL and whether it offers TLS.`, data);
}
