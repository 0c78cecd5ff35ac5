import { encodeQR } from "qr";
import { html, type Html } from "./html.ts";

/** A QR code (ISO/IEC 18004) as inline SVG: dark on light in both colour schemes, because not every camera reads the inverse. */
export function qrCode(text: string, label: string): Html {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: 4 });
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return html`<svg class="qr" role="img" aria-label="${label}" viewBox="0 0 ${rows.length} ${rows.length}" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#ffffff"/><path d="${path}" fill="#000000"/></svg>`;
}
