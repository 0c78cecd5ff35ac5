import { uuidOf } from "../../../platform/ids.ts";
import { stepHandler } from "../../../platform/workflow/index.ts";
import { setRun } from "../channel-store.ts";
import { lockedChannel } from "../channel-views.ts";
import { deliverWorkflow, handOver, letGo } from "../workflows/deliver.ts";

export const handOverStep = stepHandler(handOver, {
  async handle({ db, runId, workflows }, { channel }) {
    const id = uuidOf("chn", channel);
    if ((await lockedChannel(db, id))?.run_id === runId) await setRun(db, id, await workflows.start(deliverWorkflow, { channel }), null);
    return null;
  },
});

export const letGoStep = stepHandler(letGo, {
  async handle({ db, runId }, { channel }) {
    const id = uuidOf("chn", channel);
    if ((await lockedChannel(db, id))?.run_id === runId) await setRun(db, id, null, null);
    return null;
  },
});
