import { access, mkdir, readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./process.ts";

export interface MailServer {
  port: number;
  /** The messages that it took, as they lie in its maildir. */
  received(): Promise<string[]>;
  log(): string;
  stop(): Promise<void>;
}

/** A real SMTP server on loopback; with a certificate it takes no message before STARTTLS. */
export async function startMailServer(options: { port?: number; tls?: { cert: string; key: string } } = {}): Promise<MailServer> {
  const { port = await freePort(), tls } = options;
  const folder = await temporaryFolder("aiosmtpd");
  const mailbox = join(folder.path, "mail");
  for (const part of ["", "new", "cur", "tmp"]) await mkdir(join(mailbox, part));
  const server = startServer(program("aiosmtpd"), [
    "-n", "-l", `127.0.0.1:${port}`, ...(tls === undefined ? [] : ["--tlscert", tls.cert, "--tlskey", tls.key]), "-c", "aiosmtpd.handlers.Mailbox", mailbox,
  ]);
  await untilReady(server, "aiosmtpd", () => answers(port));
  return {
    port, log: server.log,
    async received() {
      await access(mailbox);
      const names = (await readdir(join(mailbox, "new"))).sort();
      return Promise.all(names.map((name) => readFile(join(mailbox, "new", name), "utf8")));
    },
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(2_000, () => end(false)).once("data", () => end(true)).once("error", () => end(false));
  });
}
