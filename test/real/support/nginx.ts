import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { program } from "./peer.ts";
import { root } from "./platform.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./process.ts";

export interface Pair {
  cert: string;
  key: string;
}

export interface Nginx {
  /** `https://localhost:PORT` */
  address: string;
  port: number;
  plainPort: number;
  /** Lines of the access log so far. */
  requests(): Promise<LoggedRequest[]>;
  log(): string;
  stop(): Promise<void>;
}

export interface LoggedRequest {
  time: string;
  requestId: string;
  address: string;
  method: string;
  path: string;
  status: number;
  /** Of each server that was asked, separated by commas. */
  upstream: string;
  upstreamBytes: string;
  /** Seconds; "0.000" where a kept connection was taken. */
  upstreamConnect: string;
}

/** The shipped configuration with what belongs to a place put in: ports, paths, servers and the name in their certificate. */
export async function startNginx(servers: readonly string[], tls: { front: Pair; gateway: Pair; ca: string; serverName?: string }): Promise<Nginx> {
  const folder = await temporaryFolder("nginx");
  const shipped = join(root, "deploy/nginx");
  const at = (name: string) => join(folder.path, name);
  await mkdir(at("tls"));
  const material = { "public.crt": tls.front.cert, "public.key": tls.front.key, "gateway.crt": tls.gateway.cert, "gateway.key": tls.gateway.key, "ca.crt": tls.ca };
  for (const [name, path] of Object.entries(material)) await copyFile(path, at(`tls/${name}`));
  const [port, plainPort] = [await freePort(), await freePort()];
  let config = await readFile(join(shipped, "nginx.conf"), "utf8");
  const place = (before: string, after: string) => {
    if (!config.includes(before)) throw new Error(`deploy/nginx/nginx.conf no longer says ${before}`);
    config = config.replaceAll(before, after);
  };
  place("listen 8443", `listen 127.0.0.1:${port}`);
  place("listen 8080", `listen 127.0.0.1:${plainPort}`);
  place("/tmp/nginx", at("nginx"));
  place("/dev/stdout", at("access.log"));
  place("proxy_ssl_name server;", `proxy_ssl_name ${tls.serverName ?? "localhost"};`);
  await writeFile(at("nginx.conf"), config);
  await copyFile(join(shipped, "proxy.conf"), at("proxy.conf"));
  const line = (await readFile(join(shipped, "servers.conf"), "utf8")).split("\n").find((each) => each.startsWith("server server-1:8080")) ?? "";
  await writeFile(at("servers.conf"), servers.map((address) => line.replace("server-1:8080", address)).join("\n"));
  // Workers stay who nginx was started as: the folder is that user's alone.
  const user = process.getuid?.() === 0 ? "user root; " : "";
  const server = startServer(program("nginx"), ["-p", folder.path, "-c", at("nginx.conf"), "-e", "stderr", "-g", `${user}daemon off;`]);
  const stop = async () => {
    await server.stop("SIGQUIT");
    await folder.remove();
  };
  try {
    await untilReady(server, "nginx", () => listens(port));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address: `https://localhost:${port}`, port, plainPort, log: server.log, stop,
    async requests() {
      return (await readFile(at("access.log"), "utf8")).split("\n").filter(Boolean).map((text) => JSON.parse(text) as LoggedRequest);
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
