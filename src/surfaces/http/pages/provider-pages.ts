import type { ProviderPages } from "../../../modules/organizations/index.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";
import { facts, note } from "./parts.ts";

const problems = {
  missing: "Give the code that your terminal or device shows.",
  unknown: "There is no such code. Compare it with what your terminal or device shows.",
  expired: "The code is older than ten minutes. Begin again on the device, which then shows another.",
  used: "The code was used before. Begin again on the device, which then shows another.",
  failed: "The form was too old, or the request failed. Give the code again.",
};

/** The pages that the embedded provider shows by itself. */
export function providerPages(version: string): ProviderPages {
  return {
    deviceCode({ action, xsrf, userCode, problem }) {
      const described = problem === undefined ? html` aria-describedby="hint"` : html` aria-describedby="error hint" aria-invalid="true"`;
      const body = html`<div class="narrow"><h1>Connect a device</h1>
<p class="muted">A terminal or device that signs in shows a code of eight letters.</p>
${problem === undefined ? null : html`<div role="alert" id="error">${note("bad", html`<p>${problems[problem]}</p>`)}</div>`}
<form class="fields" method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}">
<div><label for="user_code">Code</label><input class="code" id="user_code" name="user_code" value="${userCode}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus${described}><p class="hint" id="hint">Small letters and a missing dash do not matter.</p></div>
<div><button>Continue</button></div>
</form></div>`;
      return page({ title: problem === undefined ? "Connect a device" : "Code not accepted", body, version });
    },
    deviceConfirm({ action, xsrf, device }) {
      const body = html`<div class="narrow wide"><h1>Is this your device?</h1>
<p>It asks to be signed in as you. Compare the code with what it shows.</p>
<p class="code" aria-label="Code">${device.userCode}</p>
${facts([["Application", device.clientName], ["Its address", device.address === "" ? "unknown" : device.address], ["It says it is", device.agent === "" ? "nothing" : device.agent]])}
${note("warn", html`<p>If somebody sent you here, or you did not just start this yourself, refuse: whoever has the device would act as you.</p>`)}
<form class="actions" method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}"><input type="hidden" name="user_code" value="${device.userCode}"><input type="hidden" name="confirm" value="yes">
<button>It is mine: sign it in</button> <button class="plain" name="abort" value="yes">Refuse</button>
</form></div>`;
      return page({ title: "Is this your device?", body, version });
    },
    deviceDone({ state, clientName }) {
      const body = state === "allowed"
        ? html`<div class="narrow"><h1>Signed in</h1><p>${clientName ?? "The device"} is signed in as you. Go on there; this page may be closed.</p><p class="muted"><a href="/account#sessions">Your account</a> lists where you are signed in, and ends each session.</p></div>`
        : html`<div class="narrow"><h1>Refused</h1><p>The device was told so, and has nothing. This page may be closed.</p></div>`;
      return page({ title: state === "allowed" ? "Device signed in" : "Device refused", body, version });
    },
    failed({ error, description, status }) {
      const body = html`<div class="narrow wide"><h1>${status < 500 ? "The request cannot be answered" : "Something went wrong on our side"}</h1>
<p>${error === "invalid_request" && description.includes("xsrf") ? "The form was too old, or came from elsewhere." : description === "" ? "The sign-in service gave no reason." : `The sign-in service says: ${description}.`}</p>
<p><a href="/sign-in">Sign in here</a>, or begin again in the application that sent you.</p>
${facts([["Status", `${status} ${error}`]])}</div>`;
      return page({ title: "Not answered", body, version });
    },
  };
}
