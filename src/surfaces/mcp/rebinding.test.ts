import { expect, it } from "vitest";
import { refuseForeignNames } from "./rebinding.ts";

const names = ["qinfra.example.org"];

it.each([
  [{ host: "localhost:8080" }], [{ host: "127.0.0.1" }], [{ host: "[::1]:8080" }], [{ host: "10.0.0.5:8080" }], [{ host: "QINFRA.example.org" }],
  [{ host: "localhost:8080", origin: "http://localhost:5173" }], [{ host: "10.0.0.5:8080", origin: "http://10.0.0.5:8080" }],
  [{ host: "localhost", origin: "https://qinfra.example.org" }],
])("given %o, then it is let through", (request) => {
  expect(() => refuseForeignNames(request, names)).not.toThrow();
});

it.each([
  [{}, "in Host"], [{ host: "evil.example" }, "Host: evil.example is not"], [{ host: "127.0.0.1.evil.example" }, "in Host"], [{ host: "a b" }, "in Host"],
  [{ host: "localhost", origin: "http://evil.example" }, "Origin: evil.example is not"], [{ host: "localhost", origin: "null" }, "in Origin"],
  [{ host: "10.0.0.5:8080", origin: "http://10.0.0.6:8080" }, "in Origin"], [{ host: "10.0.0.5:8080", origin: "http://10.0.0.5:9090" }, "in Origin"],
])("given %o, then it is refused with the way out", (request, words) => {
  expect(() => refuseForeignNames(request, names)).toThrow(words);
  expect(() => refuseForeignNames(request, names)).toThrow("Set PUBLIC_URL");
});
