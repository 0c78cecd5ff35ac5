import { expect, it } from "vitest";
import { decodeQR } from "qr/decode.js";
import { render } from "./html.ts";
import { qrCode } from "./qr-code.ts";

const uri = "otpauth://totp/QL-RF:ada?issuer=QL-RF&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1&digits=6&period=30";

it("given an address, then a camera reads it from the picture, and a screen reader its label", () => {
  const svg = render(qrCode(uri, 'QR code of "ada"'));
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const scale = 4;
  const data = new Uint8Array(4 * (size * scale) ** 2).fill(255);
  for (const [, x, y] of svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let row = 0; row < scale; row++) {
      for (let column = 0; column < scale; column++) {
        const at = 4 * ((Number(y) * scale + row) * size * scale + Number(x) * scale + column);
        data.fill(0, at, at + 3);
      }
    }
  }
  expect(decodeQR({ width: size * scale, height: size * scale, data })).toBe(uri);
  expect(svg).toContain('role="img" aria-label="QR code of &quot;ada&quot;"');
});
