import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loginUrl } from "../connection.ts";
import { exitCodeOf } from "../exit-codes.ts";
import { platformOperations } from "../testing/platform-operations.ts";
import { testManifest } from "../testing/operations.ts";
import { collector, createCliPlace, type CliPlace } from "../testing/run.ts";
import { startPlatformServer, type PlatformServer } from "../testing/server.ts";

let place: CliPlace;
let server: PlatformServer;

beforeEach(async () => {
  place = await createCliPlace(testManifest(platformOperations));
  server = await startPlatformServer();
  server.answers["POST /api/v1/sessions"] = (request) => {
    const { password } = JSON.parse(request.body) as { password: string };
    if (password !== "right" && password !== "once") return { problem: { code: "sign-in-failed", status: 401, title: "T", detail: "Name and password do not belong together." } };
    return { status: 201, json: { token: `tok_${password}`, expiresAt: "2026-12-21T12:00:00Z", mustChangePassword: password === "once" } };
  };
  server.answers["PUT /api/v1/users/me/password"] = { json: {} };
  server.answers["DELETE /api/v1/sessions/current"] = { json: { id: "ses_1" } };
  server.answers["GET /api/v1/things"] = { json: { items: [] } };
});
afterEach(async () => {
  await server.close();
  await place.remove();
});

const login = (stdin: string, ...args: string[]) => place.run(["login", "--url", server.url, "--password-stdin", ...args], { stdin });
const file = () => join(place.home, "credentials.json");

describe("login", () => {
  it("keeps the session where only its owner can read it, and later commands use it", async () => {
    const { code, stdout, stderr } = await login("right\n");
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: `Logged in to ${server.url} as admin until 2026-12-21T12:00:00Z.\n` });
    expect(((await stat(file())).mode & 0o777).toString(8)).toBe("600");
    expect(((await stat(place.home)).mode & 0o777).toString(8)).toBe("700");
    expect(JSON.parse(server.received[0]?.body ?? "")).toEqual({ name: "admin", password: "right", door: "cli" });
    expect(await place.run(["things", "list"])).toMatchObject({ code: 0 });
    expect(server.received.at(-1)?.headers.authorization).toBe("Bearer tok_right");
  });

  it("replaces a one-time password with the second line", async () => {
    expect(await login("once\r\nbrand new password\r\n", "--user", "ada")).toMatchObject({ code: 0 });
    expect(server.received[1]).toMatchObject({ method: "PUT", headers: { authorization: "Bearer tok_once" } });
    expect(JSON.parse(server.received[1]?.body ?? "")).toEqual({ currentPassword: "once", newPassword: "brand new password" });
  });

  it.each([
    ["a wrong password", "wrong\n", "Name and password do not belong together."],
    ["no password", "\n", "holds no password in its first line"],
    ["a one-time password without a new one", "once\n", "holds no new password"],
  ])("%s is exit 2 and keeps nothing", async (_what, stdin, said) => {
    const { code, stderr } = await login(stdin);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/tok_|wrong\n/);
    await expect(stat(file())).rejects.toThrow("ENOENT");
  });

  it("without a terminal it says how to give the password", async () => {
    const { code, stderr } = await place.run(["login", "--password", "--url", server.url]);
    expect(code).toBe(2);
    expect(stderr).toContain("--password-stdin");
  });

  it("asks on a terminal, shows nothing of it, and asks twice for a new password", async () => {
    const modes: boolean[] = [];
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) });
    const err = collector(80);
    const typed: Record<string, string[]> = { "Password of admin: ": ["onx\u007fce\r"], "New password (12 characters or more): ": ["first choice\r", "brand new password\r"], "The same again: ": ["other choice\r", "brand new password\r"] };
    const write = err.stream.write.bind(err.stream) as (chunk: unknown) => boolean;
    err.stream.write = ((chunk: unknown) => {
      const next = typed[String(chunk)]?.shift();
      if (next !== undefined) setImmediate(() => stdin.write(next));
      return write(chunk);
    }) as typeof err.stream.write;
    const { code } = await place.run(["login", "--password", "--url", server.url], { io: { stdin, stderr: err.stream } });
    expect(code).toBe(0);
    expect(err.text()).toContain("These are two different passwords.");
    expect(err.text()).not.toMatch(/once|brand new/);
    expect(modes).toEqual([true, false, true, false, true, false, true, false, true, false]);
    expect(JSON.parse(server.received[1]?.body ?? "")).toEqual({ currentPassword: "once", newPassword: "brand new password" });
  });

  it("gives the code of a second factor from the second line, once the password is right", async () => {
    server.answers["POST /api/v1/sessions"] = (request) => {
      const { code } = JSON.parse(request.body) as { code?: string };
      if (code !== "123456") return { problem: { code: "second-factor-needed", status: 401, title: "T", detail: "The password is right; give a code." } };
      return { status: 201, json: { token: "tok_right", expiresAt: "2026-12-21T12:00:00Z", mustChangePassword: false } };
    };
    expect(await login("right\n123456\n")).toMatchObject({ code: 0 });
    expect(server.received.map(({ body }) => (JSON.parse(body) as { code?: string }).code)).toEqual([undefined, "123456"]);
    expect(await login("right\n")).toMatchObject({ code: 2, stderr: expect.stringContaining("The password is right; give a code.") });
    expect(await login("right\n000000\n")).toMatchObject({ code: 2 });
  });

  it("a token goes only to the server that gave it", async () => {
    await login("right\n");
    const elsewhere = await startPlatformServer();
    elsewhere.answers["GET /api/v1/things"] = { json: { items: [] } };
    await place.run(["things", "list", "--url", elsewhere.url]);
    await elsewhere.close();
    expect(elsewhere.received[0]?.headers.authorization).toBeUndefined();
  });

  it("an expired login is said before anything is sent", async () => {
    await login("right\n");
    const { code, stderr } = await place.run(["things", "list"], { io: { now: () => Date.parse("2027-01-01T00:00:00Z") } });
    expect({ code, stderr }).toEqual({ code: 2, stderr: `error: Your login to ${server.url} expired at 2026-12-21T12:00:00Z.\n  next: run: qinfra login --url ${server.url}\n` });
  });
});

describe("the file of the logins", () => {
  it.each([0o644, 0o640, 0o660])("is refused with mode %o", async (mode) => {
    await login("right\n");
    await chmod(file(), mode);
    const { code, stderr } = await place.run(["things", "list"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`chmod 600 ${file()}`);
    expect(stderr).not.toContain("tok_right");
  });

  it("is refused when it is damaged, without quoting it", async () => {
    await mkdir(place.home, { recursive: true, mode: 0o700 });
    await writeFile(file(), '{"logins":{"x":{"token":"tok_right"', { mode: 0o600 });
    const { code, stderr } = await place.run(["things", "list"]);
    expect(code).toBe(2);
    expect(stderr).toContain("is damaged");
    expect(stderr).not.toContain("tok_right");
  });

  it("does not go into a folder in which others may write", async () => {
    await mkdir(place.home, { recursive: true });
    await chmod(place.home, 0o777);
    const { code, stderr } = await login("right\n");
    expect(code).toBe(2);
    expect(stderr).toContain(`chmod 700 ${place.home}`);
  });
});

describe("the server that a login goes to", () => {
  const again = (env: Record<string, string> = {}) => place.run(["login", "--password-stdin"], { stdin: "right\n", env });

  it("is the one of the last login, also after a logout, and is said", async () => {
    await login("right\n");
    await place.run(["logout"]);
    expect(await place.run(["things", "list"])).toMatchObject({ code: 2, stderr: expect.stringContaining("qinfra login") });
    expect(await again()).toMatchObject({ code: 0, stderr: `Logging in to ${server.url}; --url chooses another server.\nLogged in to ${server.url} as admin until 2026-12-21T12:00:00Z.\n` });
  });

  it("is the one of QINFRA_URL before that of the last login", async () => {
    await login("right\n");
    const other = await startPlatformServer();
    Object.assign(other.answers, server.answers);
    const { code, stderr } = await again({ QINFRA_URL: other.url });
    await other.close();
    expect({ code, said: stderr.split("\n")[0] }).toEqual({ code: 0, said: `Logging in to ${other.url}; --url chooses another server.` });
  });

  it("is this machine where none was ever named", async () => {
    expect(await loginUrl({ env: { QINFRA_HOME: place.home } }, {})).toBe("http://localhost:8080");
  });
});

describe("password", () => {
  it("changes the password of the present login", async () => {
    await login("right\n");
    expect(await place.run(["password", "--password-stdin"], { stdin: "right\nbrand new password\n" })).toMatchObject({ code: 0, stderr: "The new password is set.\n" });
    expect(JSON.parse(server.received.at(-1)?.body ?? "")).toEqual({ currentPassword: "right", newPassword: "brand new password" });
  });

  it("needs a login", async () => {
    expect(await place.run(["password", "--password-stdin"], { stdin: "a\nb\n" })).toMatchObject({ code: 2, stderr: expect.stringContaining("qinfra login") });
  });
});

describe("logout", () => {
  it("ends the session and removes it from the file", async () => {
    await login("right\n");
    expect(await place.run(["logout"], { env: { QINFRA_API_KEY: "qk_other" } })).toMatchObject({ code: 0, stderr: `Logged out of ${server.url}.\n` });
    expect(server.received.at(-1)).toMatchObject({ method: "DELETE", url: "/api/v1/sessions/current", headers: { authorization: "Bearer tok_right" } });
    expect(JSON.parse(await readFile(file(), "utf8"))).toEqual({ current: server.url, logins: {} });
    expect(await place.run(["logout"])).toMatchObject({ code: 0, stderr: `You are not logged in to ${server.url}.\n` });
  });

  it("keeps the logins of other servers", async () => {
    await login("right\n");
    const other = await startPlatformServer();
    Object.assign(other.answers, server.answers);
    await place.run(["login", "--url", other.url, "--password-stdin"], { stdin: "right\n" });
    await place.run(["logout"]);
    await other.close();
    expect(Object.keys((JSON.parse(await readFile(file(), "utf8")) as { logins: object }).logins)).toEqual([server.url]);
  });

  it("says so where the server could not be told", async () => {
    await login("right\n");
    await server.close();
    const { code, stderr } = await place.run(["logout"]);
    expect(code).toBe(2);
    expect(stderr).toContain("the session could not be ended and lasts until 2026-12-21T12:00:00Z");
    expect(await readFile(file(), "utf8")).not.toContain("tok_right");
    server = await startPlatformServer();
  });

  it("a refused sign-in counts as could not be done", () => {
    expect(exitCodeOf({ status: 401 })).toBe(2);
  });
});
