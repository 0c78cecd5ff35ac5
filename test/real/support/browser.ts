/** A page, as a browser without scripts has it. */
export interface Page {
  url: string;
  status: number;
  text: string;
}

export interface Browser {
  /** Follows redirects. */
  open(url: string): Promise<Page>;
  /** Sends the form of a page whose action holds `action`, with its hidden fields and these. */
  submit(page: Page, fields: Record<string, string>, action?: string): Promise<Page>;
  cookie(url: string, name: string): string | undefined;
}

const timeoutMs = 60_000;

/** Keeps cookies by host and path, follows redirects and sends forms; runs no script. */
export function openBrowser(): Browser {
  const cookies: { host: string; path: string; name: string; value: string }[] = [];

  function keep(url: URL, headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const at = pair.indexOf("=");
      const attribute = (wanted: string) => attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
      const cookie = { host: url.host, path: attribute("path") ?? "/", name: pair.slice(0, at), value: pair.slice(at + 1) };
      const known = cookies.findIndex((one) => one.host === cookie.host && one.path === cookie.path && one.name === cookie.name);
      if (known !== -1) cookies.splice(known, 1);
      const over = attribute("max-age") === "0" || Date.parse(attribute("expires") ?? "") < Date.now();
      if (!over) cookies.push(cookie);
    }
  }

  const sent = (url: URL) => cookies.filter(({ host, path }) => host === url.host && (path === "/" || url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`)));

  async function ask(address: string, form?: URLSearchParams): Promise<Page> {
    let url = new URL(address);
    let body = form;
    for (let hop = 0; hop < 20; hop++) {
      const answer = await fetch(url, {
        method: body === undefined ? "GET" : "POST", redirect: "manual", signal: AbortSignal.timeout(timeoutMs),
        headers: { accept: "text/html", cookie: sent(url).map(({ name, value }) => `${name}=${value}`).join("; "), ...(body !== undefined && { origin: url.origin, "sec-fetch-site": "same-origin" }) },
        ...(body !== undefined && { body }),
      });
      keep(url, answer.headers);
      const text = await answer.text();
      const location = answer.headers.get("location");
      if (location === null) return { url: url.href, status: answer.status, text };
      url = new URL(location, url);
      body = undefined;
    }
    throw new Error(`${address} leads on and on`);
  }

  return {
    open: (url) => ask(url),
    async submit(page, fields, action = "") {
      const form = formsOf(page.text).find((one) => one.action.includes(action));
      if (form === undefined) throw new Error(`${page.url} (${page.status}) has no form to ${action}:\n${page.text.replaceAll(/<[^>]+>|\s+/g, " ").slice(0, 2_000)}`);
      return ask(new URL(form.action, page.url).href, new URLSearchParams({ ...form.hidden, ...fields }));
    },
    cookie: (url, name) => sent(new URL(url)).find((cookie) => cookie.name === name)?.value,
  };
}

function formsOf(text: string): { action: string; hidden: Record<string, string> }[] {
  return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = "", content = ""]) => ({
    action: attributeOf(attributes, "action") ?? "",
    hidden: Object.fromEntries([...content.matchAll(/<input\b([^>]*)>/g)].map(([, input = ""]) => input)
      .filter((input) => attributeOf(input, "type") === "hidden")
      .map((input) => [attributeOf(input, "name") ?? "", attributeOf(input, "value") ?? ""])),
  }));
}

function attributeOf(tag: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&").replaceAll("&#x3D;", "=").replaceAll("&#61;", "=").replaceAll("&quot;", '"');
}
