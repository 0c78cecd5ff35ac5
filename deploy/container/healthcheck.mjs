// Exits with 0 while the server in this container is ready. It shows the server its own certificate where one is asked for.
import { readFileSync } from "node:fs";
import { request as plain } from "node:http";
import { request as encrypted } from "node:https";

const { HOST = "127.0.0.1", PORT = "8080", TLS_CERT, TLS_KEY } = process.env;
const host = HOST === "0.0.0.0" || HOST === "::" ? "127.0.0.1" : HOST;
const tls = TLS_CERT !== undefined && TLS_CERT !== "";
// Whom it talks to is certain, and no certificate is made out to the loopback address.
const options = { host, port: PORT, path: "/readyz", timeout: 5_000, ...(tls && { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY), rejectUnauthorized: false }) };

const request = (tls ? encrypted : plain)(options, (answer) => {
  answer.setEncoding("utf8").on("data", (text) => process.stdout.write(text)).on("end", () => process.exit(answer.statusCode === 200 ? 0 : 1));
});
request.on("timeout", () => request.destroy(new Error("no answer within 5 s")));
request.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
request.end();
