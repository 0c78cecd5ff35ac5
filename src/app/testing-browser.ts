import type { FastifyInstance, InjectOptions } from "fastify";

/** What came back, as a browser sees it. */
export interface PageAnswer {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;
  text: string;
  location: string | undefined;
  setCookies: string[];
  /** The address that was asked for. */
  url: string;
}

interface Cookie {
  name: string;
  value: string;
  path: string;
}

/** Keeps cookies by their path and sends forms, as a browser does. */
export function browser(server: FastifyInstance, { address = "192.0.2.7", host = "qinfra.example" } = {}) {
  const cookies: Cookie[] = [];
  /** By name, whatever the path. */
  const jar = {
    get: (name: string) => cookies.find((cookie) => cookie.name === name)?.value,
    has: (name: string) => cookies.some((cookie) => cookie.name === name),
    set: (name: string, value: string, path = "/") => {
      jar.delete(name);
      cookies.push({ name, value, path });
    },
    delete: (name: string) => void cookies.splice(0, cookies.length, ...cookies.filter((cookie) => cookie.name !== name)),
    clear: () => void cookies.splice(0),
    names: () => cookies.map((cookie) => cookie.name),
  };

  async function send(options: InjectOptions): Promise<PageAnswer> {
    const url = String(options.url);
    const path = url.split("?")[0] as string;
    const sent = cookies.filter((cookie) => cookie.path === "/" || path === cookie.path || path.startsWith(`${cookie.path}/`));
    const response = await server.inject({
      remoteAddress: address, ...options, headers: { accept: "text/html,*/*;q=0.8", host, ...options.headers }, cookies: Object.fromEntries(sent.map(({ name, value }) => [name, value])),
    });
    for (const { name, value, path = "/", maxAge, expires } of response.cookies) {
      const at = cookies.findIndex((cookie) => cookie.name === name && cookie.path === path);
      if (at >= 0) cookies.splice(at, 1);
      if (value !== "" && maxAge !== 0 && (expires === undefined || expires.getTime() > 0)) cookies.push({ name, value, path });
    }
    const set = response.headers["set-cookie"];
    return {
      url, status: response.statusCode, headers: response.headers, text: response.body, location: response.headers.location, setCookies: set === undefined ? [] : [set].flat(),
    };
  }
  const get = (url: string) => send({ method: "GET", url, headers: { "sec-fetch-site": "none" } });
  const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = { "sec-fetch-site": "same-origin" }) => send({
    method: "POST", url, payload: new URLSearchParams(fields).toString(), headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  });

  /** Goes on while signing in does: to a page, or to the address to which the sign-in leads. */
  async function follow(answer: PageAnswer): Promise<PageAnswer> {
    let at = answer;
    for (let steps = 0; at.location !== undefined && /^(https?:\/\/[^/]+)?\/(oidc|auth|sign-in)(\/|$|\?)/.test(at.location); steps += 1) {
      if (steps > 20) throw new Error(`it goes round and round at ${at.location}`);
      at = await get(at.location.replace(/^https?:\/\/[^/]+/, ""));
    }
    return at;
  }

  return {
    jar, send, get, post, follow,
    csrfOf: async (url: string) => fieldIn((await follow(await get(url))).text, "csrf"),
    /** The form on which one signs in, as it is shown for `next`. */
    signInForm: async (next = "/") => follow(await get(`/sign-in?${new URLSearchParams({ next }).toString()}`)),
    async signIn(name: string, password: string, next = "/"): Promise<PageAnswer> {
      const form = await follow(await get(`/sign-in?${new URLSearchParams({ next }).toString()}`));
      return follow(await post(actionIn(form.text), { csrf: fieldIn(form.text, "csrf"), name, password }));
    },
  };
}

export type Browser = ReturnType<typeof browser>;

/** Value of a field of a page's form. */
export function fieldIn(text: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]+)"`).exec(text)?.[1] ?? "";
}

/** Where a page's form goes: that in its content, not the one that signs out. */
export function actionIn(text: string): string {
  return /<form[^>]* action="([^"]+)"/.exec(text.slice(text.indexOf("<main")))?.[1] ?? "";
}
