import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/platform/config.ts";
import { settings, type Setting } from "../../src/platform/settings.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const read = (path: string): string => readFileSync(join(deploy, path), "utf8");

interface Service {
  image: string;
  user: string;
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  tmpfs: string[];
  volumes?: string[];
  environment?: Record<string, string>;
  secrets: (string | { source: string; target: string })[];
  networks: string[] | Record<string, { ipv4_address?: string }>;
  healthcheck: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  privileged?: boolean;
  cap_add?: string[];
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}

const compose = parse(read("compose.yaml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const servers = services.filter(([, { image }]) => image === "qinfra");
const sourceOf = (secret: Service["secrets"][number]): string => (typeof secret === "string" ? secret : secret.source);

describe.for(services)("service %s", ([, service]) => {
  it("has no more rights than it needs", () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    expect(service.user).toMatch(/^(?!root|0\b)\w/);
    expect([service.privileged, service.cap_add]).toEqual([undefined, undefined]);
  });

  it("can write to temporary files and named volumes alone", () => {
    expect(service.tmpfs.some((each) => each.startsWith("/tmp:"))).toBe(true);
    const writable = (service.volumes ?? []).filter((volume) => !volume.endsWith(":ro")).map((volume) => volume.split(":")[0] ?? "");
    expect(writable.filter((name) => !(name in compose.volumes))).toEqual([]);
  });

  it("takes secrets as files that deploy/prepare makes", () => {
    const prepare = read("prepare");
    for (const secret of service.secrets.map(sourceOf)) {
      const name = compose.secrets[secret]?.file.replace("./secrets/", "") ?? `no secret ${secret}`;
      const [stem = "", ending] = name.split(".");
      expect(ending === undefined || name === "authority.crt" ? prepare.includes(`secrets/${name}`) : new RegExp(`^issue ${stem} `, "m").test(prepare), name).toBe(true);
    }
    expect(JSON.stringify(service.environment ?? {})).not.toMatch(/PASSWORD"|:\/\/[^"]*:[^"]*@/);
  });

  it("says whether it is healthy, and what it waits for", () => {
    expect(service.healthcheck.test.length).toBeGreaterThan(1);
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) expect([name in compose.services, condition]).toEqual([true, "service_healthy"]);
  });
});

describe("the servers", () => {
  it.for(servers)("%s has only settings that there are, and good ones", ([, service]) => {
    const environment = service.environment ?? {};
    const files = Object.keys(environment).filter((name) => name.endsWith("_FILE"));
    const known = settings as Record<string, Setting>;
    for (const name of Object.keys(environment)) expect(files.includes(name) ? known[name.slice(0, -"_FILE".length)]?.secret : name in known, name).toBe(true);
    const paths = Object.values(environment).filter((value) => value.startsWith("/run/secrets/")).map((value) => value.slice("/run/secrets/".length));
    expect(paths.filter((name) => !service.secrets.includes(name))).toEqual([]);
    const values = { ...environment, PUBLIC_URL: "https://qinfra.example", DATABASE_URL: "postgres://db/fabric", CACHE_URL: "redis://redis" };
    const gateway = addressOf("nginx");
    expect(parseConfig(values, "/nowhere")).toMatchObject({ host: "0.0.0.0", port: 8080, trustedProxies: [gateway] });
  });

  it("are those that nginx asks, by the names and ports that they have", () => {
    const asked = [...read("nginx/servers.conf").matchAll(/^server (\S+):(\d+) /gm)].map(([, name, port]) => [name, port]);
    expect(asked).toEqual(servers.map(([name, { environment }]) => [name, environment?.["PORT"]]));
  });

  it("are reached by nginx alone, and engines by nobody outside", () => {
    expect(services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual(["nginx"]);
    expect(compose.networks["inside"]?.internal).toBe(true);
    for (const name of ["postgres", "redis"]) expect(compose.services[name]?.networks).toEqual(["inside"]);
  });
});

it("nginx finds each file that its configuration names, and listens where ports lead", () => {
  const nginx = compose.services["nginx"] as Service;
  const config = read("nginx/nginx.conf");
  const named = [...config.matchAll(/(?:certificate|certificate_key|include) ([\w./]+\.(?:crt|key|conf));/g)].map(([, path]) => `/etc/nginx/${path}`);
  const mounted = [...nginx.secrets.map((secret) => (typeof secret === "string" ? "" : secret.target)), ...(nginx.volumes ?? []).map((volume) => volume.split(":")[1])];
  expect(named.length).toBeGreaterThan(6);
  expect(named.filter((path) => !mounted.includes(path))).toEqual([]);
  expect(nginx.ports?.map((port) => port.split(":")[1]).sort()).toEqual([...config.matchAll(/listen (\d+)/g)].map(([, port]) => port).sort());
});

function addressOf(name: string): string | undefined {
  const { networks } = compose.services[name] as Service;
  return Array.isArray(networks) ? undefined : networks["inside"]?.ipv4_address;
}
