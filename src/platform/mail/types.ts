export interface Mail {
  to: readonly string[];
  subject: string;
  text: string;
  /** `Message-ID` without its angle brackets and host: the same for each attempt, so that a reader can leave out repeats. */
  id: string;
  signal?: AbortSignal;
}

/** What the mail server said of a message that it took for at least one recipient. */
export interface MailAnswer {
  response: string;
  rejected: readonly string[];
}

/** Sends mail. Errors: MailRefused, MailUnreachable. */
export interface Mailer {
  send(mail: Mail): Promise<MailAnswer>;
}
