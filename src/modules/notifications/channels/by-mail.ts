import { DeclaredError } from "../../../platform/errors.ts";
import { MailRefused, MailUnreachable, type Mailer } from "../../../platform/mail/index.ts";
import { redacted } from "../domain/redact.ts";
import { outcome, type Outcome } from "./outcome.ts";

/** One message to all recipients. */
export async function sendByMail({ mail, signal }: { mail: Mailer | undefined; signal: AbortSignal }, message: { to: readonly string[]; subject: string; text: string; id: string }): Promise<Outcome> {
  if (mail === undefined) return outcome("failed", { reason: "No mail server is set: the administrator of the platform sets SMTP_URL and SMTP_FROM.", unwell: true });
  try {
    const { response, rejected } = await mail.send({ ...message, signal });
    const reason = rejected.length === 0 ? null : `The mail server refused ${rejected.length} of ${message.to.length} recipients.`;
    return outcome("delivered", { reason, answer: redacted(response, []) });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DeclaredError)) throw error;
    const status = typeof error.data?.["status"] === "number" ? error.data["status"] : null;
    const reason = redacted(error.message, []);
    // RFC 5321, 4.2.1: 5yz is for good, 4yz may pass.
    if (error.type === MailRefused) return outcome(status !== null && status >= 500 ? "failed" : "again", { status, reason });
    return outcome("again", { status, reason, unwell: error.type === MailUnreachable });
  }
}
