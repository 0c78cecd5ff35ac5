/** What an SMTP_URL says. */
export interface SmtpServer {
  host: string;
  port: number;
  /** `implicit` from the first byte (RFC 8314), `starttls` before anything else is said (RFC 3207), `none` in the clear. */
  tls: "implicit" | "starttls" | "none";
  user?: string;
  password?: string;
}

/**
 * `smtps://user:password@host:465`, `smtp://user:password@host:587` (which must offer STARTTLS) or
 * `smtp://host:25?tls=none`. Errors: TypeError that says what is wrong and quotes nothing of it.
 */
export function parseSmtpUrl(text: string): SmtpServer {
  const url = URL.parse(text);
  if (url === null || url.hostname === "") throw new TypeError("is no URL such as smtps://user:password@mail.example:465");
  const implicit = url.protocol === "smtps:";
  const clear = url.searchParams.get("tls") === "none";
  for (const [name, value] of url.searchParams) {
    if (name !== "tls" || value !== "none") throw new TypeError("has an option that is not known; there is tls=none");
  }
  if (implicit && clear) throw new TypeError("asks for smtps and for tls=none; give one of them");
  if (clear && url.password !== "") throw new TypeError("would send its password in the clear; leave out tls=none");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? (implicit ? 465 : 587) : Number(url.port),
    tls: implicit ? "implicit" : clear ? "none" : "starttls",
    ...(url.username === "" ? {} : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }),
  };
}
