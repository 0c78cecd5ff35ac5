const mostCharacters = 500;

/** The first characters of an answer, without the given secrets and without what looks like one. */
export function redacted(answer: Uint8Array | string, secrets: readonly string[]): string {
  let text = typeof answer === "string" ? answer : new TextDecoder().decode(answer);
  for (const secret of secrets) if (secret.length >= 4) text = text.replaceAll(secret, "[redacted]");
  return text
    .replaceAll(/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, "$1 [redacted]")
    .replaceAll(/whsec_[A-Za-z0-9+/=]*/g, "[redacted]")
    .replaceAll(/("?(?:password|secret|token|api[_-]?key|authorization)"?\s*[:=]\s*)("[^"]*"|[^\s,;&}]+)/gi, "$1[redacted]")
    .replaceAll(/[A-Za-z0-9+/_-]{32,}={0,2}/g, "[redacted]")
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ")
    .slice(0, mostCharacters).trim();
}
