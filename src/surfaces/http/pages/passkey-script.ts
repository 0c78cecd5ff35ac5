import { createHash } from "node:crypto";

/**
 * The one script of the pages, because a passkey is asked for by JavaScript alone. A form says what it wants by
 * `data-passkey` (`create` or `get`) and gives the options of WebAuthn as JSON; the answer goes into its field `passkey`.
 */
export const passkeyScript = `
"use strict";
const words = {
  NotAllowedError: "Nothing was chosen, or it took too long. Try again.",
  InvalidStateError: "This device or key is registered here already.",
  SecurityError: "Passkeys do not work under this address.",
};
for (const form of document.querySelectorAll("form[data-passkey]")) {
  const said = form.querySelector("[role=status]");
  const answer = form.elements.namedItem("passkey");
  const creates = form.dataset.passkey === "create";
  const read = window.PublicKeyCredential && (creates ? PublicKeyCredential.parseCreationOptionsFromJSON : PublicKeyCredential.parseRequestOptionsFromJSON);
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!read) {
      said.textContent = "This browser cannot use passkeys here. Use a newer one, or a page that has TLS.";
      return;
    }
    said.textContent = "Follow what the browser asks.";
    try {
      const publicKey = read.call(PublicKeyCredential, JSON.parse(form.dataset.options));
      const credential = await (creates ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
      answer.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      said.textContent = words[error.name] || "The browser could not use a passkey (" + error.name + ").";
    }
  });
}
`.trim();

/** Its address changes with its content, so that a browser may keep it for good. */
export const passkeyScriptPath = `/static/passkey.${createHash("sha256").update(passkeyScript).digest("hex").slice(0, 16)}.js`;
