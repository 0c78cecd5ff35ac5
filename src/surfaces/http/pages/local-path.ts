const mostLength = 2_000;
const base = "http://here.invalid";

/**
 * The path of this platform that a page may lead on to, or `/`. What a browser could read as another site is refused:
 * `//host`, `/\host`, a scheme, control characters that it leaves out before it looks (WHATWG URL, 4.4).
 */
export function localPath(text: unknown): string {
  if (typeof text !== "string" || text.length > mostLength) return "/";
  if (!text.startsWith("/") || /[^\x21-\x7e]|\\/.test(text)) return "/";
  if (!URL.canParse(text, base)) return "/";
  const { origin, pathname, search } = new URL(text, base);
  // Dots are resolved by now: `/.//host` has become `//host`.
  if (origin !== base || pathname.startsWith("//") || isSignIn(pathname)) return "/";
  return pathname + search;
}

/** Leading back to these would go in a circle. */
function isSignIn(pathname: string): boolean {
  return pathname === "/sign-in" || pathname === "/sign-out" || pathname === "/signed-out" || pathname === "/set-password" || pathname.startsWith("/auth/");
}
