import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { program } from "./peer.ts";

const exec = promisify(execFile);

/** An authority of the test's own, in a folder: `ca.crt`, `ca.key`, and what it issues. */
export interface Authority {
  /** PEM file. */
  certificate: string;
  /** Issues a certificate for server and client use on loopback. `days` below zero: one that was valid before. */
  issue(name: string, options?: { days?: number }): Promise<{ cert: string; key: string }>;
}

/** Elliptic keys, because they are made at once. */
export async function createAuthority(folder: string, name = "ca"): Promise<Authority> {
  const openssl = (...args: string[]) => exec(program("openssl"), args, { cwd: folder, timeout: 20_000 });
  const at = (file: string) => join(folder, file);
  await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);
  await openssl("req", "-x509", "-new", "-key", `${name}.key`, "-days", "2", "-subj", `/CN=test ${name}`, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign", "-out", `${name}.crt`);
  return {
    certificate: at(`${name}.crt`),
    async issue(subject, { days = 1 } = {}) {
      const file = `${name}-${subject}`;
      await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${file}.key`);
      await openssl("req", "-new", "-key", `${file}.key`, "-subj", `/CN=${subject}`, "-out", `${file}.csr`);
      await writeFile(at(`${file}.ext`), "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
      // A file with the next number would be read and written by several at once.
      const serial = `0x4${randomBytes(15).toString("hex")}`;
      await openssl("x509", "-req", "-in", `${file}.csr`, "-CA", `${name}.crt`, "-CAkey", `${name}.key`, "-set_serial", serial, "-extfile", `${file}.ext`, "-days", String(days), "-out", `${file}.crt`);
      return { cert: at(`${file}.crt`), key: at(`${file}.key`) };
    },
  };
}
